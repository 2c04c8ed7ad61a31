# The map rfmtc over every log there is, and simulated shops of every family: each customer has a name, and no name
# contradicts P(alive).

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $data = shared(map { "data/$_.csv" } 'cdnow_log_full', 'apparel_log', 'donations_bgbb', 'transfusion') . '/data';

my $node = PostgreSQL::Test::Cluster->new('logs');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION clv;
	CREATE TABLE cdnow (customer int, day date, cds int, amount numeric);
	COPY cdnow FROM '$data/cdnow_log_full.csv' WITH (FORMAT csv, HEADER);
	CREATE TABLE apparel (customer int, day date, amount numeric);
	COPY apparel FROM '$data/apparel_log.csv' WITH (FORMAT csv, HEADER);
	CREATE TABLE donors (x int, t_x int, n int, count int, later int);
	COPY donors FROM '$data/donations_bgbb.csv' WITH (FORMAT csv, HEADER);
	CREATE TABLE blood (recency int, frequency int, cc int, months int, donated int);
	COPY blood FROM '$data/transfusion.csv' WITH (FORMAT csv, HEADER);
	CREATE TABLE base (name text, options jsonb, customer bigint, history clv_history);

	INSERT INTO base SELECT 'CDNOW', clv_options(as_of => '1998-06-30'), customer, clv_history(day, amount)
	FROM cdnow GROUP BY 3;
	INSERT INTO base SELECT 'apparel', clv_options(as_of => max(max(day)) OVER ()), customer, clv_history(day, amount)
	FROM apparel GROUP BY 3;
	-- of donors the year of the first and of the last gift is known, and how many there were
	INSERT INTO base SELECT 'donations', clv_options(model => 'bg/bb', time_unit => '1 year', spend => 'none',
			as_of => '2001-12-31'), id, clv_history((date '1995-12-31' + y * interval '1 year')::date)
	FROM (SELECT *, row_number() OVER () AS id FROM donors, generate_series(1, least(count, 100))) d,
		 LATERAL (SELECT generate_series(0, x - 1) UNION SELECT t_x) k (y) GROUP BY 3;
	-- and of blood donors the months, an ml as a cent
	INSERT INTO base SELECT 'transfusion', clv_options(as_of => '2007-03-31'), id,
		clv_history((date '2007-03-31' - (months - (months - recency) * k / greatest(frequency - 1, 1)) * 30), 2.5)
	FROM (SELECT *, row_number() OVER () AS id FROM blood) b, generate_series(0, frequency - 1) k GROUP BY 3});
foreach (
	[ 'mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.5, "b": 1.5}', '1 week' ],
	[ 'bg/nbd', '{"r": 0.25, "alpha": 4.4, "a": 0.8, "b": 2.4}', '1 week' ],
	[ 'mbg/cnbd-k', '{"k": 3, "r": 2, "alpha": 4.5, "a": 0.6, "b": 3}', '1 week' ],
	[ 'pareto/nbd', '{"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}', '1 week' ],
	[ 'pareto/nbd/cor', '{"r": 0.9, "alpha": 1.6, "s": 0.7, "beta": 1.7, "m": 2}', '1 month' ],
	[ 'ggompertz/nbd', '{"r": 0.9, "alpha": 12, "b": 0.05, "s": 0.8, "beta": 4}', '1 week' ],
	[ 'bg/bb', '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.78}', '1 month' ],
	[ 'sbg', '{"alpha": 0.668, "beta": 3.806}', '1 month' ],
	[ 'bdw', '{"alpha": 0.5, "beta": 3, "c": 1.4}', '1 month' ])
{
	my ($family, $parameters, $unit) = @$_;
	my $fit = $family =~ s{/cor$}{}r;
	my $correlation = $fit eq $family ? '' : ', correlation => true';

	$node->safe_psql('postgres', qq{
		INSERT INTO base SELECT 'simulated $family', clv_options(model => '$fit', time_unit => '$unit',
			as_of => '2017-12-31'$correlation), customer, clv_history(day, amount)
		FROM clv_simulate(clv_model('$family', '$parameters', '$unit')
				|| clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}'), 1500, '2016-01-01', '2017-12-31', 402)
		GROUP BY 3});
}
$node->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE TABLE named AS
	SELECT b.name, clv_p_alive(m.model, b.history) AS p_alive, (b.scores).v, (b.scores).c,
		   segment_assign(b.scores) AS segment
	FROM (SELECT name, clv_fit(history, options) AS model FROM base GROUP BY name, options) m
	JOIN LATERAL (SELECT b.name, b.history, rfmtc_score(b.history, m.model) OVER () AS scores
				  FROM base b WHERE b.name = m.name) b USING (name)});

foreach my $name (split /\n/, $node->safe_psql('postgres', 'SELECT DISTINCT name FROM base ORDER BY name'))
{
	is($node->safe_psql('postgres', qq{
		SELECT count(*) > 500, count(*) FILTER (WHERE segment IS NULL),
			count(*) FILTER (WHERE (p_alive < 0.5)
				<> (segment IN ('Win Back First', 'Former Regulars', 'Passed Through', 'Lost'))),
			count(*) FILTER (WHERE p_alive < 0.8 AND segment IN ('Champions', 'Loyal', 'Steady', 'Occasional')),
			count(*) FILTER (WHERE p_alive < 0.5 AND v >= 4 AND segment <> 'Win Back First')
		FROM named WHERE name = '$name'}), 't|0|0|0|0', "$name: every customer has a name that P(alive) agrees with");
}
is($node->safe_psql('postgres', 'SELECT count(DISTINCT segment) FROM named'), 12, 'and every name is used');

$node->stop;
done_testing();
