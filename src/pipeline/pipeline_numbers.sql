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

CREATE FUNCTION clv_internal.clv_pipeline_key_part(part pg_catalog.text) RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 5
RETURN pg_catalog.replace(pg_catalog.replace(part, '\', '\\'), '/', '\/');
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
