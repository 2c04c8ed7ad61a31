-- ---- what the quick look, validation and pipelines have in common: errors, arguments, statements -------
--
-- Bodies in BEGIN ATOMIC, and after RETURN, are bound to pg_catalog when the extension is created; those with SET
-- search_path are looked up in pg_catalog alone. Only what reads the caller's text runs with the caller's search_path.

-- Raises an error with this message, detail, hint (NULL: none) and SQLSTATE.
CREATE FUNCTION clv_internal.clv_raise(
	message pg_catalog.text, detail pg_catalog.text, hint pg_catalog.text, code pg_catalog.text)
	RETURNS pg_catalog.void
	AS 'MODULE_PATHNAME' LANGUAGE C VOLATILE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_raise(pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) IS
	'raises an error with the detail and the hint that are not NULL, code being an SQLSTATE or its name, without the '
	'CONTEXT lines of the functions that called it. A part of the quick look, of validation and of pipelines';

-- Raises an error with this message, of an invalid argument.
CREATE FUNCTION clv_internal.clv_raise(message pg_catalog.text) RETURNS pg_catalog.void
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
RETURN clv_internal.clv_raise(message, NULL::text, NULL::text, 'invalid_parameter_value'::text);
COMMENT ON FUNCTION clv_internal.clv_raise(pg_catalog.text) IS
	'raises an error of an invalid argument that explains itself. A part of the quick look, of validation and of '
	'pipelines';

-- The day; an error that names its argument if it is infinite. NULL if it is NULL.
CREATE FUNCTION clv_internal.clv_argument_date(argument pg_catalog.text, day pg_catalog.date)
	RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_argument_date(pg_catalog.text, pg_catalog.date) IS
	'the day; an error that names the argument it was given as where it is infinite. A part of the quick look and of '
	'validation';

-- The interval; an error that names its argument if it is infinite or not a whole number of days. NULL if it is NULL.
CREATE FUNCTION clv_internal.clv_argument_span(argument pg_catalog.text, span pg_catalog.interval)
	RETURNS pg_catalog.interval
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_argument_span(pg_catalog.text, pg_catalog.interval) IS
	'the interval; an error that names the argument it was given as where it is infinite, or has a part of a day, such '
	'as a number without a unit, which counts seconds. A part of the quick look, of validation and of pipelines';

-- Raises a WARNING, once a statement, of a discount rate or a margin that looks like percent.
CREATE FUNCTION clv_internal.clv_argument_rates(discount_rate pg_catalog.float8, margin pg_catalog.float8)
	RETURNS pg_catalog.void
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2;
COMMENT ON FUNCTION clv_internal.clv_argument_rates(pg_catalog.float8, pg_catalog.float8) IS
	'warns of a discount rate or a margin that looks like percent, once a statement. A part of pipelines';

-- The quotient of two numbers; NULL if the second is zero or not finite. Not strict, or it could not be inlined.
CREATE FUNCTION clv_internal.clv_ratio(number pg_catalog.float8, by_number pg_catalog.float8) RETURNS pg_catalog.float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1
RETURN CASE WHEN by_number <> 0::float8 AND abs(by_number) < 'Infinity'::float8 THEN number / by_number END;
COMMENT ON FUNCTION clv_internal.clv_ratio(pg_catalog.float8, pg_catalog.float8) IS
	'the first number divided by the second; NULL where that is zero or not finite. A part of the quick look and of '
	'validation';

-- The pieces of a template in their order: m[1] as it stands, or NULL for a hole, {...} of this pattern, whose groups
-- are m[2] and so on. One pass, so that whatever is filled in is not read again.
CREATE FUNCTION clv_internal.clv_template(template pg_catalog.text, hole pg_catalog.text)
RETURNS TABLE (m pg_catalog.text[], n pg_catalog.int8)
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 ROWS 20
BEGIN ATOMIC
	SELECT CASE WHEN t.m[2] = 'extschema' THEN ARRAY['@extschema@'] ELSE t.m END, t.n
	FROM regexp_matches(CASE
			-- a name of the schema that has to be quoted may look as if it had holes
			WHEN '@extschema@' LIKE '"%' THEN replace(template, '@extschema@', '{extschema}')
			ELSE template
		END, E'([^{]+|\\{|$)|\\{' || hole || E'\\}', 'g') WITH ORDINALITY AS t (m, n);
END;
COMMENT ON FUNCTION clv_internal.clv_template(pg_catalog.text, pg_catalog.text) IS
	'the pieces of a template: text as it stands, or the groups of the pattern of a hole; the hole {extschema} is '
	'the schema of the extension. A part of the quick look, of validation and of pipelines';

-- A statement with its named holes filled in: {name} with a part as it is, {name:I} as an identifier and
-- {name:L} as a literal. A hole without a part stays.
CREATE FUNCTION clv_internal.clv_statement(template pg_catalog.text, parts pg_catalog.jsonb)
RETURNS pg_catalog.text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2000
BEGIN ATOMIC
	SELECT string_agg(CASE
			WHEN t.m[1] IS NOT NULL THEN t.m[1]
			WHEN NOT parts ? t.m[2] THEN concat('{', t.m[2], ':' || t.m[3], '}')
			WHEN t.m[3] = 'I' THEN quote_ident(parts ->> t.m[2])
			WHEN t.m[3] = 'L' THEN quote_nullable(parts ->> t.m[2])
			ELSE parts ->> t.m[2] END, '' ORDER BY t.n)
	FROM clv_internal.clv_template(template, '([a-z_]+)(?::([IL]))?') AS t;
END;
COMMENT ON FUNCTION clv_internal.clv_statement(pg_catalog.text, pg_catalog.jsonb) IS
	'a statement with its holes filled in by the parts of that name, in one pass: {name} as it is, {name:I} as an '
	'identifier, {name:L} as a literal. A part of the quick look and of validation';
