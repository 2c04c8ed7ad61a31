-- ---- tracking: a model against the calendar ----------------------------------------------------------

CREATE FUNCTION @extschema@.clv_tracking(
	source pg_catalog.text,
	history pg_catalog.text,
	model @extschema@.clv_model,
	period pg_catalog.interval DEFAULT '1 week',
	since pg_catalog.date DEFAULT NULL,
	until pg_catalog.date DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	covariates pg_catalog.text DEFAULT NULL
) RETURNS TABLE (
	number pg_catalog.int4,
	starts_after pg_catalog.date,
	ends_on pg_catalog.date,
	held_out pg_catalog.bool,
	customers pg_catalog.int8,
	expected pg_catalog.float8,
	actual pg_catalog.int8,
	expected_cumulative pg_catalog.float8,
	actual_cumulative pg_catalog.int8
)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100 AS $$
DECLARE
	histories pg_catalog.text := @extschema@.clv_validate_histories(source, history, covariates);
	here pg_catalog.int8;
	first pg_catalog.date;
	last pg_catalog.date;
	day pg_catalog.date;
	edges pg_catalog.date[];
	clock pg_catalog.record;
BEGIN
	IF model IS NULL THEN
		PERFORM @extschema@.clv_quick_refuse('model must be a model, not NULL'::pg_catalog.text,
			NULL::pg_catalog.text,
			'Make it by clv_fit(history), or by clv_model(...).'::pg_catalog.text,
			'null_value_not_allowed'::pg_catalog.text);
	END IF;
	clock := @extschema@.clv_validate_clock(model);
	IF clock.clock OPERATOR(pg_catalog.<>) 'continuous' THEN
		PERFORM @extschema@.clv_quick_refuse(pg_catalog.format('tracking needs a model of continuous time, not %s', (@extschema@.clv_diagnostics(model)).purchase_model),
			NULL::pg_catalog.text,
			'clv_backtest compares such models over a hold-out.'::pg_catalog.text,
			'feature_not_supported'::pg_catalog.text);
	END IF;
	PERFORM @extschema@.clv_validate_covariates(model, covariates);
	PERFORM @extschema@.clv_quick_date(d.argument, d.day) FROM (VALUES ('as_of'::pg_catalog.text, as_of), ('since'::pg_catalog.text, since),
		('until'::pg_catalog.text, until)) d (argument, day);
	as_of := coalesce(as_of, (@extschema@.clv_diagnostics(model)).as_of, 'infinity');
	EXECUTE 'SELECT pg_catalog.count(@extschema@.clv_first_purchase(h.history, $1)), '
	'pg_catalog.min(@extschema@.clv_first_purchase(h.history, $1)), '
		'pg_catalog.max(@extschema@.clv_last_purchase(h.history)) FROM '
		'(' OPERATOR(pg_catalog.||) histories OPERATOR(pg_catalog.||) ') h'
		INTO here, first, last
		USING as_of;
	IF here OPERATOR(pg_catalog.=) 0 THEN
		PERFORM @extschema@.clv_quick_refuse('there are no customers to track'::pg_catalog.text,
			pg_catalog.format('None of the histories of %s has a purchase up to as_of %s.',
				source, pg_catalog.to_char(as_of, 'YYYY-MM-DD')),
			NULL::pg_catalog.text,
			'no_data_found'::pg_catalog.text);
	END IF;
	since := coalesce(since, first);
	until := coalesce(until, last);
	IF since OPERATOR(pg_catalog.>=) until THEN
		PERFORM @extschema@.clv_quick_refuse(pg_catalog.format('since (%s) must be before until (%s)',
			pg_catalog.to_char(since, 'YYYY-MM-DD'), pg_catalog.to_char(until, 'YYYY-MM-DD')));
	END IF;
	edges := ARRAY[since];
	LOOP
		-- always counted from since: a month after January 31 is the end of February, two are March 31
		day := @extschema@.clv_validate_day(since,
			pg_catalog.cardinality(edges) OPERATOR(pg_catalog.*) period, 'period'::pg_catalog.text);
		IF day OPERATOR(pg_catalog.<=) edges[pg_catalog.cardinality(edges)] THEN
			PERFORM @extschema@.clv_quick_refuse(pg_catalog.format('period must be positive: %s', period));
		END IF;
		edges := edges OPERATOR(pg_catalog.||) least(day, until);
		EXIT WHEN day OPERATOR(pg_catalog.>=) until;
	END LOOP;

	RETURN QUERY EXECUTE
		'WITH began AS MATERIALIZED (SELECT f.first, f.covariates, pg_catalog.count(*) AS n, '
		'pg_catalog.dense_rank() OVER (ORDER BY f.covariates) AS vector '
		'FROM (SELECT @extschema@.clv_first_purchase(h.history, $2) AS first, h.covariates '
		'FROM (' OPERATOR(pg_catalog.||) histories OPERATOR(pg_catalog.||) ') h OFFSET 0) f WHERE f.first '
		'IS NOT NULL GROUP BY f.first, f.covariates), '
		'edge AS (SELECT e.day, e.number FROM pg_catalog.unnest($3) WITH ORDINALITY AS e (day, number)), '
		'pair AS MATERIALIZED (SELECT e.number, e.day OPERATOR(pg_catalog.-) b.first AS age, b.vector, b.n '
		'FROM edge e JOIN began b ON b.first OPERATOR(pg_catalog.<=) e.day), '
		-- what a newcomer is expected to do up to an age, once for each age that occurs
		'newcomer AS MATERIALIZED (SELECT b.vector, '
		OPERATOR(pg_catalog.||) CASE WHEN covariates IS NULL THEN '$1'
			ELSE '@extschema@.clv_with_covariates($1, pg_catalog.min(b.covariates))' END OPERATOR(pg_catalog.||)
		' AS model FROM began b GROUP BY b.vector), '
		'aged AS MATERIALIZED (SELECT w.vector, a.age, '
		'@extschema@.clv_expected_purchases(w.model, a.age OPERATOR(pg_catalog./) $4) AS repeats '
		'FROM (SELECT DISTINCT p.vector, p.age FROM pair p) a JOIN newcomer w ON w.vector '
		'OPERATOR(pg_catalog.=) a.vector), '
		'expected AS (SELECT p.number, @extschema@.clv_validate_sum(p.n OPERATOR(pg_catalog.*) a.repeats) AS repeats, '
		'pg_catalog.sum(p.n)::pg_catalog.int8 AS customers '
		'FROM pair p JOIN aged a ON a.age OPERATOR(pg_catalog.=) p.age AND a.vector OPERATOR(pg_catalog.=) '
		'p.vector GROUP BY p.number), '
		-- the period of a day is that which begins before it
		'bought AS (SELECT pg_catalog.width_bucket(l.day OPERATOR(pg_catalog.-) 1, $3) AS number, '
		'pg_catalog.count(*) AS repeats '
		'FROM (' OPERATOR(pg_catalog.||) histories OPERATOR(pg_catalog.||) ') h CROSS JOIN LATERAL '
		'@extschema@.clv_purchase_log(h.history) l '
		'WHERE l.purchase AND (l.day OPERATOR(pg_catalog.>) @extschema@.clv_first_purchase(h.history, $2)) '
		'GROUP BY 1) '
		'SELECT (e.number OPERATOR(pg_catalog.-) 1)::pg_catalog.int4, s.day, e.day, s.day '
		'OPERATOR(pg_catalog.>=) $2, coalesce(x.customers, 0), '
		'coalesce(x.repeats, 0) OPERATOR(pg_catalog.-) coalesce(y.repeats, 0), coalesce(b.repeats, 0), '
		'coalesce(x.repeats, 0) OPERATOR(pg_catalog.-) coalesce(z.repeats, 0), '
		'pg_catalog.sum(coalesce(b.repeats, 0)) OVER (ORDER BY e.number)::pg_catalog.int8 '
		'FROM edge e JOIN edge s ON s.number OPERATOR(pg_catalog.=) (e.number OPERATOR(pg_catalog.-) 1) '
		'LEFT JOIN expected x ON x.number OPERATOR(pg_catalog.=) e.number LEFT JOIN expected y ON y.number '
		'OPERATOR(pg_catalog.=) s.number '
		'LEFT JOIN expected z ON z.number OPERATOR(pg_catalog.=) 1 LEFT JOIN bought b ON b.number '
		'OPERATOR(pg_catalog.=) s.number ORDER BY e.number'
		USING model, as_of, edges, clock.unit_days;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_tracking(pg_catalog.text, pg_catalog.text, @extschema@.clv_model, pg_catalog.interval, pg_catalog.date, pg_catalog.date, pg_catalog.date, pg_catalog.text) IS
	'the repeat purchases that a model expects of the customers of a table or view in each period (starts_after, ends_on], counted from each one''s first purchase as of a newcomer, and those they made; both also summed up from since. Customers are those with a purchase up to as_of, the model''s where none is given, all where it has none; held_out: periods after as_of. since: their first day; until: the last purchase in the data, where the last period is cut. covariates: a column of vectors, for models with covariates';
