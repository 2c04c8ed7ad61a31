# make bench still works: its data, its floors and every line run over a few customers, and each line reports figures.
# Nothing is asserted of the figures.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::Bin/../..";
my $build = PostgreSQL::Test::Utils::tempdir;

# the make that has called this test has goals and flags of its own
delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};
system_or_bail('cp', '-R', "$root/bench/floor", $build);
system_or_bail('make', '-s', '-C', "$build/floor", "PG_CPPFLAGS=-I$root/src",
	'PG_CONFIG=' . ($ENV{PG_CONFIG} // 'pg_config'));

my $node = PostgreSQL::Test::Cluster->new('bench');
$node->init;
$node->append_conf('postgresql.conf',
	"dynamic_library_path = '\$libdir:$build/floor'\nmax_parallel_workers_per_gather = 0\njit = off\nautovacuum = off");
$node->start;

# psql over files of bench, as bench/run calls it; what it prints.
sub bench
{
	my ($what, @files) = @_;
	my ($out, $err);
	my $ended = run_log(
		[ qw(psql -X -q -At -v ON_ERROR_STOP=1 -v heavy=0 -v customers=400 -v many=400 -v rival_orders=0),
			qw(-v rival_histories=0 -d), $node->connstr('postgres'), map { ('-f', $_) } @files ],
		'>', \$out, '2>', \$err);
	ok($ended, $what) or diag $err;
	return $out;
}

bench('the data are made', "$root/bench/data.sql");
bench('every line runs', "$root/bench/measure.sql", sort glob "$root/bench/lines/*.sql");
is($node->safe_psql('postgres', q{SELECT string_agg(what, ', ') FROM run.report WHERE clv IS NULL OR result IS NULL}),
	'', 'no line is without figures');
is( $node->safe_psql('postgres', q{
		SELECT string_agg(f, ', ' ORDER BY f)
		FROM unnest(ARRAY['history, ', 'fit ', 'clv_predict, ', 'orders to CLV, ', 'refresh: a night',
			'step customers, full']) f
		WHERE NOT EXISTS (SELECT FROM run.report r WHERE r.what LIKE f || '%')}),
	'', 'a line of each kind is there');
my $figures = bench('the line of the history', "$root/bench/history.sql");
is(scalar(grep { /^[^|]+(\|[0-9.]+){3}$/ } split /\n/, $figures), 8, 'has all of its figures') or diag $figures;

$node->stop;
done_testing();
