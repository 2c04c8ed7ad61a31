-- clv_shock and clv_with_shock: shops with what moves everybody and without, the weeks that are used, models that keep
-- it, widths of totals, errors.
SET client_min_messages = warning;
CREATE SCHEMA validate_shock;
SET search_path = validate_shock, public;
CREATE FUNCTION pg_temp.same(a float8, b float8) RETURNS bool LANGUAGE sql
RETURN abs(a - b) <= 1e-12 * greatest(1, abs(b));

-- two years of weeks that are good or bad for all customers, three at a time; and the same customers without them
CREATE TABLE truth AS
SELECT '{"version": 1, "time_unit": "1 week", "purchase": {"family": "pareto/nbd",
		 "parameters": {"r": 0.6, "alpha": 5, "s": 0.6, "beta": 12},
		 "covariates": [{"name": "weeks", "centre": 0, "purchase": 0.4, "churn": 0}]}}'::clv_model AS model,
	   (SELECT clv_calendar(date '2015-01-05' + 21 * i, CASE WHEN i < 36 THEN ARRAY[(i * 7919 % 13 - 6) / 4.0] END,
							'{weeks}')
		FROM generate_series(0, 36) i) AS calendar;
CREATE TABLE moved AS
SELECT clv_history(day, amount::numeric) AS history
FROM truth, clv_simulate(model || clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}'), 1500, '2015-01-05',
						 '2017-01-01', 2, calendar)
GROUP BY customer;
CREATE TABLE calm AS
SELECT clv_history(day) AS history
FROM clv_simulate(clv_model('pareto/nbd', '{"r": 0.6, "alpha": 5, "s": 0.6, "beta": 12}', '1 week'), 1500, '2015-01-05',
				  '2017-01-01', 2)
GROUP BY customer;
CREATE TABLE fitted AS
SELECT (SELECT clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '2017-01-01', shock => false)) FROM moved)
		   AS moved,
	   (SELECT clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '2017-01-01', spend => 'none',
											shock => false)) FROM calm) AS calm;
CREATE TABLE shock AS
SELECT clv_shock('moved', 'history', moved) AS moved, clv_shock('calm', 'history', calm) AS calm FROM fitted;
SELECT (moved).weeks, (moved).sd BETWEEN 0.2 AND 0.6 AS sd, (moved).correlation BETWEEN 0.4 AND 0.9 AS correlation,
	   (moved).evidence > 10 AS evidence, (calm).weeks, (calm).sd, (calm).correlation, (calm).evidence < 2 AS none
FROM shock;

-- --- the weeks are those of clv_tracking up to as_of, the others are not looked at ---
SELECT clv_internal.clv_shock_estimate(array_agg(actual::float8 ORDER BY number), array_agg(expected ORDER BY number))
		   = (SELECT s.moved FROM shock s) AS tracked
FROM fitted, clv_tracking('moved', 'history', moved, '1 week', date '2017-01-01' - 7 * 103, '2017-01-01');
SELECT (clv_shock('moved', 'history', moved, '2016-01-03')).weeks = 51 AS earlier FROM fitted;

-- --- a model keeps it ---
CREATE TABLE kept AS
SELECT clv_with_shock(f.moved, s.moved) AS model, f.moved AS without, s.moved AS shock FROM fitted f, shock s;
SELECT clv_shock(model) = shock AS shock, clv_shock(without) IS NULL AS none,
	   clv_with_shock(model, NULL) = without AS taken, clv_with_shock(without, NULL) = without AS not_given,
	   clv_with_shock(NULL, shock) IS NULL AS no_model,
	   clv_with_shock(model, ROW(104, 0, 0, 0, 1, 0, 0)::clv_common_shock) = without AS not_told,
	   model::text::clv_model = model AS text, model::jsonb::clv_model = model AS json, model <> without AS other
FROM kept;
SELECT model::jsonb #- '{purchase,shock}' = without::jsonb AS rest,
	   model::jsonb #> '{purchase,shock}' = jsonb_build_object(
		   'weeks', (shock).weeks, 'sd', (shock).sd, 'lasting', (shock).lasting, 'correlation', (shock).correlation,
		   'evidence', (shock).evidence, 'past', (shock).past, 'link', (shock).link) AS shock
FROM kept;
-- what is derived from it keeps it, and expectations and comparisons do not ask for it
SELECT clv_shock(clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}', NULL, '2017-01-01')
				 || clv_with_shock(calm, ROW(20, 0.1, 0.5, 0.5, 9, 0, 0)::clv_common_shock)) AS joined
FROM fitted;
SELECT clv_compare(k.model, e.larger) = clv_compare(k.without, e.larger) AS compared,
	   clv_expected_purchases(k.model, 10) = clv_expected_purchases(k.without, 10) AS expected,
	   (SELECT clv_pool(m) FROM (VALUES (k.model), (e.first)) v (m))
	   = (SELECT clv_pool(m) FROM (VALUES (k.without), (e.first)) v (m)) AS pooled
FROM kept k, (
	SELECT clv_fit(history, clv_options(model => 'ggompertz/nbd', as_of => '2017-01-01', spend => 'none')) AS larger,
		   clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '2016-01-01')) AS first
	FROM moved) e;

-- --- a fit finds it itself: from histories, from cells, and from cells taken apart ---
CREATE FUNCTION pg_temp.near(a clv_common_shock, b clv_common_shock) RETURNS bool LANGUAGE sql
RETURN (a).weeks = (b).weeks AND abs((a).sd / (b).sd - 1) < 1e-9 AND abs((a).lasting - (b).lasting) < 1e-9
	AND abs((a).correlation - (b).correlation) < 1e-9 AND abs((a).evidence / (b).evidence - 1) < 1e-9
	AND abs((a).past / (b).past - 1) < 1e-9 AND abs((a).link - (b).link) < 1e-9;
CREATE TABLE option AS
SELECT clv_options(model => 'pareto/nbd', as_of => '2017-01-01', shock => true) AS options;
CREATE TABLE itself AS
SELECT (SELECT clv_fit(history, options) FROM moved) AS moved,
	   (SELECT clv_fit(history, options || '{"spend": "none"}') FROM calm) AS calm,
	   (SELECT clv_cells(history, options) FROM moved) AS cells
FROM option;
SELECT pg_temp.near(clv_shock(i.moved), s.moved) AS moved, clv_with_shock(i.moved, NULL) = f.moved AS rest,
	   i.calm = f.calm AS calm
FROM itself i, shock s, fitted f;
CREATE FUNCTION pg_temp.fit(cells clv_cells, options jsonb DEFAULT NULL) RETURNS clv_model LANGUAGE sql
AS 'SELECT clv_fit(cells, options)';
SELECT i.moved = pg_temp.fit(i.cells) AS from_cells, i.moved = pg_temp.fit(i.cells::text::clv_cells) AS text,
	   i.moved = pg_temp.fit(few.cells + (i.cells - few.cells)) AS taken_apart,
	   pg_temp.fit(i.cells, options || '{"shock": false}') = f.moved AS without
FROM itself i, fitted f, (SELECT clv_cells(m.history, o.options) AS cells, o.options
						  FROM option o, (SELECT history FROM moved ORDER BY history LIMIT 10) m GROUP BY 2) few;
SELECT i.moved = clv_fit(c.cells) AS parts
FROM itself i, (SELECT n % 5, clv_cells(history, options) AS cells
				FROM option, (SELECT history, row_number() OVER (ORDER BY history) AS n FROM moved) m GROUP BY 1) c
GROUP BY i.moved;
-- of the last 1040 weeks alone, where one customer came back after more
CREATE VIEW late AS
SELECT history FROM moved UNION ALL SELECT clv_history(day) FROM unnest('{2015-01-05,2036-01-02}'::date[]) day;
SELECT pg_temp.near(clv_shock(fit), clv_shock('late', 'history', fit)) AS near
FROM (SELECT clv_fit(history, '{"model": "bg/nbd", "as_of": "2036-01-10", "spend": "none"}') AS fit FROM late) f;
-- without being asked, where there are days; and of few customers who buy a lot, each group in a state of its own
SELECT i.moved = (SELECT clv_fit(history, options - 'shock') FROM moved) AS by_default,
	   (SELECT clv_cells(history, options - 'shock') = clv_cells(history, options || '{"shock": "auto"}') FROM moved)
		   AS auto,
	   pg_temp.fit(c.none) = f.moved AS without_days
FROM itself i, option o, fitted f,
	 (SELECT clv_cells(history, options || '{"shock": false}') AS none FROM option, moved) c;
CREATE TABLE few AS
SELECT part, clv_fit(history, given) AS fit, clv_cells(history, given) AS cells, count(*) AS customers,
	   sum(clv_purchases(history) - 1) AS repeats
FROM (SELECT history, row_number() OVER (ORDER BY history) AS n FROM moved) m,
	 LATERAL (SELECT CASE WHEN n % 15 = 0 THEN 0 WHEN n % 15 = 1 THEN 1 WHEN n % 30 = 2 THEN 2 END AS part) p,
	 (SELECT clv_options(as_of => '2017-01-01', spend => 'none') AS given) o
WHERE part IS NOT NULL
GROUP BY 1;
SELECT part, customers, repeats > 512 AS many, (clv_shock(fit)).sd > 0.2 AS told,
	   fit = pg_temp.fit(cells::text::clv_cells) AS same
FROM few ORDER BY 1;
SELECT pg_temp.fit(a.cells + b.cells) = (SELECT clv_fit(cells) FROM few WHERE part < 2) AS merged
FROM few a, few b WHERE a.part = 0 AND b.part = 1;
-- of another family, with covariates, a season, and as of a day in the past
CREATE VIEW grouped AS
SELECT history, ARRAY[extract(day FROM clv_first_purchase(history))::int % 2,
					  extract(dow FROM clv_first_purchase(history))] AS traits
FROM moved;
SELECT k.name, pg_temp.near(clv_shock(k.fit), clv_shock('grouped', 'history', k.fit, covariates => k.traits)) AS near,
	   (clv_shock(k.fit)).sd > 0.2 AS told
FROM (
	SELECT 'family', NULL, clv_fit(history, '{"model": "mbg/nbd", "as_of": "2016-10-15", "shock": true}') FROM grouped
	UNION ALL
	SELECT 'season', NULL, clv_fit(history, '{"model": "bg/nbd", "season": 1, "as_of": "2016-12-31", "shock": true}')
	FROM grouped
	UNION ALL
	SELECT 'covariates', 'traits', clv_fit(history, options || '{"covariates": ["odd", "weekday"]}', traits)
	FROM grouped, option) k (name, traits, fit);
-- by default with few combinations of covariates
SELECT clv_shock(clv_fit(history, options - 'shock' || '{"covariates": ["odd"]}', traits[:1])) IS NOT NULL AS two,
	   clv_shock(clv_fit(history, options - 'shock' || '{"covariates": ["odd", "weekday"]}', traits)) IS NULL
		   AS fourteen
FROM grouped, option;

-- --- widths of totals: as the definition has them, term by term ---
CREATE TABLE total AS
SELECT clv_predict_total(k.without, m.history, '12 weeks', 0, 1, '2017-01-01', 0.9) AS without,
	   clv_predict_total(k.model, m.history, '12 weeks', 0, 1, '2017-01-01', 0.9) AS t
FROM kept k, moved m;
WITH tau AS (
	SELECT (moved).sd ^ 2 * ((SELECT sum(CASE WHEN i = j THEN 1
									ELSE (moved).lasting * (moved).correlation ^ abs(i - j) END)
							  / 144 FROM generate_series(1, 12) i, generate_series(1, 12) j)
		   + (moved).past - 2 * (moved).link * (SELECT avg((moved).correlation ^ i) FROM generate_series(1, 12) i))
			   AS variance
	FROM shock
)
SELECT pg_temp.same(((t).purchases_high - (t).expected_purchases) ^ 2,
			((without).purchases_high - (t).expected_purchases) ^ 2
			+ (1.6448536269514722 * (t).expected_purchases) ^ 2 * variance) AS purchases,
	   pg_temp.same((t).purchases_high - (t).expected_purchases, (t).expected_purchases - (t).purchases_low) AS low,
	   pg_temp.same(((t).value_high - (t).expected_value) ^ 2 / 1e6,
			(((without).value_high - (t).expected_value) ^ 2
			+ (1.6448536269514722 * (t).expected_value) ^ 2 * variance) / 1e6) AS value,
	   pg_temp.same((t).value_high - (t).expected_value, (t).expected_value - (t).value_low) AS value_low,
	   (t).purchases_high - (t).purchases_low > 1.2 * ((without).purchases_high - (without).purchases_low) AS wider
FROM total, tau;
-- the rest is that of the model without it, and so are the columns that say so
SELECT row_to_json(t)::jsonb - '{purchases_low,purchases_high,value_low,value_high}'::text[]
	   = row_to_json(without)::jsonb - '{purchases_low,purchases_high,value_low,value_high}'::text[] AS rest,
	   (without).purchases_low = (without).purchases_low_without_shock AS low,
	   (without).purchases_high = (without).purchases_high_without_shock AS high,
	   (without).value_low = (without).value_low_without_shock AS value_low,
	   (without).value_high = (without).value_high_without_shock AS value_high
FROM total;
-- parts of the customers add up to the bit, in any form of the sums
WITH piece AS (
	SELECT clv_sums(k.model, m.history, '12 weeks', 0, 1, '2017-01-01', 0.9) AS sums
	FROM kept k, (SELECT history, row_number() OVER () AS i FROM moved) m GROUP BY i % 7
)
SELECT clv_predict_total(sums::text::clv_sums) = (SELECT t FROM total) AS merged FROM piece;
-- a longer horizon has less of it, relative to it; after the day of the model nothing is known of the last weeks
SELECT bool_and(width < before) AS shrinks
FROM (
	SELECT width, lag(width) OVER (ORDER BY weeks) AS before
	FROM (SELECT weeks, clv_internal.clv_shock_width(model, '2017-01-01', 7 * weeks, 0.9) AS width
		  FROM kept, generate_series(1, 105, 4) weeks) q
) q;
SELECT pg_temp.same(clv_internal.clv_shock_width(clv_with_shock(model, known), day, 7, 0.95),
		   1.959963984540054 * 2 * sqrt(1.3 - 2 * 0.4 * 0.5 ^ (1 + greatest(day - '2017-01-01', 0) / 7.0))) AS gap
FROM kept, (SELECT ROW(20, 2, 1, 0.5, 9, 0.3, 0.4)::clv_common_shock AS known) k,
	 unnest('{2016-06-01,2017-01-01,2017-01-22,2020-01-05}'::date[]) day;
-- customers with horizons of their own, and groups: what moves them all moves them together
CREATE FUNCTION pg_temp.moved_by(t clv_total) RETURNS float8 LANGUAGE sql
RETURN sqrt(((t).purchases_high - (t).expected_purchases) ^ 2
			- ((t).purchases_high_without_shock - (t).expected_purchases) ^ 2);
CREATE TABLE part AS
SELECT clv_predict_total(model, history, '4 weeks') AS a, clv_predict_total(model, history, '1 year') AS b,
	   (SELECT clv_predict_total(model, history, h)
		FROM kept, moved, unnest('{4 weeks,1 year}'::interval[]) h) AS whole
FROM kept, moved;
SELECT pg_temp.same(pg_temp.moved_by(whole), pg_temp.moved_by(a) + pg_temp.moved_by(b)) AS horizons,
	   pg_temp.same(pg_temp.moved_by(g.t), pg_temp.moved_by(a) + pg_temp.moved_by(b)) AS groups,
	   pg_temp.same(((g.t).value_high - (g.t).expected_value) ^ 2
			- ((g.t).value_high_without_shock - (g.t).expected_value) ^ 2,
			(sqrt(((a).value_high - (a).expected_value) ^ 2
				  - ((a).value_high_without_shock - (a).expected_value) ^ 2)
			 + sqrt(((b).value_high - (b).expected_value) ^ 2
					- ((b).value_high_without_shock - (b).expected_value) ^ 2)) ^ 2) AS values,
	   pg_temp.same(((g.t).purchases_high_without_shock - (g.t).expected_purchases) ^ 2,
			((a).purchases_high_without_shock - (a).expected_purchases) ^ 2
			+ ((b).purchases_high_without_shock - (b).expected_purchases) ^ 2) AS without
FROM part, LATERAL (SELECT clv_totals(v.t) AS t FROM (VALUES (a), (b)) v (t)) g;
-- a negative value stays negative
SELECT (t).value_low < (t).value_low_without_shock AS loss, (t).value_high <= 0 AS no_gain,
	   (t).expected_value < 0 AS negative
FROM (SELECT clv_predict_total(model, history, '1 week', 0, -1) AS t FROM kept, moved) q;
-- a campaign without a control group is held against what a model that keeps it predicts
CREATE TABLE past AS
SELECT m AS without, clv_with_shock(m, clv_shock('moved', 'history', m)) AS early
FROM (SELECT clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '2016-06-30', shock => false)) AS m
	  FROM moved) f;
SELECT with_shock.measure, with_shock.difference = without.difference AS same,
	   with_shock.difference_high - with_shock.difference_low > 1.2 * (without.difference_high - without.difference_low)
		   AS wider
FROM (SELECT (unnest(clv_campaign(true, history, early, '2016-07-01', '2016-09-22'))).* FROM past, moved) with_shock
JOIN (SELECT (unnest(clv_campaign(true, history, without, '2016-07-01', '2016-09-22'))).* FROM past, moved) without
	USING (measure);
-- two weeks tell nothing
SELECT clv_shock('moved', 'history', moved, '2015-01-20') = ROW(2, 0, 0, 0, 0, 0, 0)::clv_common_shock AS few
FROM fitted;

-- --- NULLs, errors, odd names ---
CREATE SCHEMA "Odd ""Shock""";
CREATE TABLE "Odd ""Shock"""."$1; {histories}" AS SELECT history AS "His""tory $2" FROM moved;
SELECT clv_shock('"Odd ""Shock"""."$1; {histories}"', 'His"tory $2', f.moved) = s.moved AS odd FROM fitted f, shock s;
\set SHOW_CONTEXT never
SELECT clv_shock(NULL, 'history', moved) FROM fitted;
SELECT clv_shock('moved', 'histories', moved) FROM fitted;
SELECT clv_shock('moved', 'history', NULL);
SELECT clv_shock('moved', 'history', clv_model('sbg', '{"alpha": 1, "beta": 2}', '1 year'));
SELECT clv_shock('moved', 'history', moved, '2014-12-31') FROM fitted;
SELECT clv_shock('moved', 'history', moved, 'infinity') FROM fitted;
SELECT clv_with_shock(without, ROW(9, -1, 0, 0, 0, 0, 0)::clv_common_shock) FROM kept;
SELECT clv_with_shock(without, ROW(9, 1, 0, 'NaN', 0, 0, 0)::clv_common_shock) FROM kept;
SELECT clv_with_shock(without, ROW(9, 1, 0, 1, 0, 0, 0)::clv_common_shock) FROM kept;
SELECT clv_with_shock(without, ROW(9, 1, 0, 0, 0, 0, NULL)::clv_common_shock) FROM kept;
SELECT clv_with_shock(clv_model('sbg', '{"alpha": 1, "beta": 2}', '1 year'), shock) FROM kept;
SELECT clv_with_shock(clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}'), shock) FROM kept;
SELECT jsonb_set(without::jsonb, '{purchase,shock}', '{"sd": 1}')::clv_model FROM kept;
SELECT (model::jsonb #- '{purchase,shock,past}')::clv_model FROM kept;
SELECT jsonb_set(model::jsonb, '{purchase,shock,weak}', '1')::clv_model FROM kept;
SELECT jsonb_set(model::jsonb, '{purchase,shock,lasting}', '1.5')::clv_model FROM kept;
SELECT clv_internal.clv_shock_width(model, '2017-01-01', 7, 1) FROM kept;
SELECT clv_options(model => 'bg/bb', time_unit => '1 month', shock => true);
SELECT clv_options(shock => 'maybe');
SELECT clv_options(path_covariates => '{x}', shock => true);
SELECT clv_fit(1, 2, 3, 4, clv_options(shock => true));
SELECT clv_fit((SELECT clv_cells(history, clv_options(as_of => '2017-01-01', shock => false)) FROM moved),
			   clv_options(shock => true));
SELECT clv_internal.clv_shock_estimate('{1,2}', '{1}');
SELECT clv_internal.clv_shock_estimate('{1,NULL}', '{1,2}');
DROP SCHEMA validate_shock, "Odd ""Shock""" CASCADE;
