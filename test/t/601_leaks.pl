# However often a function is called in one statement, by the hundred thousand or failing each time: memory does not
# grow.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('leaks');
$node->init;
$node->append_conf('postgresql.conf',
	"jit = off\nfsync = off\nlog_min_messages = panic\nlog_min_error_statement = panic\n"
	. 'max_parallel_workers_per_gather = 0');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	CREATE TABLE given AS
	SELECT clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2021-06-01')
		   || clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}') AS model,
		   clv_model('pareto/nbd', '{"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}', '1 week',
			   '2021-06-01') AS pareto,
		   clv_history(date '2020-01-01' + i * 40, i) AS history
	FROM generate_series(0, 5) i;
	CREATE TABLE cuts AS SELECT rfmtc_cuts(clv_history, '2021-06-01') AS cuts
	FROM (SELECT clv_history(date '2020-01-01' + i, i) FROM generate_series(1, 50) i GROUP BY i) h;
	-- what the backend holds after a query minus what it held before it, at the end of the query while its contexts
	-- still exist
	CREATE FUNCTION held() RETURNS bigint LANGUAGE sql VOLATILE AS 'SELECT sum(total_bytes)::bigint
		FROM pg_backend_memory_contexts';
	CREATE FUNCTION grown(expression text, calls int, OUT early bigint, OUT late bigint) LANGUAGE plpgsql AS $$
	DECLARE
		row record;
	BEGIN
		-- one statement; memory is looked at on its way, at an eighth and at the end
		FOR row IN EXECUTE pg_catalog.format('SELECT CASE WHEN i IN (%s, %s) THEN held() END AS held, %s AS value '
			'FROM given g, cuts c, generate_series(1, %s) i', calls / 8, calls, expression, calls)
		LOOP
			IF row.held IS NOT NULL THEN
				early := coalesce(early, row.held);
				late := row.held;
			END IF;
		END LOOP;
	END $$;
	CREATE FUNCTION failing(expressions text[], times int, OUT early bigint, OUT late bigint, OUT caught bigint)
	LANGUAGE plpgsql AS $$
	BEGIN
		caught := 0;
		FOR i IN 1 .. times LOOP
			BEGIN
				EXECUTE 'SELECT ' || expressions[1 + i % cardinality(expressions)] || ' FROM given g, cuts c';
			EXCEPTION WHEN OTHERS THEN
				caught := caught + 1;
			END;
			IF i = times / 8 THEN early := held(); END IF;
		END LOOP;
		late := held();
	END $$});

my @expressions = (
	# values change from call to call, so that what a call site caches is replaced again and again
	['predict', q{(clv_predict(g.model, g.history, as_of => date '2021-06-01' + i % 500, level => 0.9)).clv}, 20000],
	['predict by two models',
		q{clv_value(CASE WHEN i % 2 = 0 THEN g.model
			ELSE g.pareto || clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 16}') END, g.history, '1 year',
			0.1, as_of => date '2021-06-01' + i % 500)}, 40000],
	['p_alive, pareto', q{clv_p_alive(g.pareto, g.history, date '2021-06-01' + i % 500)}, 40000],
	['numbers',
		q{clv_p_alive(g.model, i % 9, i % 9, 20 + i % 50)
			+ clv_expected_purchases(g.model, i % 9, i % 9, 20 + i % 50, 52)}, 100000],
	['quantile', q{clv_purchase_quantile(g.model, g.history, '1 year', 0.5 + i % 40 / 100.0)}, 20000],
	['lifetime value', q{clv_lifetime_value(g.model, g.history, 0.1 + i % 9 / 100.0)}, 40000],
	['forecast',
		q{(SELECT sum(f.clv)
		   FROM clv_forecast(g.model, g.history, 3, '1 month', 0.1, 1, date '2021-06-01' + i % 500) f)}, 15000],
	['new customer', q{(clv_new_customer(g.model, '1 year', 0.1 + i % 9 / 100.0)).repeat_value}, 30000],
	['history: accessors',
		q{clv_purchases(g.history, date '2020-01-01' + i % 300)
			+ clv_total_spend(g.history, date '2020-01-01' + i % 300)}, 100000],
	['history: log', q{(SELECT count(*) FROM clv_purchase_log(g.history) l WHERE l.amount <> i)}, 30000],
	['history: text', q{((g.history::text || pg_catalog.repeat(' ', i % 3))::clv_history)::text}, 50000],
	['history: jsonb', q{((g.history::jsonb)::clv_history || g.history)::jsonb}, 30000],
	['histories of a query',
		q{(SELECT count(*)
		   FROM clv_histories('SELECT i % 5, date ''2020-01-01'' + i, ' || i
					|| ' / 7.0 FROM generate_series(1, 20) i') AS h (c int, history clv_history))}, 10000],
	['summary', q{(clv_summary(g.history, date '2021-06-01' + i % 300)).t_x}, 50000],
	['rfmtc', q{(rfmtc(g.history, date '2021-06-01' + i % 300, g.model)).churn}, 50000],
	['model: text', q{((g.model::text || pg_catalog.repeat(' ', i % 3))::clv_model)::text}, 30000],
	['model: jsonb', q{((g.model::jsonb)::clv_model)::jsonb || pg_catalog.jsonb_build_object('i', i)}, 30000],
	['model: written',
		q{clv_model('mbg/nbd', pg_catalog.jsonb_build_object('r', i, 'alpha', 1, 'a', 1, 'b', 2), '1 week')
			|| clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}')}, 30000],
	['options', q{clv_options(penalty => i, covariates => ARRAY['a', 'b' || i])}, 30000],
	['scores by cuts', q{(rfmtc_score(g.history, c.cuts, date '2021-06-01' + i % 300)).r}, 50000],
	['calendar: text',
		q{(SELECT (clv_calendar(date '2022-01-03' + 7 * k, ARRAY[i + k], '{n}')::text::clv_calendar)::jsonb
		   FROM generate_series(1, 9) k)}, 20000],
	['a path each row',
		q{clv_expected_purchases(clv_with_calendar(
			('{"version":1,"time_unit":"7 days","as_of":"2022-06-01","purchase":{"family":"pareto/nbd","path":1,'
				|| '"parameters":{"r":1,"alpha":8,"s":1,"beta":9},"covariates":[{"name":"n","purchase":0.1}]}}'
			)::clv_model,
			(SELECT clv_calendar(date '2015-01-05' + 90 * k, ARRAY[(i + k) % 7], '{n}') FROM generate_series(1, 40) k)),
			g.history, '1 year')}, 4000],
	['cuts: text', q{(c.cuts::text::clv_cuts)::jsonb}, 20000],
	['segment',
		q{segment_assign(ROW(1 + i % 5, 1 + i % 4, 3, 2, 1, 1, NULL)::clv_scores,
			(ARRAY['rfm', 'rf', 'micro'])[1 + i % 3])}, 50000],
	['segment by lists of rules',
		q{segment_assign(ROW(1 + i % 5, 1, 1, 1, 1, 1, NULL)::clv_scores, '[{"segment": "s' || i || '"}]')}, 30000]);

foreach (@expressions)
{
	my ($name, $expression, $calls) = @$_;
	my ($rc, $out, $err) = $node->psql('postgres', "SELECT early, late FROM grown(\$e\$$expression\$e\$, $calls)");
	my ($early, $late) = split /\|/, $out;

	# a leak of 8 bytes a call would show with most of these; blocks are taken by powers of two
	ok($rc == 0 && $late - $early < 160 * 1024,
		sprintf('%s: %d calls, %d kB more', $name, $calls, (($late // 0) - ($early // 0)) / 1024))
		or diag $err;
}

my $errors = q{ARRAY[$e$'{"version": 1}'::clv_model$e$,
	$e$'{"occasion":1,"days":[["2020-01-01",1],["x",2]]}'::clv_history$e$, $e$'{"bins": 5}'::clv_cuts$e$,
	$e$clv_predict(g.model, g.history, horizon => '-1 day')$e$, $e$clv_predict(g.model, g.history, level => 2)$e$,
	$e$clv_p_alive(g.pareto, 3, 5, 2)$e$, $e$clv_options(model => 'x')$e$, $e$clv_fit(1, 5, 2, 3)$e$,
	$e$clv_fit(g.history)$e$,
	$e$segment_assign('(1,1,1,1,,)', 'no such map')$e$, $e$segment_assign('(1,1,1,1,,)', '[{"segment": 3}]')$e$,
	$e$clv_history(date 'infinity', 1)$e$,
	$e$(SELECT 1
		FROM clv_histories('SELECT i, date ''2020-01-01'', 1 / (9999 - i)
							FROM generate_series(1, 9999) i') AS h (c int, history clv_history))$e$,
	$e$clv_model('bg/nbd', '{"r": -1}', '1 week')$e$, $e$rfmtc_cuts(g.history, '2021-06-01', NULL, 1)$e$]};
my ($rc, $out, $err) = $node->psql('postgres', "SELECT early, late, caught FROM failing($errors, 20000)");
my ($early, $late, $caught) = split /\|/, $out;
is($rc, 0, 'errors are caught') or diag $err;
is($caught, 20000, 'each of them');
cmp_ok($late - $early, '<', 512 * 1024, sprintf('and leave nothing: %d kB more', ($late - $early) / 1024));

$node->stop;
done_testing();
