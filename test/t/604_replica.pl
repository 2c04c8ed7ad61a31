# Read replicas answer everything that reads, and the same to the byte.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nmax_parallel_workers_per_gather = 0");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	CREATE TABLE orders AS
	SELECT i % 3000 AS customer_id,
		   date '2020-01-01' + (i % 3000 * 7919 + k * (1 + i % 90)) % 700 AS ordered_at,
		   (5 + (i * 31 + k) % 50)::numeric AS amount
	FROM generate_series(1, 3000) i, generate_series(0, 5) k WHERE k <= i % 6;
	CREATE TABLE customer AS SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders
		GROUP BY customer_id;
	CREATE TABLE model AS SELECT clv_fit(history) AS model FROM customer;
	SET client_min_messages = warning;
	CALL clv_create_pipeline('shop', 'orders', 'customer_id', 'ordered_at', 'amount', as_of => '2021-12-01');
	CALL clv_refresh('shop')});
$node->backup('taken');

my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init_from_backup($node, 'taken', has_streaming => 1);
$replica->append_conf('postgresql.conf', "hot_standby_feedback = on\nwal_receiver_status_interval = 1");
$replica->start;
is($replica->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'the replica is one');

foreach (
	['histories', q{SELECT count(*), md5(string_agg(h.history::text, '' ORDER BY customer_id))
		FROM (SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders GROUP BY customer_id) h}],
	['histories of a query, in temporary files',
		q{SET work_mem = '64kB'; SELECT count(*), md5(string_agg(h.history::text, '' ORDER BY customer_id))
		FROM clv_histories('SELECT customer_id, ordered_at, amount
							FROM orders') AS h (customer_id int, history clv_history)}],
	['a fit', q{SELECT clv_fit(history) FROM customer}],
	['predictions',
		q{SELECT sum((p).clv), sum((p).clv_high)
		  FROM (SELECT clv_predict(model, history, discount_rate => 0.1, level => 0.9) AS p
				FROM customer, model OFFSET 0) q}],
	['scores', q{SELECT md5(string_agg(s::text, '' ORDER BY customer_id))
		FROM (SELECT customer_id, rfmtc_score(history, model) OVER () AS s FROM customer, model) q}],
	['segments by the quick look', q{SELECT segment, count(*)
		FROM segment_assign('orders', 'customer_id', 'ordered_at', 'amount') GROUP BY 1 ORDER BY 1}],
	['a back-test', q{SELECT clv_backtest('customer', 'history', '2021-03-01', '6 months')}],
	['the views of a pipeline', q{SELECT sum(s.customers) FROM shop.segments s}])
{
	my ($name, $query) = @$_;
	my $expected = $node->safe_psql('postgres', "SET client_min_messages = error; $query");

	isnt($expected, '', "$name on the primary");
	is($replica->safe_psql('postgres', "SET client_min_messages = error; $query"), $expected, "$name on the replica");
}

# ---- while the primary refreshes, the views on the replica show the whole of one run at any time ----

# refresh(): one more customer, and all made anew
sub refresh
{
	$node->safe_psql('postgres', q{SET client_min_messages = error;
		INSERT INTO orders SELECT max(customer_id) + 1, '2021-06-01', 9 FROM orders; CALL clv_refresh('shop', 'full')});
	return;
}
my $whole = q{SELECT e.customers, (SELECT count(*) FROM shop.customers) = e.customers
	AND (SELECT sum(s.customers) FROM shop.segments s) = e.customers FROM shop.equity e};
my $first = $replica->safe_psql('postgres', 'SELECT customers FROM shop.equity');
my $child = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c',
	q{SET client_min_messages = error}, map { ('-c', q{INSERT INTO orders SELECT max(customer_id) + 1, '2021-06-01', 9
		FROM orders}, '-c', q{CALL clv_refresh('shop', 'full')}) } 1 .. 4 ], '<', \undef, '>', \my $said);
my %seen;
while ($child->pumpable && !$seen{ $first + 4 })
{
	$seen{ $replica->safe_psql('postgres', $whole) =~ s/\|t$//r }++;
	$child->pump_nb;
}
$child->finish;
$node->wait_for_catchup($replica);
$seen{ $replica->safe_psql('postgres', $whole) =~ s/\|t$//r }++;
is(join(' ', grep { !/^\d+$/ } sort keys %seen), '', 'on the replica every statement sees the whole of one run');
is((sort { $a <=> $b } keys %seen)[-1], $first + 4, 'and the last one, in the end (seen: '
	. join(' ', map { "$_ x $seen{$_}" } sort keys %seen) . ')');

# a transaction there that is older than three refreshes; the primary knows of it by feedback
my $reader = $replica->background_psql('postgres');
$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
my $before = $reader->query_safe('SELECT customers FROM shop.equity');
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_stat_replication WHERE backend_xmin IS NOT NULL')
  or die 'no feedback';
refresh() foreach 1 .. 3;
$node->wait_for_catchup($replica);
is($reader->query_safe('SELECT count(*) FROM shop.customers'), $before,
	'a transaction on the replica sees the customers of its run after three refreshes');
is($reader->query_safe('SELECT sum(customers) FROM shop.segments'), $before, 'as in its segments');
is($replica->safe_psql('postgres', $whole), ($before + 3) . '|t', 'and others the last run');
$reader->query_safe('COMMIT');
$reader->quit;

$replica->stop;
$node->stop;
done_testing();
