-- ---- validation: what the model said, and what the customers did ----------------------------------
--
-- Functions over a table of histories by name: they write a statement and run it with the rights and the
-- search_path of the caller, as the quick look does, whose parts they use.

CREATE FUNCTION @extschema@.clv_validate_clock(
	model @extschema@.clv_model,
	OUT clock pg_catalog.text,
	OUT unit_days pg_catalog.float8,
	OUT covariates pg_catalog.int4,
	OUT time_unit pg_catalog.interval
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_validate_clock(@extschema@.clv_model) IS
	'how a model counts time: continuous, opportunities, renewals or campaigns, the days of its time unit, how many covariates it has, and the time unit itself. A part of validation';

CREATE FUNCTION @extschema@.clv_validate_covariates(
	model @extschema@.clv_model,
	covariates pg_catalog.text
) RETURNS pg_catalog.void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
DECLARE
	wanted pg_catalog.int4 := (@extschema@.clv_validate_clock(model)).covariates;
BEGIN
	IF (wanted OPERATOR(pg_catalog.>) 0) AND covariates IS NULL THEN
		PERFORM @extschema@.clv_quick_refuse('the model needs the covariates of the customers'::pg_catalog.text,
			NULL::pg_catalog.text,
			'Give covariates => the column that holds them, as an array of numbers.'::pg_catalog.text,
			'invalid_parameter_value'::pg_catalog.text);
	END IF;
	IF (wanted OPERATOR(pg_catalog.=) 0) AND covariates IS NOT NULL THEN
		PERFORM @extschema@.clv_quick_refuse('the model knows no covariates'::pg_catalog.text,
			NULL::pg_catalog.text,
			'Leave the argument covariates out.'::pg_catalog.text,
			'invalid_parameter_value'::pg_catalog.text);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_validate_covariates(@extschema@.clv_model, pg_catalog.text) IS
	'an error unless a column of covariates is given where the model has some, and only there. A part of validation';

-- Sums of doubles that are the same in any order of rows. COST in units of 20 ns.
CREATE FUNCTION @extschema@.clv_validate_sum_add(pg_catalog.internal, pg_catalog.float8) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.clv_validate_sum_add(pg_catalog.internal, pg_catalog.float8) IS 'of clv_validate_sum: takes a number into the state; NULLs are skipped';
CREATE FUNCTION @extschema@.clv_validate_sum_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION @extschema@.clv_validate_sum_combine(pg_catalog.internal, pg_catalog.internal) IS 'of clv_validate_sum: puts two states together';
CREATE FUNCTION @extschema@.clv_validate_sum_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_validate_sum_serialize(pg_catalog.internal) IS 'of clv_validate_sum: sends a state to another process';
CREATE FUNCTION @extschema@.clv_validate_sum_deserialize(pg_catalog.bytea, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_validate_sum_deserialize(pg_catalog.bytea, pg_catalog.internal) IS 'of clv_validate_sum: receives a state; every byte is checked';
CREATE FUNCTION @extschema@.clv_validate_sum_final(pg_catalog.internal) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION @extschema@.clv_validate_sum_final(pg_catalog.internal) IS 'of clv_validate_sum: the sum';
CREATE AGGREGATE @extschema@.clv_validate_sum(pg_catalog.float8) (
	SFUNC = @extschema@.clv_validate_sum_add, STYPE = pg_catalog.internal, SSPACE = 80,
	FINALFUNC = @extschema@.clv_validate_sum_final, COMBINEFUNC = @extschema@.clv_validate_sum_combine,
	SERIALFUNC = @extschema@.clv_validate_sum_serialize, DESERIALFUNC = @extschema@.clv_validate_sum_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.clv_validate_sum(pg_catalog.float8) IS
	'the sum of doubles, to the last digit the same in any order of rows; NULL without one, NULLs are skipped, and out of range as with sum(). A part of validation';

CREATE FUNCTION @extschema@.clv_validate_purchases(
	model @extschema@.clv_model,
	history @extschema@.clv_history,
	as_of pg_catalog.date,
	periods pg_catalog.int4
) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_validate_purchases(@extschema@.clv_model, @extschema@.clv_history, pg_catalog.date, pg_catalog.int4) IS
	'repeat purchases as the model counts them, in so many periods after as_of (negative: up to it; 0: all up to it): days of a model of continuous time, else its own periods: those with a purchase, of a contract the renewals of the one that as_of finds. A part of validation';

CREATE FUNCTION @extschema@.clv_validate_periods(
	model @extschema@.clv_model,
	since pg_catalog.date,
	horizon pg_catalog.interval,
	OUT periods pg_catalog.int4,
	OUT until pg_catalog.date
) RETURNS record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_validate_periods(@extschema@.clv_model, pg_catalog.date, pg_catalog.interval) IS
	'of a model of discrete time, how many periods a horizon is, and the day by which so many after those that are over at since are over for everybody (NULLs of continuous time); an error where the horizon is no whole number of them. A part of validation';

CREATE FUNCTION @extschema@.clv_validate_histories(
	source pg_catalog.text, history pg_catalog.text, covariates pg_catalog.text)
RETURNS pg_catalog.text
LANGUAGE plpgsql STABLE PARALLEL SAFE COST 10000 AS $$
DECLARE
	relation pg_catalog.record;
	history_column pg_catalog.record;
	vector_column pg_catalog.record;
	vectors pg_catalog.text := 'NULL';
BEGIN
	relation := @extschema@.clv_quick_source(source);
	history_column := @extschema@.clv_quick_column(relation.query, relation.title, 'history'::pg_catalog.text, history);
	IF @extschema@.clv_quick_base_type(history_column.column_type) OPERATOR(pg_catalog.<>)
		'@extschema@.clv_history'::pg_catalog.regtype::pg_catalog.oid
	THEN
		PERFORM @extschema@.clv_quick_refuse(pg_catalog.format('column "%s" of %s is of type %s, not clv_history', history_column.column_name,
				relation.title, pg_catalog.format_type(history_column.column_type, history_column.column_typmod)),
			NULL::pg_catalog.text,
			('Make the histories first: CREATE TABLE customer AS SELECT customer_id, '
				'clv_history(bought_at, amount) AS history FROM orders GROUP BY customer_id.')::pg_catalog.text,
			'datatype_mismatch'::pg_catalog.text);
	END IF;
	IF covariates IS NOT NULL THEN
		vector_column := @extschema@.clv_quick_column(relation.query, relation.title, 'covariates'::pg_catalog.text, covariates);
		IF @extschema@.clv_quick_base_type(vector_column.column_type)::pg_catalog.regtype
			OPERATOR(pg_catalog.<>) ALL ('{pg_catalog.float8[],pg_catalog.float4[],pg_catalog.numeric[],pg_catalog.int2[],'
			'pg_catalog.int4[],pg_catalog.int8[]}'::pg_catalog.regtype[])
		THEN
			PERFORM @extschema@.clv_quick_refuse(pg_catalog.format('column "%s" of %s is of type %s, not an array of numbers',
					vector_column.column_name, relation.title,
					pg_catalog.format_type(vector_column.column_type, vector_column.column_typmod)),
				NULL::pg_catalog.text,
				'A view can make one: ARRAY[female::int, age] AS covariates.'::pg_catalog.text,
				'datatype_mismatch'::pg_catalog.text);
		END IF;
		vectors := pg_catalog.format('s.%I', vector_column.column_name);
	END IF;
	RETURN pg_catalog.format('SELECT s.%I::@extschema@.clv_history AS history, '
		'%s::pg_catalog.float8[] AS covariates FROM %s AS s',
		history_column.column_name, vectors, relation.item);
END
$$;
COMMENT ON FUNCTION @extschema@.clv_validate_histories(pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'the statement that reads the histories and covariates (NULL: none) of a table or view by name, with the columns checked. A part of validation';

CREATE FUNCTION @extschema@.clv_validate_day(
	since pg_catalog.date, span pg_catalog.interval, argument pg_catalog.text)
RETURNS pg_catalog.date
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
DECLARE
	day pg_catalog.date := (since OPERATOR(pg_catalog.+) @extschema@.clv_quick_span(argument, span))::pg_catalog.date;
BEGIN
	IF span IS NULL THEN
		PERFORM @extschema@.clv_quick_refuse(pg_catalog.format('%s must be a length of time, not NULL', argument),
			NULL::pg_catalog.text,
			'Such as ''1 year'' or ''13 weeks''.'::pg_catalog.text,
			'null_value_not_allowed'::pg_catalog.text);
	END IF;
	IF day OPERATOR(pg_catalog.<=) since THEN
		PERFORM @extschema@.clv_quick_refuse(pg_catalog.format('%s must be positive: %s', argument, span),
			NULL::pg_catalog.text,
			'Such as ''1 year'' or ''13 weeks''.'::pg_catalog.text,
			'invalid_parameter_value'::pg_catalog.text);
	END IF;
	RETURN day;
END
$$;
COMMENT ON FUNCTION @extschema@.clv_validate_day(pg_catalog.date, pg_catalog.interval, pg_catalog.text) IS
	'the day that lies so far after another, by the calendar; an error that names the argument unless it is whole days, and the day a later one. A part of validation';
