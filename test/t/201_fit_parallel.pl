# The same customers give the same bits: in any order, serial or parallel, grouped, hashed or sorted, in one row of
# cells or in many.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('parallel');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nmax_parallel_workers = 4\nmax_worker_processes = 8");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv');

# 20,000 customers who differ in rate, in the chance to leave and in spend; small pages of work for every worker.
$node->safe_psql('postgres', <<'SQL');
SELECT setseed(0.5);
CREATE TABLE customer AS
SELECT c AS customer_id, c % 5 AS region, clv_history(date '2020-01-01' + day::int, price::numeric(12,2)) AS history
  FROM (SELECT c, sum(gap) OVER w AS day,
			   coalesce(bool_or(dropout < leave) OVER (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
				   false) AS gone,
               0.01 - 20 * ln(1 - random()) / taste AS price
		  FROM (SELECT c, i, leave, taste,
					   CASE WHEN i = 0 THEN c % 200 ELSE least(1000,
						   1 - 20 * ln(1 - random()) / rate) END AS gap, random() AS dropout
				  FROM (SELECT c, -ln(1 - random()) AS rate, random() AS leave,
							   -ln((1 - random()) * (1 - random())) AS taste
                          FROM generate_series(1, 20000) c OFFSET 0) c, generate_series(0, 8) i OFFSET 0) q
         WINDOW w AS (PARTITION BY c ORDER BY i)) q
 WHERE NOT gone AND day < 400 GROUP BY c;
CREATE TABLE shuffled AS SELECT * FROM customer ORDER BY md5(customer_id::text);
CREATE TABLE backwards AS SELECT * FROM customer ORDER BY customer_id DESC;
ALTER TABLE customer SET (parallel_workers = 3);
ALTER TABLE shuffled SET (parallel_workers = 2);
ALTER TABLE backwards SET (parallel_workers = 4);
ANALYZE;
SQL

my $serial = 'SET max_parallel_workers_per_gather = 0;';
my $parallel = 'SET max_parallel_workers_per_gather = 4; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
	SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off;';

my $options = "clv_options(as_of => '2021-02-28', model => 'mbg/nbd')";
my %queries = (
	'fit' => "SELECT clv_fit(history, $options) FROM %s",
	'fit without as_of' => 'SELECT clv_fit(history) FROM %s',
	'fit of summaries' => "SELECT clv_fit(s.x, s.t_x, s.t_cal, s.mean_spend)
		FROM %s, clv_summary(history, '2021-02-28') s",
	'cells' => "SELECT clv_cells(history, $options) FROM %s",
	'rollup' => "SELECT clv_cells_rollup(c) FROM (SELECT clv_cells(history) AS c FROM %s GROUP BY customer_id) q",
	'fit by region' => "SELECT region, clv_fit(history, $options) FROM %s GROUP BY region ORDER BY region",
	'fit with a filter' => "SELECT clv_fit(history, $options) FILTER (WHERE region < 2) FROM %s",
	'fit with covariates' => "SELECT clv_fit(history,
										 clv_options(as_of => '2021-02-28', covariates => '{odd,region}'),
										 ARRAY[customer_id % 2, region])
							  FROM %s",
	'cells with covariates' => "SELECT clv_cells(history,
										   clv_options(as_of => '2021-02-28', covariates => '{z}'),
										   ARRAY[(customer_id % 97) / 10.0])
								FROM %s",
	'two that share' => "SELECT clv_cells(history, $options), clv_fit(history, $options) FROM %s");

foreach my $what (sort keys %queries)
{
	my $expected = $node->safe_psql('postgres', $serial . sprintf($queries{$what}, 'customer'));

	ok(length $expected > 100, "$what: there is a result");
	foreach my $table ('customer', 'shuffled', 'backwards')
	{
		my $query = sprintf($queries{$what}, $table);

		is($node->safe_psql('postgres', "$serial $query"), $expected, "$what: $table, serial") if $table ne 'customer';
		foreach my $how ('', 'SET enable_hashagg = off;', "SET work_mem = '64kB';")
		{
			is($node->safe_psql('postgres', "$parallel $how $query"), $expected, "$what: $table, parallel $how");
		}
	}
}

# The plans above were what they claim to be.
my $plan = $node->safe_psql('postgres', "$parallel EXPLAIN (COSTS OFF) " . sprintf($queries{'fit'}, 'customer'));
like($plan, qr/Finalize Aggregate.*Gather.*Workers Planned: 3.*Partial Aggregate/s, 'fits run in parallel');
$plan = $node->safe_psql('postgres', "$parallel EXPLAIN (COSTS OFF) " . sprintf($queries{'fit by region'}, 'customer'));
like($plan, qr/Finalize .*Gather.*Partial (Hash|Group)Aggregate/s, 'grouped fits run in parallel');
my $ran = $node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) " . sprintf($queries{'fit'},
	'customer'));
like($ran, qr/Workers Launched: 3/, 'and their workers are launched');

# Workers with nothing to do, and none of them with anything.
is($node->safe_psql('postgres', "$parallel SELECT clv_fit(history) IS NULL, clv_cells(history) IS NULL FROM customer
	WHERE region = 9"),
	't|t', 'no rows in parallel');
is($node->safe_psql('postgres', "$parallel SELECT clv_fit(h) IS NULL
	FROM (SELECT NULLIF(history, history) AS h FROM customer) q"),
	't', 'only NULLs in parallel');
is( $node->safe_psql('postgres', "$parallel SELECT clv_cells(history)::text FROM customer WHERE customer_id = 77"),
	$node->safe_psql('postgres', "$serial SELECT clv_cells(history)::text FROM customer WHERE customer_id = 77"),
	'one worker has everything');
my ($rc, $out, $err) = $node->psql('postgres',
	"$parallel SELECT clv_fit(history, clv_options(as_of => '2021-02-28', max_iterations => 1 + customer_id % 2))
	FROM customer");
like($err, qr/options of a fit must be the same|clv_cells with different options/,
	'options that differ between workers are found');

# Sessions of a distributed engine: an empty search path, states as text, wrappers that look functions up for every row.
is($node->safe_psql('postgres', "SET search_path = pg_catalog; SET extra_float_digits = 0; SET datestyle = sql;
	SELECT public.clv_fit(c::text::public.clv_cells) OPERATOR(public.=)
		(SELECT public.clv_fit(history) FROM public.customer)
	  FROM (SELECT public.clv_cells(history) AS c FROM public.customer GROUP BY region) q"), 't',
		   'states are sent as text');

# A running fit can be cancelled.
($rc, $out, $err) = $node->psql('postgres', "SET statement_timeout = '100ms';
	SELECT g, clv_fit(history) FROM customer, generate_series(1, 300) g GROUP BY g");
like($err, qr/canceling statement due to statement timeout/, 'a cancel is heard');

$node->stop;
done_testing();
