-- ---- back-tests: predict a past that is already known ------------------------------------------------

CREATE FUNCTION @extschema@.clv_validate_prepare(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb,
	model @extschema@.clv_model,
	covariates pg_catalog.text,
	OUT histories pg_catalog.text,
	OUT fitted @extschema@.clv_model,
	OUT since pg_catalog.date,
	OUT until pg_catalog.date,
	OUT periods pg_catalog.int4,
	OUT span pg_catalog.interval
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 AS $$
DECLARE
	known pg_catalog.date;
	fit_options pg_catalog.jsonb;
	last pg_catalog.date;
	here pg_catalog.int8;
	clock pg_catalog.text;
BEGIN
	histories := @extschema@.clv_validate_histories(source, history, covariates);
	IF options IS NOT NULL AND model IS NOT NULL THEN
		PERFORM @extschema@.clv_quick_refuse('give options for a fit or a model, not both'::pg_catalog.text);
	END IF;
	IF model IS NOT NULL THEN
		PERFORM @extschema@.clv_validate_covariates(model, covariates);
	END IF;
	known := CASE WHEN model IS NULL THEN (options OPERATOR(pg_catalog.->>) 'as_of')::pg_catalog.date
		ELSE (SELECT d.as_of FROM @extschema@.clv_diagnostics(model) d) END;
	since := coalesce(as_of, known);
	IF since IS NULL THEN
		PERFORM @extschema@.clv_quick_refuse('the day to predict from is not known'::pg_catalog.text,
			NULL::pg_catalog.text,
			'Give as_of => a day so far in the past that the data cover the horizon after it.'::pg_catalog.text,
			'null_value_not_allowed'::pg_catalog.text);
	END IF;
	PERFORM @extschema@.clv_quick_date('as_of'::pg_catalog.text, since);
	IF model IS NULL AND known OPERATOR(pg_catalog.<>) since THEN
		PERFORM @extschema@.clv_quick_refuse(pg_catalog.format('as_of (%s) is not that of the options (%s)',
				pg_catalog.to_char(since, 'YYYY-MM-DD'), pg_catalog.to_char(known, 'YYYY-MM-DD')),
			NULL::pg_catalog.text,
			'Leave it out of the options.'::pg_catalog.text,
			'invalid_parameter_value'::pg_catalog.text);
	END IF;
	IF model IS NOT NULL AND known OPERATOR(pg_catalog.>) since THEN
		RAISE WARNING 'the model has seen a part of what it is to predict'
			USING DETAIL = pg_catalog.format('It was fitted to purchases up to %s, and predicts from %s.',
				pg_catalog.to_char(known, 'YYYY-MM-DD'), pg_catalog.to_char(since, 'YYYY-MM-DD'));
	END IF;
	until := @extschema@.clv_validate_day(since, horizon, 'horizon'::pg_catalog.text);

	IF model IS NULL THEN
		fit_options := coalesce(options, '{}'::pg_catalog.jsonb) OPERATOR(pg_catalog.||)
			pg_catalog.jsonb_build_object('as_of', since);
		EXECUTE 'SELECT @extschema@.clv_fit(h.history, $1'
			OPERATOR(pg_catalog.||) CASE WHEN covariates IS NULL THEN '' ELSE ', '
			'h.covariates' END OPERATOR(pg_catalog.||)
			'), pg_catalog.max(@extschema@.clv_last_purchase(h.history)) FROM ('
			OPERATOR(pg_catalog.||) histories OPERATOR(pg_catalog.||) ') h'
			INTO fitted, last
			USING fit_options;
	ELSE
		fitted := model;
		EXECUTE 'SELECT pg_catalog.count(@extschema@.clv_first_purchase(h.history, $1)), '
			'pg_catalog.max(@extschema@.clv_last_purchase(h.history)) FROM '
			'(' OPERATOR(pg_catalog.||) histories OPERATOR(pg_catalog.||) ') h'
			INTO here, last
			USING since;
	END IF;
	IF fitted IS NULL OR here OPERATOR(pg_catalog.=) 0 THEN
		PERFORM @extschema@.clv_quick_refuse('there are no customers to predict'::pg_catalog.text,
			pg_catalog.format('None of the histories of %s has a purchase up to as_of %s.',
				source, pg_catalog.to_char(since, 'YYYY-MM-DD')),
			'Give a later as_of.'::pg_catalog.text,
			'no_data_found'::pg_catalog.text);
	END IF;
	-- predictions are for the very days that are counted, or for periods, which need not end on the same days
	clock := (@extschema@.clv_validate_clock(fitted)).clock;
	IF clock OPERATOR(pg_catalog.=) 'campaigns' AND model IS NULL THEN
		PERFORM @extschema@.clv_quick_refuse('a supervised model cannot be fitted by a back-test'::pg_catalog.text,
			'It would learn from the time after as_of, which is what it is to predict.'::pg_catalog.text,
			'Fit it a period earlier, and give it as model => ....'::pg_catalog.text,
			'feature_not_supported'::pg_catalog.text);
	END IF;
	periods := until OPERATOR(pg_catalog.-) since;
	span := pg_catalog.make_interval(days => periods);
	IF clock OPERATOR(pg_catalog.<>) 'continuous' THEN
		SELECT p.periods, p.until INTO periods, until FROM @extschema@.clv_validate_periods(fitted, since, horizon) p;
		span := horizon;
	END IF;
	IF (until OPERATOR(pg_catalog.-) last) OPERATOR(pg_catalog.>)
		greatest(7, (until OPERATOR(pg_catalog.-) since) OPERATOR(pg_catalog./) 10)
	THEN
		RAISE WARNING 'the data seem to end before the hold-out does'
			USING DETAIL = pg_catalog.format('The last purchase of all is of %s, the hold-out lasts to %s.',
					pg_catalog.to_char(last, 'YYYY-MM-DD'), pg_catalog.to_char(until, 'YYYY-MM-DD')),
				HINT = 'What is missing looks like customers who stopped buying: take an earlier as_of or '
				'a shorter horizon.';
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_validate_prepare(pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model, pg_catalog.text) IS
	'what back-tests begin with: the statement that reads the histories, the model (fitted at since unless given) the days of the hold-out (since, until], and how many periods of the model (days, where time is continuous) it lasts; warns where the data do not reach its end. A part of validation';

-- A customer's prediction enters all measures through its rank. Equal predictions share their mean rank
-- and, where a border of deciles cuts through them, are shared out: no measure depends on the order of
-- rows. Customers with equal (prediction, purchases) are one row from the start.
CREATE FUNCTION @extschema@.clv_validate_ranked(histories pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
BEGIN
	RETURN 'WITH seen AS (SELECT @extschema@.clv_predict($1, h.history, $2, 0::pg_catalog.float8, '
		'1::pg_catalog.float8, $3, NULL::pg_catalog.float8, h.covariates) AS p, '
		'@extschema@.clv_validate_purchases($1, h.history, $3, $5) AS actual, '
		'@extschema@.clv_validate_purchases($1, h.history, $3, OPERATOR(pg_catalog.-) $5) AS before, '
		'@extschema@.clv_spend_between(h.history, $3, $4) AS spent FROM '
		'(' OPERATOR(pg_catalog.||) histories OPERATOR(pg_catalog.||) ') h OFFSET 0), '
		-- revenue can be compared where both sides know it
		'told AS (SELECT (s.p).expected_purchases AS predicted, '
		'CASE WHEN (s.p).expected_purchases IS NOT NULL THEN s.actual END AS actual, s.before, '
		'CASE WHEN s.spent IS NOT NULL OR (s.actual OPERATOR(pg_catalog.=) 0) THEN (s.p).expected_revenue '
		'END AS promised, '
		'CASE WHEN (s.p).expected_revenue IS NULL THEN NULL '
		'WHEN s.actual OPERATOR(pg_catalog.=) 0 THEN coalesce(s.spent, 0) ELSE s.spent END AS earned FROM '
		'seen s), '
		'grouped AS MATERIALIZED (SELECT t.predicted, t.actual, pg_catalog.count(*)::pg_catalog.float8 AS n, '
		'pg_catalog.sum(pg_catalog.abs(t.before OPERATOR(pg_catalog.-) t.actual))::pg_catalog.float8 AS '
		'naive_error, '
		'pg_catalog.sum(pg_catalog.power((t.before OPERATOR(pg_catalog.-) t.actual)::pg_catalog.float8, '
		'2)) AS naive_square, '
		'pg_catalog.count(t.earned) AS payers, @extschema@.clv_validate_sum(t.promised) AS promised, '
		'pg_catalog.sum(t.earned) AS earned, '
		'@extschema@.clv_validate_sum(pg_catalog.abs(t.promised OPERATOR(pg_catalog.-) t.earned::pg_catalog.float8)) AS '
		'money_error, '
		'@extschema@.clv_validate_sum(pg_catalog.power(t.promised OPERATOR(pg_catalog.-) t.earned::pg_catalog.float8, '
		'2)) AS money_square '
		'FROM told t GROUP BY t.predicted, t.actual), '
		'actuals AS (SELECT g.actual, pg_catalog.sum(g.n) AS tied, pg_catalog.sum(pg_catalog.sum(g.n)) '
		'OVER (ORDER BY g.actual) AS upto '
		'FROM grouped g WHERE g.predicted IS NOT NULL GROUP BY g.actual), '
		'sorted AS (SELECT g.*, pg_catalog.sum(g.n) OVER () AS total, pg_catalog.sum(g.n) OVER (ORDER BY '
		'g.predicted) AS upto, '
		'pg_catalog.sum(g.n) OVER (PARTITION BY g.predicted) AS tied FROM grouped g WHERE g.predicted IS '
		'NOT NULL), '
		-- above: how many have a higher prediction; ranks count from below, and the mean rank of all is 0
		'ranked AS (SELECT s.*, s.total OPERATOR(pg_catalog.-) s.upto AS above, '
		'(s.upto OPERATOR(pg_catalog.-) (s.tied OPERATOR(pg_catalog./) 2)) OPERATOR(pg_catalog.-) (s.total '
		'OPERATOR(pg_catalog./) 2) AS rank, '
		'(a.upto OPERATOR(pg_catalog.-) (a.tied OPERATOR(pg_catalog./) 2)) OPERATOR(pg_catalog.-) (s.total '
		'OPERATOR(pg_catalog./) 2) AS actual_rank '
		'FROM sorted s JOIN actuals a ON a.actual OPERATOR(pg_catalog.=) s.actual) ';
END
$$;
COMMENT ON FUNCTION @extschema@.clv_validate_ranked(pg_catalog.text) IS
	'the beginning of a statement: customers of equal prediction and equal purchases in the hold-out together, with their ranks. $1 model, $2 span, $3 since, $4 until, $5 periods. A part of validation';

CREATE FUNCTION @extschema@.clv_backtest(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb DEFAULT NULL,
	model @extschema@.clv_model DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	purchase_model pg_catalog.text,
	since pg_catalog.date,
	until pg_catalog.date,
	customers pg_catalog.int8,
	skipped pg_catalog.int8,
	predicted_purchases pg_catalog.float8,
	actual_purchases pg_catalog.int8,
	total_error pg_catalog.float8,
	bias pg_catalog.float8,
	mae pg_catalog.float8,
	rmse pg_catalog.float8,
	naive_mae pg_catalog.float8,
	naive_rmse pg_catalog.float8,
	rank_correlation pg_catalog.float8,
	gini pg_catalog.float8,
	top_decile_lift pg_catalog.float8,
	revenue_customers pg_catalog.int8,
	predicted_revenue pg_catalog.float8,
	actual_revenue pg_catalog.numeric,
	revenue_error pg_catalog.float8,
	revenue_mae pg_catalog.float8,
	revenue_rmse pg_catalog.float8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 1 AS $$
DECLARE
	test pg_catalog.record;
BEGIN
	test := @extschema@.clv_validate_prepare(source, history, as_of, horizon, options, model, covariates);
	RETURN QUERY EXECUTE @extschema@.clv_validate_ranked(test.histories) OPERATOR(pg_catalog.||)
		'SELECT (@extschema@.clv_diagnostics($1)).purchase_model, $3, $4, t.customers::pg_catalog.int8, '
		'coalesce((SELECT pg_catalog.sum(g.n) FROM grouped g WHERE g.predicted IS NULL), 0)::pg_catalog.int8, '
		't.predicted, t.actual::pg_catalog.int8, @extschema@.clv_ratio(t.predicted, t.actual) OPERATOR(pg_catalog.-) 1, '
		'(t.predicted OPERATOR(pg_catalog.-) t.actual) OPERATOR(pg_catalog./) t.customers, t.error '
		'OPERATOR(pg_catalog./) t.customers, pg_catalog.sqrt(t.square OPERATOR(pg_catalog./) t.customers), '
		't.naive_error OPERATOR(pg_catalog./) t.customers, pg_catalog.sqrt(t.naive_square '
		'OPERATOR(pg_catalog./) t.customers), '
		'@extschema@.clv_ratio(t.both_ranks, pg_catalog.sqrt(t.rank_square) OPERATOR(pg_catalog.*) '
		'pg_catalog.sqrt(t.actual_rank_square)), '
		'@extschema@.clv_ratio(t.concentration, t.best_concentration), '
		'@extschema@.clv_ratio(10 OPERATOR(pg_catalog.*) t.top, t.actual), '
		't.payers::pg_catalog.int8, t.promised, t.earned, '
		'@extschema@.clv_ratio(t.promised, t.earned::pg_catalog.float8) OPERATOR(pg_catalog.-) 1, '
		'@extschema@.clv_ratio(t.money_error, t.payers::pg_catalog.float8), '
		'pg_catalog.sqrt(@extschema@.clv_ratio(t.money_square, t.payers::pg_catalog.float8)) '
		'FROM (SELECT pg_catalog.sum(r.n) AS customers, @extschema@.clv_validate_sum(r.n OPERATOR(pg_catalog.*) '
		'r.predicted) AS predicted, '
		'@extschema@.clv_validate_sum(r.n OPERATOR(pg_catalog.*) r.actual) AS actual, @extschema@.clv_validate_sum(r.n '
		'OPERATOR(pg_catalog.*) pg_catalog.abs(r.predicted OPERATOR(pg_catalog.-) r.actual)) AS error, '
		'@extschema@.clv_validate_sum(r.n OPERATOR(pg_catalog.*) pg_catalog.power(r.predicted OPERATOR(pg_catalog.-) '
		'r.actual, 2)) AS square, '
		'@extschema@.clv_validate_sum(r.naive_error) AS naive_error, @extschema@.clv_validate_sum(r.naive_square) AS naive_square, '
		'@extschema@.clv_validate_sum((r.n OPERATOR(pg_catalog.*) r.rank) OPERATOR(pg_catalog.*) r.actual_rank) AS '
		'both_ranks, '
		'@extschema@.clv_validate_sum((r.n OPERATOR(pg_catalog.*) r.rank) OPERATOR(pg_catalog.*) r.rank) AS rank_square, '
		'@extschema@.clv_validate_sum((r.n OPERATOR(pg_catalog.*) r.actual_rank) OPERATOR(pg_catalog.*) r.actual_rank) '
		'AS actual_rank_square, '
		-- the Gini index of the purchases, customers ordered by prediction or by the purchases themselves,
		-- up to a common factor
		'@extschema@.clv_validate_sum((r.n OPERATOR(pg_catalog.*) r.actual) OPERATOR(pg_catalog.*) r.rank) AS concentration, '
		'@extschema@.clv_validate_sum((r.n OPERATOR(pg_catalog.*) r.actual) OPERATOR(pg_catalog.*) r.actual_rank) AS '
		'best_concentration, '
		'@extschema@.clv_validate_sum((r.n OPERATOR(pg_catalog.*) r.actual) OPERATOR(pg_catalog.*) '
		'(greatest(least(r.tied, (r.total OPERATOR(pg_catalog./) 10) OPERATOR(pg_catalog.-) r.above), 0) '
		'OPERATOR(pg_catalog./) r.tied)) AS top, '
		'pg_catalog.sum(r.payers) AS payers, @extschema@.clv_validate_sum(r.promised) AS promised, '
		'pg_catalog.sum(r.earned) AS earned, '
		'@extschema@.clv_validate_sum(r.money_error) AS money_error, @extschema@.clv_validate_sum(r.money_square) AS money_square FROM '
		'ranked r) t'
		USING test.fitted, test.span, test.since, test.until, test.periods;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_backtest(pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model, pg_catalog.text) IS
	'predicts a past that is known: fits a model to the histories of a table or view up to as_of (or takes the one given; as_of NULL: its own), predicts every customer''s purchases and revenue in (as_of, as_of + horizon], and compares with what the same histories did. total_error: predicted / actual - 1; bias, mae, rmse: mean, mean absolute and root mean square error per customer; naive: of predicting as many repeat purchases as in as long a time before as_of; rank_correlation: Spearman; gini: 1 where the order of predictions is that of the purchases, 0 where it says nothing; top_decile_lift: purchases of the tenth with the highest predictions, over those of an average tenth; revenue where prediction and purchases have one. skipped: customers who came later. covariates: a column of vectors, for models with covariates. Warns where the data do not reach the end of the horizon';

CREATE FUNCTION @extschema@.clv_backtest_deciles(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb DEFAULT NULL,
	model @extschema@.clv_model DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	decile pg_catalog.int4,
	customers pg_catalog.float8,
	predicted_purchases pg_catalog.float8,
	actual_purchases pg_catalog.float8,
	lift pg_catalog.float8,
	cumulative_share pg_catalog.float8,
	predicted_revenue pg_catalog.float8,
	actual_revenue pg_catalog.float8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10 AS $$
DECLARE
	test pg_catalog.record;
BEGIN
	test := @extschema@.clv_validate_prepare(source, history, as_of, horizon, options, model, covariates);
	RETURN QUERY EXECUTE @extschema@.clv_validate_ranked(test.histories) OPERATOR(pg_catalog.||)
		'SELECT t.decile, t.customers, t.predicted, t.actual, '
		'@extschema@.clv_ratio(t.actual OPERATOR(pg_catalog./) t.customers, '
		'@extschema@.clv_validate_sum(t.actual) OVER () OPERATOR(pg_catalog./) @extschema@.clv_validate_sum(t.customers) OVER ()), '
		'@extschema@.clv_ratio(@extschema@.clv_validate_sum(t.actual) OVER (ORDER BY t.decile), @extschema@.clv_validate_sum(t.actual) OVER ()), '
		't.promised, t.earned '
		'FROM (SELECT d.decile, @extschema@.clv_validate_sum(r.n OPERATOR(pg_catalog.*) s.share) AS customers, '
		'@extschema@.clv_validate_sum((r.n OPERATOR(pg_catalog.*) r.predicted) OPERATOR(pg_catalog.*) s.share) AS '
		'predicted, @extschema@.clv_validate_sum((r.n OPERATOR(pg_catalog.*) r.actual) OPERATOR(pg_catalog.*) s.share) '
		'AS actual, '
		'@extschema@.clv_validate_sum(r.promised OPERATOR(pg_catalog.*) s.share) AS promised, '
		'@extschema@.clv_validate_sum(r.earned::pg_catalog.float8 OPERATOR(pg_catalog.*) s.share) AS earned '
		'FROM ranked r CROSS JOIN LATERAL pg_catalog.generate_series(1 OPERATOR(pg_catalog.+) '
		'pg_catalog.floor((10 OPERATOR(pg_catalog.*) r.above) OPERATOR(pg_catalog./) '
		'r.total)::pg_catalog.int4, '
		'pg_catalog.ceil((10 OPERATOR(pg_catalog.*) (r.above OPERATOR(pg_catalog.+) r.tied)) '
		'OPERATOR(pg_catalog./) r.total)::pg_catalog.int4) AS d (decile) '
		'CROSS JOIN LATERAL (SELECT (least(r.above OPERATOR(pg_catalog.+) r.tied, (d.decile '
		'OPERATOR(pg_catalog.*) r.total) OPERATOR(pg_catalog./) 10) OPERATOR(pg_catalog.-) '
		'greatest(r.above, ((d.decile OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.*) r.total) '
		'OPERATOR(pg_catalog./) 10)) OPERATOR(pg_catalog./) r.tied AS share) s '
		'GROUP BY d.decile) t ORDER BY t.decile'
		USING test.fitted, test.span, test.since, test.until, test.periods;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_backtest_deciles(pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model, pg_catalog.text) IS
	'the back-test by tenths of the customers, 1 with the highest predicted purchases: what was predicted and what they did, lift over the mean customer and cumulative share of all purchases. Customers with equal predictions are shared out between the tenths that they lie in, hence fractions. Arguments as of clv_backtest';

CREATE FUNCTION @extschema@.clv_backtest_calibration(
	source pg_catalog.text,
	history pg_catalog.text,
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb DEFAULT NULL,
	model @extschema@.clv_model DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL,
	last_class pg_catalog.int4 DEFAULT 7
) RETURNS TABLE (
	repeat_purchases pg_catalog.int4,
	customers pg_catalog.int8,
	predicted_mean pg_catalog.float8,
	actual_mean pg_catalog.float8,
	predicted_purchases pg_catalog.float8,
	actual_purchases pg_catalog.int8,
	predicted_alive pg_catalog.float8,
	predicted_buyers pg_catalog.float8,
	actual_buyers pg_catalog.float8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 8 AS $$
DECLARE
	test pg_catalog.record;
	clock pg_catalog.text;
BEGIN
	IF last_class IS NULL OR (last_class OPERATOR(pg_catalog.<) 0) THEN
		PERFORM @extschema@.clv_quick_refuse(pg_catalog.format('last_class must be a number of repeat purchases: %s', coalesce(last_class::pg_catalog.text, 'NULL')),
			NULL::pg_catalog.text,
			'Customers with so many and more are one class.'::pg_catalog.text,
			'invalid_parameter_value'::pg_catalog.text);
	END IF;
	test := @extschema@.clv_validate_prepare(source, history, as_of, horizon, options, model, covariates);
	clock := (@extschema@.clv_validate_clock(test.fitted)).clock;
	RETURN QUERY EXECUTE
		'WITH seen AS (SELECT least(@extschema@.clv_validate_purchases($1, h.history, $3, 0), '
		'$5) AS x, '
		'@extschema@.clv_predict($1, h.history, $2, 0::pg_catalog.float8, 1::pg_catalog.float8, $3, '
		'NULL::pg_catalog.float8, h.covariates) AS p, '
		'@extschema@.clv_validate_purchases($1, h.history, $3, $4) AS actual, ' OPERATOR(pg_catalog.||)
		CASE WHEN clock OPERATOR(pg_catalog.=) ANY ('{continuous,opportunities}'::pg_catalog.text[])
			THEN '1 OPERATOR(pg_catalog.-) @extschema@.clv_purchase_probability($1, h.history, 0::pg_catalog.float8, $2, $3, '
			'h.covariates)' ELSE 'NULL::pg_catalog.float8' END OPERATOR(pg_catalog.||)
		' AS buys FROM (' OPERATOR(pg_catalog.||) test.histories OPERATOR(pg_catalog.||) ') h OFFSET 0) '
		'SELECT s.x, pg_catalog.count(*), '
		'@extschema@.clv_validate_sum((s.p).expected_purchases) OPERATOR(pg_catalog./) '
		'pg_catalog.count(*)::pg_catalog.float8, pg_catalog.avg(s.actual::pg_catalog.float8), '
		'@extschema@.clv_validate_sum((s.p).expected_purchases), pg_catalog.sum(s.actual), '
		'@extschema@.clv_ratio(@extschema@.clv_validate_sum((s.p).p_alive), pg_catalog.count((s.p).p_alive)::pg_catalog.float8), '
		'@extschema@.clv_ratio(@extschema@.clv_validate_sum(s.buys), pg_catalog.count(s.buys)::pg_catalog.float8), '
		'pg_catalog.avg(CASE WHEN s.actual OPERATOR(pg_catalog.>) 0 THEN 1 ELSE 0 END::pg_catalog.float8) '
		'FROM seen s WHERE (s.p).expected_purchases IS NOT NULL GROUP BY s.x ORDER BY s.x'
		USING test.fitted, test.span, test.since, test.periods, last_class;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_backtest_calibration(pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model, pg_catalog.text, pg_catalog.int4) IS
	'the back-test by the number of repeat purchases up to as_of (last_class: so many and more): purchases predicted and made, in sum and per customer, the mean P(alive), and the shares of customers predicted to buy at all and who did. Other arguments as of clv_backtest';
