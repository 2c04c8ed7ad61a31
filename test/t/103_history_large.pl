# One customer with a million orders, and a query that is told to stop.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('large');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nmax_parallel_workers_per_gather = 2");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	CREATE TABLE orders AS
	SELECT date '1000-01-01' + (i * 611953::bigint % 400009)::int AS d,
		   ((i * 7919::bigint) % 100003)::numeric / 100 AS a
	FROM generate_series(1, 1000000) i;
	ANALYZE orders});

is($node->safe_psql('postgres', q{
	CREATE TABLE one AS SELECT clv_history(d, a) AS history FROM orders;
	SELECT clv_purchases(history) = (SELECT count(DISTINCT d) FROM orders),
		   clv_total_spend(history) = (SELECT sum(a) FROM orders),
		   clv_first_purchase(history) = (SELECT min(d) FROM orders),
		   clv_last_purchase(history) = (SELECT max(d) FROM orders),
		   length(clv_internal.clv_history_send(history)) <= 8 + 6 * clv_purchases(history)
	FROM one}), 't|t|t|t|t', 'a million orders of one customer, in no order');
is($node->safe_psql('postgres', q{
	SELECT clv_history(d, a ORDER BY d) = (SELECT history FROM one),
		   clv_history(d, a ORDER BY d DESC, a) = (SELECT history FROM one)
	FROM orders}), 't|t', 'the same in order, and backwards');
is($node->safe_psql('postgres', q{
	SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
	SELECT clv_history(d, a) = (SELECT history FROM one) FROM orders}), 't', 'the same in parallel');
is($node->safe_psql('postgres', q{
	SELECT clv_history(date '2000-01-01' + i % 7, 1.01) = clv_history(date '2000-01-07' - i % 7, 1.01)
		FROM generate_series(1, 700000) i}),
	't', 'seven days a hundred thousand times');
is($node->safe_psql('postgres', q{
	SELECT clv_total_spend(clv_history(date '2000-01-01' + i % 100, i / 3.0)) = sum(i / 3.0)
		FROM generate_series(1, 50000) i}),
	't', 'amounts of twenty digits add up exactly');
is($node->safe_psql('postgres', q{SELECT history::text::clv_history = history FROM one}), 't',
	'and its text is read back');

# --- memory: a group's state is small, and rows of one day do not add to it ---
my $plan = $node->safe_psql('postgres', q{
	SET max_parallel_workers_per_gather = 0; SET work_mem = '256MB';
	EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off)
	SELECT count(h) FROM (SELECT i % 200, clv_history(date '2000-01-01' + (i / 200) % 5, 1) AS h
		FROM generate_series(1, 600000) i GROUP BY 1) g});
my ($kilobytes) = $plan =~ /HashAggregate.*?Memory Usage: (\d+)kB/s;
cmp_ok($kilobytes, '<', 200 * 4, "200 groups of five days and 3,000 rows each take $kilobytes kB");

# --- clv_histories has no more of the rows in memory than it may, and closes its files ---
is($node->safe_psql('postgres', q{
	CREATE TABLE spread AS SELECT i * 7919::bigint % 50021 AS k, d, a
		FROM (SELECT row_number() OVER () AS i, d, a FROM orders) o LIMIT 600000;
	CREATE TABLE grouped AS SELECT k, clv_history(d, a) AS history FROM spread GROUP BY k;
	SET work_mem = '1MB'; SET hash_mem_multiplier = 1; SET max_parallel_workers_per_gather = 0; SET log_temp_files = 0;
	SELECT count(*), count(*) FILTER (WHERE q.history = g.history)
	FROM clv_histories('SELECT k, d, a FROM spread') AS q (k bigint, history clv_history) JOIN grouped g USING (k)}),
	'50021|50021', 'histories of rows that were in files');
my $files = () = slurp_file($node->logfile) =~ /LOG:  temporary file: /g;
cmp_ok($files, '>=', 256, "$files temporary files were written, one for each partition and more");
# the last row of the query looks at what the others are held in
is($node->safe_psql('postgres', q{
	SET work_mem = '1MB'; SET hash_mem_multiplier = 1; SET max_parallel_workers_per_gather = 0;
	CREATE FUNCTION held() RETURNS bigint LANGUAGE sql VOLATILE AS
		$$SELECT sum(total_bytes)::bigint FROM pg_backend_memory_contexts WHERE name LIKE 'clv\_histories%'$$;
	SELECT clv_last_purchase(history) - date '2000-01-01' BETWEEN 1024 AND 10 * 1024
	FROM clv_histories('SELECT k, d FROM spread UNION ALL SELECT -1, date ''2000-01-01'' + (held() / 1024)::int')
		AS q (k bigint, history clv_history) WHERE k = -1}),
	't', 'rows wait in some megabytes');

# --- keys beyond what a row may hold are refused, not wrapped around ---
my ($rc, $out, $err) = $node->psql('postgres', q{
	SELECT count(*) FROM clv_histories($$SELECT repeat('x', 540000000), repeat('y', 540000000), date '2020-01-01'$$)
		AS q (k text, l text, history clv_history)});
like($err, qr/ERROR:  columns that identify a customer are too large: 1080000\d\d\d bytes/, 'a key of more than 1 GB');
is($node->safe_psql('postgres', q{
	SELECT length(k), clv_purchases(history)
		FROM clv_histories($$SELECT repeat('x', 40000000), date '2020-01-01' + i FROM generate_series(0, 1) i$$)
		AS q (k text, history clv_history)}), '40000000|2', 'a key of 40 MB');

# --- cancel ---
foreach my $query (
	q{SELECT clv_purchases(clv_history(date '1000-01-01' + (i * 611953::bigint % 3000017)::int, 1))
		FROM generate_series(1, 30000000) i},
	q{SELECT count(*) FROM one, generate_series(1, 1000) i, clv_purchase_log(history || history)})
{
	my $start = time;
	($rc, $out, $err) = $node->psql('postgres', "SET statement_timeout = '2s'; $query");
	my $took = time - $start;

	like($err, qr/canceling statement/, 'a long query is told to stop');
	cmp_ok($took, '<', 3.5, sprintf('and stops at once (%.1f s after two)', $took - 2));
}

$node->stop;
done_testing();
