# clv_metrics against numpy and scipy: test/oracle/metrics.csv, made by metrics.py.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('metrics');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;

my $rows = slurp_file("$FindBin::Bin/../oracle/metrics.csv");
$node->safe_psql('postgres', qq{
	CREATE EXTENSION clv;
	CREATE TABLE oracle (
		name text, actual float8[], predicted float8[], bias float8, mae float8, rmse float8, total_error float8,
		rank_correlation float8, gini float8, top_decile_lift float8);
	COPY oracle FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';');
$rows\\.
	CREATE TABLE measured AS
	SELECT o AS oracle, m AS ours
	FROM oracle o, LATERAL (SELECT clv_metrics(a, p) AS m FROM unnest(actual, predicted) u (a, p)) q});

is($node->safe_psql('postgres', 'SELECT count(*), count((oracle).top_decile_lift) FROM measured'), '8|4',
	'cases, and those with a lift');
foreach my $measure (qw(bias mae rmse total_error rank_correlation gini top_decile_lift))
{
	is($node->safe_psql('postgres', qq{
		SELECT (oracle).name, (ours).$measure, (oracle).$measure FROM measured
		WHERE NOT abs((ours).$measure - (oracle).$measure) <= 1e-12 * abs((oracle).$measure)}), '', $measure);
}

$node->stop;
done_testing();
