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

$replica->stop;
$node->stop;
done_testing();
