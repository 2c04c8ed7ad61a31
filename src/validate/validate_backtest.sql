-- ---- back-tests: predict a past that is already known ------------------------------------------------

-- The day to predict from, the last day of the hold-out by the calendar, and the options of a fit with that day (NULL
-- where a model is given). Raises an error for arguments that contradict each other, and a WARNING if the model was
-- fitted to purchases of the hold-out.
CREATE FUNCTION clv_internal.clv_validate_arguments(
	as_of pg_catalog.date,
	horizon pg_catalog.interval,
	options pg_catalog.jsonb,
	model @extschema@.clv_model,
	covariates pg_catalog.text,
	OUT since pg_catalog.date,
	OUT until pg_catalog.date,
	OUT fit_options pg_catalog.jsonb
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known date;
BEGIN
	IF options IS NOT NULL AND model IS NOT NULL THEN
		PERFORM clv_internal.clv_raise('give options for a fit or a model, not both'::text);
	END IF;
	IF model IS NOT NULL THEN
		PERFORM clv_internal.clv_validate_covariates(model, covariates);
	END IF;
	known := CASE WHEN model IS NULL THEN (options ->> 'as_of')::date
		ELSE (SELECT d.as_of FROM @extschema@.clv_diagnostics(model) d) END;
	since := coalesce(as_of, known);
	IF since IS NULL THEN
		PERFORM clv_internal.clv_raise('the day to predict from is not known'::text,
			NULL::text,
			'Give as_of => a day so far in the past that the data cover the horizon after it.'::text,
			'null_value_not_allowed'::text);
	END IF;
	PERFORM clv_internal.clv_argument_date('as_of'::text, since);
	IF model IS NULL AND known <> since THEN
		PERFORM clv_internal.clv_raise(format('as_of (%s) is not that of the options (%s)',
				to_char(since, 'YYYY-MM-DD'), to_char(known, 'YYYY-MM-DD')),
			NULL::text,
			'Leave it out of the options.'::text,
			'invalid_parameter_value'::text);
	END IF;
	IF model IS NOT NULL AND known > since THEN
		RAISE WARNING 'the model was fitted to a part of the purchases that it is to predict'
			USING DETAIL = format('It was fitted to purchases up to %s, and predicts from %s.',
				to_char(known, 'YYYY-MM-DD'), to_char(since, 'YYYY-MM-DD'));
	END IF;
	until := clv_internal.clv_validate_day(since, horizon, 'horizon'::text);
	IF model IS NULL THEN
		fit_options := coalesce(options, '{}') || jsonb_build_object('as_of', since, 'too_few', 'error');
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_arguments(
	pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model, pg_catalog.text) IS
	'the day to predict from, the end of the hold-out by the calendar, and the options of a fit with that day (NULL '
	'where a model is given); errors of arguments that contradict each other, and a WARNING of a model that was fitted '
	'to later purchases. A part of validation';

-- Raises a WARNING if the last purchase of all lies long before the end of the hold-out.
CREATE FUNCTION clv_internal.clv_validate_reach(
	since pg_catalog.date, until pg_catalog.date, last_purchase pg_catalog.date)
RETURNS pg_catalog.void
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF until - last_purchase > greatest(7, (until - since) / 10) THEN
		RAISE WARNING 'the data seem to end before the hold-out does'
			USING DETAIL = format('The last purchase of all is of %s, the hold-out lasts to %s.',
					to_char(last_purchase, 'YYYY-MM-DD'), to_char(until, 'YYYY-MM-DD')),
				HINT = 'What is missing looks like customers who stopped buying: take an earlier as_of or '
				'a shorter horizon.';
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_reach(pg_catalog.date, pg_catalog.date, pg_catalog.date) IS
	'warns where the data seem to end before the hold-out does. A part of validation';

-- The hold-out as the model counts time: its periods (days for a model of continuous time), the day by which they are
-- over for every customer, and the horizon to predict. Raises a WARNING if the last purchase of all lies long before
-- that day, and an error for a model that had to learn from the hold-out.
CREATE FUNCTION clv_internal.clv_validate_hold_out(
	model @extschema@.clv_model,
	was_fitted pg_catalog.bool,
	since pg_catalog.date,
	horizon pg_catalog.interval,
	last_purchase pg_catalog.date,
	INOUT until pg_catalog.date,
	OUT periods pg_catalog.int4,
	OUT span pg_catalog.interval
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	clock text := (clv_internal.clv_validate_clock(model)).clock;
BEGIN
	IF clock = 'campaigns' AND was_fitted THEN
		PERFORM clv_internal.clv_raise('a supervised model cannot be fitted by a back-test'::text,
			'It would be fitted to the purchases after as_of, which it is to predict.'::text,
			'Fit it a period earlier, and give it as model => ....'::text,
			'feature_not_supported'::text);
	END IF;
	-- predictions are for the very days that are counted, or for periods, which need not end on the same days
	periods := until - since;
	span := make_interval(days => periods);
	IF clock <> 'continuous' THEN
		SELECT p.periods, p.until INTO periods, until
		FROM clv_internal.clv_validate_periods(model, since, horizon) p;
		span := horizon;
	END IF;
	PERFORM clv_internal.clv_validate_reach(since, until, last_purchase);
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_hold_out(
	@extschema@.clv_model, pg_catalog.bool, pg_catalog.date, pg_catalog.interval, pg_catalog.date, pg_catalog.date) IS
	'the hold-out as a model counts time: its last day, how many periods (days, where time is continuous) it lasts, '
	'and the horizon to predict; warns where the data do not reach its end. A part of validation';

-- Raises the error of a back-test without customers.
CREATE FUNCTION clv_internal.clv_validate_no_customers(source pg_catalog.text, since pg_catalog.date)
RETURNS pg_catalog.void
LANGUAGE sql STABLE PARALLEL SAFE COST 1000
RETURN clv_internal.clv_raise('there are no customers to predict'::text,
	format('None of the histories of %s has a purchase up to as_of %s.', source, to_char(since, 'YYYY-MM-DD')),
	'Give a later as_of.'::text,
	'no_data_found'::text);
COMMENT ON FUNCTION clv_internal.clv_validate_no_customers(pg_catalog.text, pg_catalog.date) IS
	'raises the error of a back-test without a customer up to since. A part of validation';

-- What a back-test begins with: the statement that reads the histories, the model, which is fitted unless it is given,
-- and the hold-out. Raises the errors and warnings of its parts, and an error if no customer has a purchase up to
-- as_of.
CREATE FUNCTION clv_internal.clv_validate_prepare(
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
	given pg_catalog.record;
	last_purchase pg_catalog.date;
	no_customers pg_catalog.bool;
BEGIN
	histories := clv_internal.clv_validate_histories(source, history, covariates);
	given := clv_internal.clv_validate_arguments(as_of, horizon, options, model, covariates);
	since := given.since;
	IF model IS NULL THEN
		SELECT f.fitted, f.last_purchase, f.fitted IS NULL
		INTO fitted, last_purchase, no_customers
		FROM clv_internal.clv_validate_fit(histories, given.fit_options, covariates IS NOT NULL) AS f;
	ELSE
		SELECT model, e.last_purchase, e.first_purchase IS NULL
		INTO fitted, last_purchase, no_customers
		FROM clv_internal.clv_validate_extent(histories, since) AS e;
	END IF;
	IF no_customers THEN
		PERFORM clv_internal.clv_validate_no_customers(source, since);
	END IF;
	SELECT h.until, h.periods, h.span
	INTO until, periods, span
	FROM clv_internal.clv_validate_hold_out(fitted, model IS NULL, since, horizon, last_purchase, given.until) AS h;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_prepare(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model,
	pg_catalog.text) IS
	'what back-tests begin with: the statement that reads the histories, the model (fitted at since unless given) the '
	'days of the hold-out (since, until], and how many periods of the model (days, where time is continuous) it lasts; '
	'warns where the data do not reach its end. A part of validation';

-- The customers with a prediction for the tenths of a back-test: those of equal prediction and equal purchases are one
-- row. Those of equal prediction are shared out where a border of tenths cuts through them, so that no tenth depends on
-- the order of rows.
CREATE FUNCTION clv_internal.clv_validate_ranked(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	span pg_catalog.interval,
	since pg_catalog.date,
	until pg_catalog.date,
	periods pg_catalog.int4
) RETURNS TABLE (
	predicted pg_catalog.float8,
	actual pg_catalog.int4,
	n pg_catalog.float8,
	promised pg_catalog.float8,
	earned pg_catalog.numeric,
	total pg_catalog.float8,
	tied pg_catalog.float8,
	above pg_catalog.float8
)
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10000
BEGIN ATOMIC
	WITH grouped AS (
		SELECT p.predicted,
			p.actual,
			count(*)::float8 AS n,
			clv_internal.clv_validate_sum(p.promised) AS promised,
			sum(p.earned) AS earned
		FROM clv_internal.clv_validate_predictions(histories, model, span, since, until, periods) AS p
		WHERE p.predicted IS NOT NULL
		GROUP BY p.predicted, p.actual
	)
	SELECT g.predicted,
		g.actual,
		g.n,
		g.promised,
		g.earned,
		sum(g.n) OVER (),
		sum(g.n) OVER (PARTITION BY g.predicted),
		sum(g.n) OVER () - sum(g.n) OVER (ORDER BY g.predicted)
	FROM grouped AS g;
END;
COMMENT ON FUNCTION clv_internal.clv_validate_ranked(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.date, pg_catalog.int4) IS
	'customers of equal prediction and equal purchases in the hold-out together: n of them, their sums, how many there '
	'are in all, tied with them and above them by prediction. A part of validation';

-- Predicts the purchases and the revenue of the customers in (as_of, as_of + horizon], and compares them with what the
-- same histories did. One row.
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
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 1
BEGIN ATOMIC
	SELECT (@extschema@.clv_diagnostics(t.fitted)).purchase_model,
		t.since,
		t.until,
		(m.purchases).pairs,
		(m.purchases).skipped,
		(m.purchases).predicted,
		(m.purchases).actual::int8,
		(m.purchases).total_error,
		(m.purchases).bias,
		(m.purchases).mae,
		(m.purchases).rmse,
		m.naive_error / (m.purchases).pairs,
		sqrt(m.naive_square / (m.purchases).pairs),
		(m.purchases).rank_correlation,
		(m.purchases).gini,
		(m.purchases).top_decile_lift,
		m.payers,
		m.promised,
		m.earned,
		clv_internal.clv_ratio(m.promised, m.earned::float8) - 1::float8,
		clv_internal.clv_ratio(m.money_error, m.payers::float8),
		sqrt(clv_internal.clv_ratio(m.money_square, m.payers::float8))
	FROM clv_internal.clv_validate_prepare(source, history, as_of, horizon, options, model, covariates) AS t
	CROSS JOIN LATERAL (
		SELECT @extschema@.clv_metrics(p.actual::float8, p.predicted) AS purchases,
			clv_internal.clv_validate_sum(abs(p.before - p.actual)::float8) AS naive_error,
			clv_internal.clv_validate_sum(power((p.before - p.actual)::float8, 2::float8)) AS naive_square,
			count(p.earned) AS payers,
			clv_internal.clv_validate_sum(p.promised) AS promised,
			sum(p.earned) AS earned,
			clv_internal.clv_validate_sum(abs(p.promised - p.earned::float8)) AS money_error,
			clv_internal.clv_validate_sum(power(p.promised - p.earned::float8, 2::float8)) AS money_square
		FROM clv_internal.clv_validate_predictions(t.histories, t.fitted, t.span, t.since, t.until, t.periods) AS p
	) AS m;
END;
COMMENT ON FUNCTION @extschema@.clv_backtest(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model,
	pg_catalog.text) IS
	'predicts a past that is known: fits a model to the histories of a table or view up to as_of (or takes the one '
	'given; as_of NULL: its own), predicts every customer''s purchases and revenue in (as_of, as_of + horizon], and '
	'compares with what the same histories did. total_error: predicted / actual - 1; bias, mae, rmse: mean, mean '
	'absolute and root mean square error per customer; naive: of predicting as many repeat purchases as in as long a '
	'time before as_of; rank_correlation: Spearman; gini: 1 where the order of predictions is that of the purchases, 0 '
	'where it says nothing; top_decile_lift: purchases of the tenth with the highest predictions, over those of an '
	'average tenth; revenue where prediction and purchases have one. skipped: customers who came later. covariates: a '
	'column of vectors, for models with covariates. Warns where the data do not reach the end of the horizon';

-- The back-test by tenths of the customers: a row per tenth, 1 with the highest predictions. NULL: lift and share where
-- there was no purchase, revenue where the model has no spend part.
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
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10
BEGIN ATOMIC
	WITH ranked AS MATERIALIZED (
		SELECT r.*
		FROM clv_internal.clv_validate_prepare(source, history, as_of, horizon, options, model, covariates) AS t
		CROSS JOIN LATERAL
			clv_internal.clv_validate_ranked(t.histories, t.fitted, t.span, t.since, t.until, t.periods) AS r
	), part AS (
		-- the part of the customers of a row that lies in each tenth
		SELECT r.*,
			d.decile,
			(least(r.above + r.tied, d.decile::float8 * r.total / 10::float8)
				- greatest(r.above, (d.decile - 1)::float8 * r.total / 10::float8)) / r.tied AS share
		FROM ranked AS r
		JOIN generate_series(1, 10) AS d (decile)
			ON d.decile::float8 > floor(10::float8 * r.above / r.total)
			AND d.decile::float8 <= ceil(10::float8 * (r.above + r.tied) / r.total)
	), tenth AS (
		SELECT p.decile,
			clv_internal.clv_validate_sum(p.n * p.share) AS customers,
			clv_internal.clv_validate_sum(p.n * p.predicted * p.share) AS predicted,
			clv_internal.clv_validate_sum(p.n * p.actual::float8 * p.share) AS actual,
			clv_internal.clv_validate_sum(p.promised * p.share) AS promised,
			clv_internal.clv_validate_sum(p.earned::float8 * p.share) AS earned
		FROM part AS p
		GROUP BY p.decile
	)
	SELECT t.decile,
		t.customers,
		t.predicted,
		t.actual,
		clv_internal.clv_ratio(t.actual / t.customers,
			clv_internal.clv_validate_sum(t.actual) OVER () / clv_internal.clv_validate_sum(t.customers) OVER ()),
		clv_internal.clv_ratio(clv_internal.clv_validate_sum(t.actual) OVER (ORDER BY t.decile),
			clv_internal.clv_validate_sum(t.actual) OVER ()),
		t.promised,
		t.earned
	FROM tenth AS t
	ORDER BY t.decile;
END;
COMMENT ON FUNCTION @extschema@.clv_backtest_deciles(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model,
	pg_catalog.text) IS
	'the back-test by tenths of the customers, 1 with the highest predicted purchases: what was predicted and what '
	'they did, lift over the mean customer and cumulative share of all purchases. Customers with equal predictions are '
	'shared out between the tenths that they lie in, hence fractions. Arguments as of clv_backtest';

-- An error unless last_class is a number of repeat purchases.
CREATE FUNCTION clv_internal.clv_validate_class(last_class pg_catalog.int4) RETURNS pg_catalog.void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF last_class IS NULL OR last_class < 0 THEN
		PERFORM clv_internal.clv_raise(format('last_class must be a number of repeat purchases: %s',
				coalesce(last_class::text, 'NULL')),
			NULL::text,
			'Customers with so many and more are one class.'::text,
			'invalid_parameter_value'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION clv_internal.clv_validate_class(pg_catalog.int4) IS
	'an error unless last_class is a number of repeat purchases. A part of validation';

-- The rows of clv_backtest_calibration, of histories and a hold-out that are prepared.
CREATE FUNCTION clv_internal.clv_validate_classes(
	histories pg_catalog.text,
	model @extschema@.clv_model,
	span pg_catalog.interval,
	since pg_catalog.date,
	periods pg_catalog.int4,
	last_class pg_catalog.int4
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
LANGUAGE sql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 8
BEGIN ATOMIC
	WITH seen AS (
		SELECT least(f.repeats, last_class) AS repeats,
			f.p_alive,
			f.predicted,
			1::float8 - f.no_purchase AS buys,
			f.actual
		FROM clv_internal.clv_validate_frequencies(histories, model, span, since, periods,
			(clv_internal.clv_validate_clock(model)).clock IN ('continuous', 'opportunities')) AS f
	)
	SELECT s.repeats,
		count(*),
		clv_internal.clv_validate_sum(s.predicted) / count(*)::float8,
		avg(s.actual::float8),
		clv_internal.clv_validate_sum(s.predicted),
		sum(s.actual),
		clv_internal.clv_ratio(clv_internal.clv_validate_sum(s.p_alive), count(s.p_alive)::float8),
		clv_internal.clv_ratio(clv_internal.clv_validate_sum(s.buys), count(s.buys)::float8),
		avg(CASE WHEN s.actual > 0 THEN 1::float8 ELSE 0::float8 END)
	FROM seen AS s
	GROUP BY s.repeats
	ORDER BY s.repeats;
END;
COMMENT ON FUNCTION clv_internal.clv_validate_classes(
	pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.int4, pg_catalog.int4) IS
	'the rows of clv_backtest_calibration, of histories and a hold-out that are prepared. A part of validation';

-- The back-test by the number of repeat purchases up to as_of: a row per number that occurs, those of last_class and
-- more together. predicted_buyers is NULL for models that do not count purchases.
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
BEGIN
	PERFORM clv_internal.clv_validate_class(last_class);
	test := clv_internal.clv_validate_prepare(source, history, as_of, horizon, options, model, covariates);
	RETURN QUERY SELECT c.*
		FROM clv_internal.clv_validate_classes(test.histories, test.fitted, test.span, test.since, test.periods,
			last_class) AS c;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_backtest_calibration(
	pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.interval, pg_catalog.jsonb, @extschema@.clv_model,
	pg_catalog.text, pg_catalog.int4) IS
	'the back-test by the number of repeat purchases up to as_of (last_class: so many and more): purchases predicted '
	'and made, in sum and per customer, the mean P(alive), and the shares of customers predicted to buy at all and who '
	'did. Other arguments as of clv_backtest';
