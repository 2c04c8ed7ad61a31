# Long work that is told to stop stops at once, and the session works on.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('cancel');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nmax_parallel_workers_per_gather = 0\nwork_mem = '256MB'");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	CREATE TABLE customer AS
	SELECT i AS customer_id, clv_history(date '2020-01-01' + (i * 7919 + k * (1 + i % 90)) % 700, 5 + (i * 31 + k) % 50) AS history
	FROM generate_series(1, 2000) i, generate_series(0, 5) k WHERE k <= i % 6 GROUP BY i;
	CREATE TABLE many AS SELECT c.history FROM customer c, generate_series(1, 200);
	CREATE TABLE model AS
	SELECT clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2022-06-01')
		   || clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}') AS model;
	CREATE TABLE answer AS
	SELECT (SELECT clv_history_rollup(history) FROM customer) AS history, (SELECT clv_fit(history) FROM customer) AS model,
		   (SELECT rfmtc_cuts(history, '2022-06-01') FROM customer) AS cuts;
	ANALYZE});

# what is canceled, the query, and the time (ms) it is given first
my @long = (
	['history of many rows', q{SELECT count(h) FROM (SELECT clv_history(date '1900-01-01' + i % 5000, 1) AS h FROM generate_series(1, 60000000) i GROUP BY i % 97) g}, 700],
	['history: the order of one customer', q{SELECT clv_purchases(clv_history(date '1000-01-01' + (i * 611953::bigint % 3000017)::int, 1)) FROM generate_series(1, 30000000) i}, 2500],
	['histories of a query: rows coming in', q{SELECT count(*) FROM clv_histories('SELECT i, date ''1900-01-01'' + i % 5000 FROM generate_series(1, 60000000) i') AS h (customer int, history clv_history)}, 2500],
	# the rows are in before the time is over, and lie in one partition
	['histories of a query: the making', q{SELECT count(*) FROM clv_histories('SELECT 1, date ''1000-01-01'' + (i * 611953::bigint % 3000017)::int, 1 FROM generate_series(1, 4000000) i') AS h (customer int, history clv_history)}, 1800],
	['merge of histories', q{SELECT clv_history_rollup(m.history) FROM many m, generate_series(1, 1000)}, 500],
	['fit: cells coming in', q{SELECT clv_fit(i % 7, 1 + i % 7 + (i % 1000003) / 1e6, 20 + (i % 900001) / 1e6, 3) FROM generate_series(1, 60000000) i}, 1500],
	# the rows are in before the time is over: these two stop in the fit itself
	['fit: the steps', q{SELECT clv_fit(i % 7, (i % 7 > 0)::int * (1 + i % 7 + i / 1e6), 20 + i / 1e6, 3) FROM generate_series(1, 1200000) i}, 2200],
	['fit: the steps of a heavy model', q{SELECT clv_fit(i % 7, (i % 7 > 0)::int * (1 + i % 7 + i / 1e6), 20 + i / 1e6, 3, clv_options(model => 'pareto/nbd')) FROM generate_series(1, 400000) i}, 1500],
	['predict', q{SELECT sum(p.clv) FROM model m, many c, generate_series(1, 100), clv_predict(m.model, c.history, discount_rate => 0.1, level => 0.9) p}, 500],
	['predict: far quantiles', q{SELECT sum(clv_value_quantile(m.model, c.history, '900 years', 0.999999)) FROM model m, many c, generate_series(1, 100)}, 500],
	['score', q{SELECT count(s) FROM (SELECT rfmtc_score(c.history, m.model, '2022-06-01') OVER () AS s FROM model m, many c, generate_series(1, 30)) t}, 2500],
	['cuts', q{SELECT rfmtc_cuts(c.history, '2022-06-01', m.model) FROM model m, many c, generate_series(1, 100)}, 1000],
	['total', q{SELECT clv_predict_total(m.model, c.history, '1 year', 0.1, 1, '2022-06-01', 0.9) FROM model m, many c, generate_series(1, 100)}, 700],
	['back-test', q{SELECT count(*) FROM generate_series(1, 1000) i, clv_backtest('many', 'history', date '2021-02-01' + i * 0, '6 months')}, 700]);

foreach (@long)
{
	my ($name, $query, $wait) = @$_;
	# the time is taken by the server, from the moment the timeout was due; the answers after it come from the same session
	my ($rc, $out, $err) = $node->psql('postgres', qq{
		\\set VERBOSITY sqlstate
		SET client_min_messages = error;
		SET statement_timeout = $wait;
		SELECT set_config('clv_test.start', extract(epoch FROM clock_timestamp())::text, false) \\g /dev/null
		$query;
		SET statement_timeout = 0;
		SELECT extract(epoch FROM clock_timestamp()) - current_setting('clv_test.start')::numeric - $wait / 1000.0;
		SELECT (SELECT clv_history_rollup(history) FROM customer) = history AND (SELECT clv_fit(history) FROM customer) = model
			   AND (SELECT rfmtc_cuts(history, '2022-06-01') FROM customer) = cuts FROM answer;
	}, on_error_stop => 0);
	my ($late, $right) = $out =~ /^(-?[\d.]+)\n(\w)$/;

	is($rc, 0, "$name: the session stands");
	like($err, qr/ERROR:\s+57014\s*$/, "$name: canceled");
	cmp_ok($late // 99, '<', 1, sprintf('%s: at once (%.2f s)', $name, $late // 99));
	is($right // $out, 't', "$name: and the answers afterwards are right");
}

$node->stop;
done_testing();
