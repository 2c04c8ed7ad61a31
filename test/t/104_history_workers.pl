# clv_histories by parallel workers gives what one process gives, to the byte; with the caller's rights and snapshot; it
# leaves no file and no worker behind, whatever happens; and it does without workers where there are none, or may be
# none.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('workers');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
jit = off
fsync = off
max_worker_processes = 8
max_parallel_workers_per_gather = 4
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
log_temp_files = 0
session_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_verbose = on
auto_explain.log_timing = off
auto_explain.log_nested_statements = on
CONF
$node->start;

# 60,000 rows of 4,001 customers, NULL among them, and of customers without a time
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION clv;
CREATE TABLE orders AS
SELECT i, nullif(i * 7919 % 4003, 0) AS k,
	   CASE WHEN i % 37 > 0 AND i * 7919 % 4003 > 2 THEN timestamptz '2019-12-25 22:00:00Z'
		   + i * 104729::bigint % 900000 * interval '97 s' END AS t,
	   CASE WHEN i % 29 > 0 THEN round((i * 7907::bigint % 20011 - 2000) / 100.0, 2) END AS a
FROM generate_series(1, 60000) i;
ALTER TABLE orders SET (parallel_workers = 3);
CREATE TABLE few AS SELECT k, t::date AS d, a FROM orders LIMIT 10;
ANALYZE;
SQL

# What the server wrote into its log while it ran the query, and the result.
sub logged
{
	my ($settings, $query) = @_;
	my $before = length slurp_file($node->logfile);
	my ($code, $out, $err) = $node->psql('postgres', "$settings $query");

	return (substr(slurp_file($node->logfile), $before), $out, $err);
}

# Workers that a log says were launched; -1 where the node was not there.
sub launched
{
	my $log = shift;

	return $log =~ /Workers Launched: (\d+).*?->  Parallel Custom Scan \(clv_histories\)/s ? $1 : -1;
}

# What has been left behind: temporary files, and workers.
sub left_behind
{
	my @files = glob($node->data_dir . '/base/pgsql_tmp/*');

	$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity
		WHERE backend_type = 'parallel worker'") or push @files, 'a worker';
	return join(', ', @files);
}

my $serial = 'SET max_parallel_workers_per_gather = 0;';

# ---- the same to the byte ----

# what the query is of, its select list, the columns of the key
my @queries = (
	['integers', 'k, t, a', 'k int'],
	['smallints, and days', 'k::smallint, t::date, a', 'k smallint'],
	['texts, and doubles', 'k::text, t, a::float8', 'k text'],
	['a collation', '(k::text COLLATE "C"), t, a', 'k text'],
	['numerics of two scales', '(CASE WHEN i % 2 = 0 THEN k::numeric(9, 1) ELSE k::numeric(9, 4) END), t, a',
		'k numeric'],
	['zeros of two signs', 'k % 5 * (i % 2 - 0.5)::float8, t, a', 'k float8'],
	['several columns', 'k % 7, nullif(k % 5, 3), k::text, t, a', 'a int, b int, c text'],
	['constants', '7, t, 1.5', 'k int'],
	['no amounts', 'k, t', 'k int'],
	['amounts of twenty digits', 'k, t, a / 7', 'k int'],
	['large amounts', 'k, t, a * 1e15', 'k int'],
	['keys longer than a stage', 'repeat((k % 99)::text, 200), t, a', 'k text'],
	['keys longer than a chunk', 'repeat((k % 9)::text, 40000), t, a', 'k text'],
	['one customer', '1, t, a', 'k int']);

foreach (@queries)
{
	my ($what, $list, $keys) = @$_;
	my $query = "SELECT count(*), md5(string_agg(q::text, ';' ORDER BY q::text COLLATE \"C\"))
		FROM clv_histories('SELECT " . ($list =~ s/'/''/gr) . " FROM orders') AS q ($keys, history clv_history)";
	my $expected = $node->safe_psql('postgres', "$serial $query");

	like($expected, qr/^[1-9]\d*\|\w{32}$/, "$what: there are histories");
	foreach my $how ('', 'SET parallel_leader_participation = off;', "SET work_mem = '64kB';")
	{
		my ($log, $got, $err) = logged($how, $query);

		is($got, $expected, "$what: the same $how");
		is(launched($log), 3, "$what: by three workers $how");
	}
}
is($node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE q.history = g.history OR q.history IS NULL AND g.history IS NULL)
	FROM clv_histories('SELECT k, t, a FROM orders', 7) AS q (k int, history clv_history)
	JOIN (SELECT k, clv_history(t, a, 7) AS history FROM orders GROUP BY k) g ON g.k IS NOT DISTINCT FROM q.k}),
	'4003|4003', 'the same as GROUP BY, with an occasion');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM clv_histories('SELECT k, t, a FROM orders WHERE k < 0') AS q (k int, history clv_history)}),
	'0', 'no rows');
is($node->safe_psql('postgres', q{
	SELECT count(*), count(*) FILTER (WHERE clv_purchases(history) > 0 AND clv_total_spend(history) > k)
	FROM clv_histories('SELECT k, t, k FROM orders WHERE k > 2') AS q (k int, history clv_history)}), '4000|4000',
	'a column twice');
is(left_behind(), '', 'nothing is left behind');

# ---- queries of every form, in every place of a statement ----

my $histories = q{FROM clv_histories('SELECT k, t, a FROM orders') AS q (k int, history clv_history)};
my $sum = "SELECT md5(string_agg(q::text, ';' ORDER BY k, history)) $histories";
my $expected = $node->safe_psql('postgres', "$serial $sum");

foreach (
	['UNION ALL', 'SELECT k, t, a FROM orders WHERE k % 2 = 0 UNION ALL SELECT k, t, a FROM orders
		WHERE k % 2 = 1 OR k IS NULL'],
	['a join', 'SELECT o.k, o.t, o.a FROM orders o LEFT JOIN (SELECT DISTINCT k FROM orders) c USING (k)'],
	['WITH', 'WITH o AS (SELECT * FROM orders) SELECT k, t, a FROM o'],
	['a look-up', "SELECT k, t + (SELECT min(0) FROM few) * interval ''1 day'', a FROM orders"])
{
	my ($what, $query) = @$_;
	my ($log, $got) = logged('', $sum =~ s/SELECT k, t, a FROM orders/$query/r);

	is($got, $expected, "$what: the same");
	cmp_ok(launched($log), '>', 0, "$what: by workers");
}
is($node->safe_psql('postgres', "BEGIN; CREATE TABLE made AS SELECT * $histories; INSERT INTO made SELECT * $histories;
	SELECT count(*), count(DISTINCT q::text) FROM made q; ROLLBACK"), '8006|4003', 'in statements that write');
is($node->safe_psql('postgres', q{
	SELECT n, count(*), count(history) FROM generate_series(1, 3) n,
		clv_histories('SELECT k, t, a FROM orders WHERE k % 4 = ' || n) AS q (k int, history clv_history)
	GROUP BY n ORDER BY n}), "1|1001|1000\n2|1001|1000\n3|1000|1000", 'one call after another in one statement');
is($node->safe_psql('postgres', "BEGIN; DECLARE c CURSOR FOR SELECT 1 $histories; MOVE 4000 c; FETCH ALL c; COMMIT"),
	"1\n1\n1", 'in a cursor');

# ---- few workers, and none ----

foreach my $workers (2, 1, 0)
{
	my ($log, $got) = logged("SET max_parallel_workers = $workers;", $sum);

	is($got, $expected, "the same where $workers can be had");
	is(launched($log), $workers, "and as many are launched");
}
foreach (
	['max_parallel_workers_per_gather = 0', $serial, $histories],
	['a limit of temporary files', "SET temp_file_limit = '1GB';", $histories],
	['an order', '', $histories =~ s/orders'/orders ORDER BY t'/r],
	['a limit of rows', '', $histories =~ s/orders'/orders LIMIT 1000000'/r],
	['a function that is not parallel safe', 'CREATE FUNCTION pg_temp.unsafe(int) RETURNS int LANGUAGE sql RETURN $1;',
		$histories =~ s/SELECT k,/SELECT pg_temp.unsafe(k),/r],
	['one for the leader alone',
		'CREATE OR REPLACE FUNCTION restricted(int) RETURNS int LANGUAGE plpgsql PARALLEL RESTRICTED
		AS $$BEGIN RETURN $1; END$$;', $histories =~ s/SELECT k,/SELECT restricted(k),/r],
	['a temporary table', 'CREATE TEMP TABLE mine AS TABLE orders;', $histories =~ s/orders/mine/r])
{
	my ($what, $before, $from) = @$_;
	my ($log, $got) = logged($before, "SELECT md5(string_agg(q::text, ';' ORDER BY k, history)) $from");

	is($got, $expected, "$what: the same");
	is(launched($log), -1, "$what: no workers for histories");
}

# a type whose functions are not said to be parallel safe
$node->safe_psql('postgres', 'ALTER FUNCTION hashint8(bigint) PARALLEL UNSAFE');
my ($log, $got) = logged('', $sum =~ s/SELECT k,/SELECT k::bigint,/r =~ s/k int/k bigint/r);
is($got, $expected, 'keys with functions that are not parallel safe: the same');
is(launched($log), -1, 'keys with functions that are not parallel safe: no workers for histories');
$node->safe_psql('postgres', 'ALTER FUNCTION hashint8(bigint) PARALLEL SAFE');

# ---- rights and snapshots are the caller's ----

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE seller;
ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON orders FOR SELECT TO seller USING (k % 10 = 3);
SQL
like((logged('SET ROLE seller;', $sum))[2], qr/ERROR:  permission denied for table orders/, 'no rights, no histories');
$node->safe_psql('postgres', 'GRANT SELECT ON orders TO seller');
($log, $got) = logged('SET ROLE seller;', "SELECT count(*), count(*) FILTER (WHERE k % 10 = 3) $histories");
is($got, '400|400', 'a policy holds in workers');
is(launched($log), 3, 'which there are');
is($node->safe_psql('postgres', "BEGIN; DELETE FROM orders WHERE k > 100; INSERT INTO orders VALUES (0, -5, now(), 1);
	SAVEPOINT s; INSERT INTO orders VALUES (0, -6, now(), 1); SELECT count(*), min(k), max(k) $histories;
	ROLLBACK TO s; SELECT count(*), min(k), max(k) $histories; ROLLBACK"), "103|-6|100\n102|-5|100",
	'workers see what the transaction sees');
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	my $other = 'host=' . $node->host . ' port=' . $node->port . ' dbname=postgres';
	my $out = $node->safe_psql('postgres', "CREATE EXTENSION IF NOT EXISTS dblink; BEGIN ISOLATION LEVEL $level;
		SELECT count(*) $histories;
		DO \$\$ BEGIN PERFORM dblink_exec('$other', 'INSERT INTO orders
			VALUES (0, -7, now(), 1)'); END \$\$;
		SELECT count(*) $histories; COMMIT; SELECT count(*) $histories; DELETE FROM orders WHERE k = -7");

	is($out, "4003\n4003\n4004", "and what it does not see at $level");
}

# ---- errors ----

# errors of rows that a worker may come to, and of queries and definitions
$node->safe_psql('postgres', q{
	CREATE TABLE bad AS SELECT k, t, a, CASE WHEN i = 59000 THEN 'NaN' ELSE a END AS nan,
		CASE WHEN i = 59000 THEN 'infinity' ELSE t END AS never, i - 59000 AS zero FROM orders;
	ALTER TABLE bad SET (parallel_workers = 3); ANALYZE bad});
foreach (
	['a bad amount', 'k, t, nan', 'k int'],
	['a bad time', 'k, never, a', 'k int'],
	['a bad row', 'k, t, a / zero', 'k int'],
	['another type', 'k::bigint, t, a', 'k int'],
	['no time', 'k, a, t', 'k int'],
	['too many columns', 'k, t, a, a', 'k int'],
	['no such column', 'customer, t, a', 'k int'])
{
	my ($what, $list, $keys) = @$_;
	my $query = "SELECT count(*) FROM clv_histories('SELECT $list FROM bad') AS q ($keys, history clv_history)";
	my $leader_off = 'SET parallel_leader_participation = off;';
	my ($message) = ((logged($serial, $query))[2] =~ /(ERROR: .*)/);
	my ($parallel) = ((logged($leader_off, $query))[2] =~ /(ERROR: .*)/);

	is($parallel, $message, "$what: the same error");
	is($node->safe_psql('postgres', "DO \$\$ BEGIN PERFORM count(*) FROM clv_histories('SELECT $list FROM bad')
		AS q ($keys, history clv_history); EXCEPTION WHEN OTHERS THEN END \$\$; $sum"), $expected,
		"$what: caught, and the session goes on");
	is(left_behind(), '', "$what: nothing is left behind");
}
like((logged('', $sum =~ s/SELECT k, t, a FROM orders/SELECT k, t, nan FROM bad/r))[2],
	qr/SQL statement "SELECT k, t, nan FROM bad"/, 'an error says in which query it is');

# ---- cancel, and workers that die ----

# Runs the query in a session, waits until as many workers as said do what the condition says, runs the other statement
# and returns the error of the first one.
sub disturbed
{
	my ($query, $condition, $statement) = @_;
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start(
		['psql', '-X', '-q', '-d', $node->connstr('postgres'),
			'-c', 'SET parallel_leader_participation = off', '-c', $query],
		'<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout(180));

	$node->poll_query_until('postgres', "SELECT $condition FROM pg_stat_activity
		WHERE backend_type = 'parallel worker'")
		or die 'workers do not come';
	$node->safe_psql('postgres', $statement);
	$run->finish;
	return $err;
}

# workers that read for a minute each; and two that have read, and wait for the third
my $reading = q{SELECT count(*) FROM clv_histories('SELECT k, t, a FROM orders WHERE pg_sleep(0.005) IS NOT NULL')
	AS q (k int, history clv_history)};
my $waiting = q{SELECT count(*)
	FROM clv_histories('SELECT k, t, a FROM orders WHERE i <> 5 OR pg_sleep(60) IS NOT NULL')
	AS q (k int, history clv_history)};
# the last of them to read has a million rows of one customer to make a history of, in no order
$node->safe_psql('postgres', q{
	CREATE TABLE heavy AS SELECT date '1000-01-01' + (i * 611953::bigint % 3000017)::int AS d
	FROM generate_series(1, 3000000) i;
	ALTER TABLE heavy SET (parallel_workers = 3); ANALYZE heavy});
my $making = q{SELECT count(*) FROM clv_histories('SELECT 1, d, 1 FROM heavy') AS q (k int, history clv_history)};
my $cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity
	WHERE query ~ 'clv_histories' AND backend_type = 'client backend' AND pid <> pg_backend_pid()";
my $kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE backend_type = 'parallel worker' ORDER BY wait_event = 'PgSleep' DESC LIMIT 1";

foreach (
	['while rows are read', $reading, "count(*) FILTER (WHERE wait_event = 'PgSleep') = 3"],
	['while workers wait for one', $waiting, "count(*) FILTER (WHERE wait_event = 'Extension') = 2"],
	['while histories are made', $making, "count(*) = 3 AND count(*) = count(*) FILTER (WHERE state = 'active')"])
{
	my ($when, $query, $condition) = @$_;

	like(disturbed($query, $condition, $cancel), qr/canceling statement due to user request/, "canceled $when");
	is(left_behind(), '', "canceled $when: nothing is left behind");
	like(disturbed($query, $condition, $kill), qr/terminating|lost connection to parallel worker/,
		"a worker dies $when: the statement fails");
	is(left_behind(), '', "a worker dies $when: nothing is left behind");
	is($node->safe_psql('postgres', $sum), $expected, "$when: and the next one is right");
}

unlike(slurp_file($node->logfile), qr/ (WARNING|PANIC):  |was terminated by signal/, 'the server has no complaint');

$node->stop;
done_testing();
