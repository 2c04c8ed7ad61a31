-- Input functions give the same error for a text that is no value, raised or reported. Servers before 16 only raise
-- errors, so that both are the same there.
SET client_min_messages = warning;
CREATE FUNCTION pg_temp.raised(given text, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text;
BEGIN
	EXECUTE format('SELECT %L::%s', given, type);
	RETURN 'valid';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL,
		hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', state, message, nullif(detail, ''), nullif(hint, ''));
END $$;
-- NULL: the error was raised where it should have been reported
CREATE FUNCTION pg_temp.reported(given text, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
BEGIN
	IF current_setting('server_version_num')::int < 160000 THEN
		RETURN pg_temp.raised(given, type);
	END IF;
	EXECUTE $q$SELECT CASE WHEN pg_input_is_valid($1, $2) THEN 'valid'
		ELSE (SELECT concat_ws(' | ', sql_error_code, message, detail, hint)
		FROM pg_input_error_info($1, $2)) END$q$ INTO said USING given, type;
	RETURN said;
EXCEPTION WHEN OTHERS THEN
	RETURN NULL;
END $$;
-- values of each type
CREATE TEMP TABLE value AS
SELECT 'clv_history' AS type,
	   '{"occasion":1,"days":[["1997-01-01",29.33],["1997-03-02",-11.77,"refund"],["1997-03-05",null],
		["1997-03-09",2,"unknown",2]]}' AS text
UNION ALL SELECT 'clv_model', $${"version": 1, "time_unit": "7 days", "as_of": "1997-09-30", "occasion": 1,
	"purchase": {"family": "mbg/nbd", "parameters": {"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5},
		"customers": 9223372036854775807, "skipped": 3, "converged": true,
		"log_likelihood": -9582.5, "iterations": 6,
		"covariance": [[0.0025], [0.001, 0.01], [0, 0, 0.04], [0, 0, 0.03, 0.0625]]},
	"spend": {"family": "gamma/gamma", "parameters": {"p": 6, "q": 4, "gamma": 16}, "basis": "all"}}$$
UNION ALL SELECT 'clv_cells',
	clv_cells(h,
		clv_options(model => 'mbg/cnbd-k', as_of => '2020-03-01', covariates => '{z}', shape_penalty => 0.5,
	start => clv_model('mbg/cnbd-k', '{"k": 2, "r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week')),
		ARRAY[c % 2]::float8[])::text
	FROM (SELECT c, clv_history(date '2020-01-01' + i * (1 + c % 4), c + 0.5)
		  FROM generate_series(1, 5) c, generate_series(0, c) i GROUP BY c) q (c, h)
UNION ALL SELECT 'clv_calendar',
	clv_calendar(date '2022-01-03' + 7 * i, ARRAY[i % 2, 9.9 + i / 3], '{campaign,price}')::text
FROM generate_series(0, 12) i
UNION ALL SELECT 'clv_cuts',
	rfmtc_cuts(h, '2020-03-01',
		clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week') ||
		clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}'), 3)::text
	FROM (SELECT c, clv_history(date '2020-01-01' + i * (1 + c % 4), c + 0.5)
		  FROM generate_series(1, 5) c, generate_series(0, c) i GROUP BY c) q (c, h);
SELECT type, pg_temp.raised(text, type) AS raised, pg_temp.reported(text, type) AS reported FROM value ORDER BY type;
-- and damaged ones: cut off, without a piece, with other text in its place
CREATE TEMP TABLE attempt AS
SELECT type, left(text, n) AS text FROM value, generate_series(0, length(text) - 1, 3) n
UNION SELECT type, left(text, n) || substr(text, n + 3) FROM value, generate_series(0, length(text) - 1, 5) n
UNION SELECT type, overlay(text PLACING token FROM n FOR length(token))
FROM value, string_to_array('- 9 " \ { [[ null 1e400 99999999999999999999 1997-02-30 -7 Inf', ' ') tokens,
	 unnest(tokens) token, generate_series(1, length(text), 3) n;
SELECT type, count(*) > 400 AS many, count(*) FILTER (WHERE raised <> 'valid') > 400 AS most_are_none,
	   count(DISTINCT split_part(raised, ' | ', 1)) >= 3 AS various,
	   bool_and(reported = raised) IS TRUE AS reported_as_raised
  FROM (SELECT type, pg_temp.raised(text, type), pg_temp.reported(text, type) FROM attempt) q GROUP BY type
  ORDER BY type;
SELECT type, text, raised, reported
FROM (SELECT type, text, pg_temp.raised(text, type), pg_temp.reported(text, type) FROM attempt) q
 WHERE reported IS DISTINCT FROM raised LIMIT 3;
-- a row type passes it on, a cast in SQL raises
CREATE TYPE pg_temp.kept AS (id int, h clv_history);
SELECT pg_temp.reported('(1,"{""occasion"":0,""days"":[]}")', 'pg_temp.kept')
	   = pg_temp.raised('(1,"{""occasion"":0,""days"":[]}")', 'pg_temp.kept') AS in_a_row;
SELECT '{"occasion":0,"days":[]}'::clv_history;
-- COPY leaves out what is no value, from 17 on
CREATE TABLE copied (h clv_history, m clv_model, k clv_calendar, c clv_cells, t clv_cuts);
DO $$
DECLARE
	program text := (SELECT format($p$printf '%%s\n' %s$p$, string_agg(quote_literal(line), ' ')) FROM (
		SELECT string_agg(text, E'\t' ORDER BY type <> 'clv_history', type <> 'clv_model', type)
		FROM (SELECT type, translate(text, E'\n\t', '  ') AS text FROM value) v
		UNION ALL SELECT string_agg(CASE WHEN type = broken THEN replace(text, '"', '') ELSE text END,
			E'\t' ORDER BY type <> 'clv_history', type <> 'clv_model', type)
			FROM (SELECT type, translate(text, E'\n\t', '  ') AS text FROM value) v,
				 (SELECT type AS broken FROM value) b GROUP BY broken) l (line));
BEGIN
	IF current_setting('server_version_num')::int >= 170000 THEN
		EXECUTE format('COPY copied FROM PROGRAM %L (ON_ERROR ignore)', program);
	ELSE
		INSERT INTO copied
		SELECT max(text) FILTER (WHERE type = 'clv_history')::clv_history,
			   max(text) FILTER (WHERE type = 'clv_model')::clv_model,
			max(text) FILTER (WHERE type = 'clv_calendar')::clv_calendar,
			max(text) FILTER (WHERE type = 'clv_cells')::clv_cells,
			max(text) FILTER (WHERE type = 'clv_cuts')::clv_cuts
			FROM value;
	END IF;
END $$;
SELECT count(*) AS copied FROM copied;
DROP TABLE copied;
