-- ---- numbers and keys as tables and views show them -------------------------------------------------------
--
-- Every driver must be able to read them: no NaN and no infinity, money with two decimals, no text of more than 255
-- characters.

CREATE FUNCTION clv_internal.clv_finite(number pg_catalog.float8) RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
-- not strict, or it could not be inlined
RETURN CASE WHEN number OPERATOR(pg_catalog.>) '-Infinity'::pg_catalog.float8
	AND number OPERATOR(pg_catalog.<) 'Infinity'::pg_catalog.float8 THEN number END;
COMMENT ON FUNCTION clv_internal.clv_finite(pg_catalog.float8) IS
	'the number, or NULL where it is infinite or NaN, which many BI tools cannot read';

CREATE FUNCTION clv_internal.clv_cents(number pg_catalog.float8) RETURNS pg_catalog.numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_cents(pg_catalog.float8) IS
	'the number with two decimals (a half away from zero), or NULL where it is infinite or NaN, or 1e22 and more, '
	'which numeric(24,2) does not hold: predicted money as a decimal number, without the cast that prints it first';

CREATE FUNCTION clv_internal.clv_double(number pg_catalog.numeric) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_double(pg_catalog.numeric) IS
	'the number as the cast to float8 gives it, money without printing and reading it';

CREATE FUNCTION clv_internal.clv_pipeline_rounded(number pg_catalog.numeric) RETURNS pg_catalog.numeric
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN number = 0 OR scale(number) <= 2 THEN number ELSE round(number,
		greatest(2, 8 - floor(log(abs(number)))::int4)) END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_rounded(pg_catalog.numeric) IS
	'a number to nine digits; money, which has two decimals at most, as it is. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_z_score(
	k pg_catalog.int8, n pg_catalog.int8, kk pg_catalog.int8, nn pg_catalog.int8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN nn > 1 AND n BETWEEN 0 AND nn AND kk BETWEEN 0 AND nn THEN (k - n::float8 * kk / nn)
		/ nullif(sqrt(n::float8 * kk / nn * (1 - kk::float8 / nn) * (nn - n) / (nn - 1)), 0) END
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_z_score(
	pg_catalog.int8, pg_catalog.int8, pg_catalog.int8, pg_catalog.int8) IS
	'k of the n customers of a segment have a value, as kk of all nn have: the distance of k from its expectation in '
	'standard deviations of the hypergeometric distribution; NULL where nothing can vary, and where there cannot be '
	'as many. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_chance(
	k pg_catalog.int8, n pg_catalog.int8, kk pg_catalog.int8, nn pg_catalog.int8)
RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_pipeline_chance(
	pg_catalog.int8, pg_catalog.int8, pg_catalog.int8, pg_catalog.int8) IS
	'k of the n customers of a segment have a value, as kk of all nn have: how likely chance makes k differ from its '
	'expectation as much, by Fisher''s exact test; NULL where nothing can vary, and where there cannot be as many. A '
	'part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_spread(
	expected pg_catalog.float8, high pg_catalog.float8, mean_high pg_catalog.float8, scale pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 20
SET search_path = pg_catalog, pg_temp
AS $$
	SELECT sqrt(greatest(power(high - expected, 2) - coalesce(power(mean_high - expected, 2), 0), 0) * scale
		+ power(coalesce(mean_high - expected, 0) * scale, 2))
	WHERE abs(expected) < 'Infinity' AND abs(high) < 'Infinity' AND abs(coalesce(mean_high, 0)) < 'Infinity'
	  AND scale BETWEEN 0 AND 1e300
$$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_spread(
	pg_catalog.float8, pg_catalog.float8, pg_catalog.float8, pg_catalog.float8) IS
	'half the width of the prediction interval of a total, from that of a sample of one in scale customers, whose '
	'expectation is expected, with the upper ends of the prediction interval and of the confidence interval of the '
	'mean (NULL: the parameters are taken as known): the variance of what will happen grows with the number of '
	'customers, that of what is expected with its square. NULL where the sample has no interval, or none '
	'that is finite. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key_part(part pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5
RETURN pg_catalog.replace(pg_catalog.replace(part, E'\\', E'\\\\'), '/', E'\\/');
COMMENT ON FUNCTION clv_internal.clv_pipeline_key_part(pg_catalog.text) IS
	'a column of a key of several, with a backslash before what could be taken for the slash between two. A part of '
	'pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_key(key pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql STABLE PARALLEL SAFE COST 5
-- ODBC cannot sort longer ones
RETURN CASE WHEN pg_catalog.char_length(key) OPERATOR(pg_catalog.<) 255 THEN key
	ELSE pg_catalog.concat("left"(key, 190), '#', pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(key,
		'UTF8')), 'hex')) END;
COMMENT ON FUNCTION clv_internal.clv_pipeline_key(pg_catalog.text) IS
	'a key as text of at most 255 characters, different for different keys: one of 255 or more is cut, and ends with '
	'its SHA-256. A part of pipelines';

-- ---- sums of curves ---------------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_curve_sum_add(
	pg_catalog.bytea, pg_catalog.float8[], pg_catalog.float8) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_pipeline_curve_sum_add(
	pg_catalog.bytea, pg_catalog.float8[], pg_catalog.float8) IS
	'of clv_pipeline_curve_sum: takes a curve and a spend into the state; NULL curves are skipped';
CREATE FUNCTION clv_internal.clv_pipeline_curve_sum_combine(pg_catalog.bytea, pg_catalog.bytea)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_internal.clv_pipeline_curve_sum_combine(pg_catalog.bytea, pg_catalog.bytea) IS
	'of clv_pipeline_curve_sum: puts two states together';
CREATE FUNCTION clv_internal.clv_pipeline_curve_sum_final(pg_catalog.bytea) RETURNS pg_catalog.float8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 200;
COMMENT ON FUNCTION clv_internal.clv_pipeline_curve_sum_final(pg_catalog.bytea) IS
	'of clv_pipeline_curve_sum: the sums';
CREATE AGGREGATE clv_internal.clv_pipeline_curve_sum(curve pg_catalog.float8[], spend pg_catalog.float8) (
	SFUNC = clv_internal.clv_pipeline_curve_sum_add, STYPE = pg_catalog.bytea, SSPACE = 16384,
	FINALFUNC = clv_internal.clv_pipeline_curve_sum_final,
	COMBINEFUNC = clv_internal.clv_pipeline_curve_sum_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_pipeline_curve_sum(pg_catalog.float8[], pg_catalog.float8) IS
	'the sums of vectors, number by number, and of their products with a number each: {{sums}, {sums of products}}, to '
	'the last digit the same in any order of rows. A NULL vector is skipped, and so is the product with NULL; NULL '
	'where a sum is infinite or NaN, or there is nothing to add. Vectors of different length are an error. A part of '
	'pipelines';

-- ---- sums by month and by hundredth -----------------------------------------------------------------------

CREATE TYPE clv_internal.clv_pipeline_month AS (
	cohort_month pg_catalog.date,
	month pg_catalog.date,
	customers pg_catalog.int8,
	purchases pg_catalog.int8,
	buyers pg_catalog.int8,
	revenue pg_catalog.numeric,
	early pg_catalog.numeric,
	after pg_catalog.numeric
);
COMMENT ON TYPE clv_internal.clv_pipeline_month IS
	'what the customers of a month of first purchase did in a month: purchases, buyers, revenue. In the first month '
	'also how many customers there are, what refunds before the first purchase come to (early; part of its revenue), '
	'and what is later than the day (after; of no revenue). Months are NULL for customers without a purchase up to '
	'the day. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_months_add(pg_catalog.bytea, @extschema@.clv_history, pg_catalog.date)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_pipeline_months_add(
	pg_catalog.bytea, @extschema@.clv_history, pg_catalog.date) IS
	'of clv_pipeline_months: takes a history and the day into the state';
CREATE FUNCTION clv_internal.clv_pipeline_months_combine(pg_catalog.bytea, pg_catalog.bytea)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_months_combine(pg_catalog.bytea, pg_catalog.bytea) IS
	'of clv_pipeline_months: puts two states together';
CREATE FUNCTION clv_internal.clv_pipeline_months_final(pg_catalog.bytea)
	RETURNS clv_internal.clv_pipeline_month[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_months_final(pg_catalog.bytea) IS
	'of clv_pipeline_months: the result';
CREATE AGGREGATE clv_internal.clv_pipeline_months(history @extschema@.clv_history, as_of pg_catalog.date) (
	SFUNC = clv_internal.clv_pipeline_months_add, STYPE = pg_catalog.bytea, SSPACE = 262144,
	FINALFUNC = clv_internal.clv_pipeline_months_final, COMBINEFUNC = clv_internal.clv_pipeline_months_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_pipeline_months(@extschema@.clv_history, pg_catalog.date) IS
	'what customers did in which month up to a day, by the month of their first purchase: a row of clv_pipeline_month '
	'for each pair of months with a purchase or refund, and one for customers without a purchase. NULL histories and '
	'days are skipped; NULL without any. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_hundredths_add(pg_catalog.bytea, pg_catalog.float8)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_pipeline_hundredths_add(pg_catalog.bytea, pg_catalog.float8) IS
	'of clv_pipeline_hundredths: takes a value into the state';
CREATE FUNCTION clv_internal.clv_pipeline_hundredths_combine(pg_catalog.bytea, pg_catalog.bytea)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_hundredths_combine(pg_catalog.bytea, pg_catalog.bytea) IS
	'of clv_pipeline_hundredths: puts two states together';
CREATE FUNCTION clv_internal.clv_pipeline_hundredths_final(pg_catalog.bytea)
	RETURNS pg_catalog.float8[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_hundredths_final(pg_catalog.bytea) IS
	'of clv_pipeline_hundredths: the result';
CREATE AGGREGATE clv_internal.clv_pipeline_hundredths(value pg_catalog.float8) (
	SFUNC = clv_internal.clv_pipeline_hundredths_add, STYPE = pg_catalog.bytea, SSPACE = 1048576,
	FINALFUNC = clv_internal.clv_pipeline_hundredths_final, COMBINEFUNC = clv_internal.clv_pipeline_hundredths_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_pipeline_hundredths(pg_catalog.float8) IS
	'the values of customers by hundredths, the most valuable first: rows of number of customers, sum of values, sum '
	'of values above zero, sum of these times their place (1 for the largest), and the quantile that the hundredth '
	'reaches up to. The customer at place i of n is in hundredth ceil(100 i / n); a NULL value counts as 0. NULL '
	'without customers. A part of pipelines';

-- ---- what lists are made of -------------------------------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_at_rank_add(pg_catalog.bytea, pg_catalog.float8, pg_catalog.int4)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_pipeline_at_rank_add(pg_catalog.bytea, pg_catalog.float8, pg_catalog.int4) IS
	'of clv_pipeline_at_rank: takes a value into the state';
CREATE FUNCTION clv_internal.clv_pipeline_at_rank_combine(pg_catalog.bytea, pg_catalog.bytea)
	RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_pipeline_at_rank_combine(pg_catalog.bytea, pg_catalog.bytea) IS
	'of clv_pipeline_at_rank: puts two states together';
CREATE FUNCTION clv_internal.clv_pipeline_at_rank_final(pg_catalog.bytea) RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_pipeline_at_rank_final(pg_catalog.bytea) IS
	'of clv_pipeline_at_rank: the result';
CREATE AGGREGATE clv_internal.clv_pipeline_at_rank(value pg_catalog.float8, rank pg_catalog.int4) (
	SFUNC = clv_internal.clv_pipeline_at_rank_add, STYPE = pg_catalog.bytea, SSPACE = 8192,
	FINALFUNC = clv_internal.clv_pipeline_at_rank_final, COMBINEFUNC = clv_internal.clv_pipeline_at_rank_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_internal.clv_pipeline_at_rank(pg_catalog.float8, pg_catalog.int4) IS
	'the value at a rank, 1 for the largest; NULLs are skipped, and NULL where there are fewer. A part of pipelines';

CREATE FUNCTION clv_internal.clv_pipeline_loss(
	clv pg_catalog.numeric, expected_purchases pg_catalog.float8, p_alive pg_catalog.float8)
RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5
-- not strict, or it could not be inlined
RETURN CASE WHEN p_alive OPERATOR(pg_catalog.<) 0.5::pg_catalog.float8 AND p_alive OPERATOR(pg_catalog.>) 0
	THEN coalesce(clv_internal.clv_double(clv), expected_purchases) OPERATOR(pg_catalog./) p_alive
		OPERATOR(pg_catalog.*) (1 OPERATOR(pg_catalog.-) p_alive) END;
COMMENT ON FUNCTION clv_internal.clv_pipeline_loss(pg_catalog.numeric, pg_catalog.float8, pg_catalog.float8) IS
	'what is lost with a customer who has probably gone: in value, or in purchases where there is no money; NULL of '
	'others. A part of pipelines';
