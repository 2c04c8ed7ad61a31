-- The sum of the logarithms of times between purchases in clv_cells: what customers with these cells can have, and
-- nothing else
CREATE TEMP TABLE pattern AS
SELECT name,
	   clv_cells(h, clv_options(model => 'mbg/cnbd-k', as_of => '2020-12-31', spend => 'none', shock => false)) AS c
  FROM (SELECT name, clv_history(date '2020-01-01' + d, 1) AS h
		  FROM (VALUES ('early', '{0,1,10}'::int[]), ('even', '{0,5,10}'), ('late', '{0,9,10}'),
					('long', '{0,30,60,90}'), ('once', '{0}')) v (name, days), unnest(days) d GROUP BY name) q
 GROUP BY name;
CREATE FUNCTION pg_temp.times(c clv_cells) RETURNS float8 LANGUAGE sql
	RETURN (c::jsonb #>> '{times,0}')::float8 * 2::float8 ^ -20 + (c::jsonb #>> '{times,1}')::float8 * 2::float8 ^ -50;
SELECT name,
	   abs(pg_temp.times(c) - CASE name WHEN 'even' THEN 2 * ln(5) WHEN 'long' THEN 3
		   * ln(30) WHEN 'once' THEN 0 ELSE ln(9) END) < 1e-13 AS right
  FROM pattern ORDER BY name;
CREATE FUNCTION pg_temp.c(text) RETURNS clv_cells LANGUAGE sql RETURN (SELECT c FROM pattern WHERE name = $1);
-- errors: with the same first and last days no customer is left, but a part of the sum is
SELECT pg_temp.c('early') - pg_temp.c('even');
SELECT pg_temp.c('even') - pg_temp.c('early');
-- times in another order have the same sum
SELECT (pg_temp.c('early') - pg_temp.c('late'))::jsonb -> 'times' AS times;
-- one customer left: 3 times in 90 days, from ln 88 to 3 ln 30
SELECT (pg_temp.c('long') + pg_temp.c('even')) - pg_temp.c('early');
SELECT (pg_temp.c('once') + pg_temp.c('even')) - pg_temp.c('early');
-- customers can be subtracted in any order
SELECT bool_and((a.c + b.c) - b.c = a.c AND ((a.c + b.c) + a.c) - (b.c + a.c) = a.c) AS taken_out
  FROM pattern a, pattern b;
-- text and JSON refuse what subtraction refuses
CREATE FUNCTION pg_temp.try(cells text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text; as_json text;
BEGIN
	BEGIN
		PERFORM cells::jsonb::clv_cells;
	EXCEPTION WHEN OTHERS THEN
		as_json := SQLERRM;
	END;
	PERFORM cells::clv_cells;
	RETURN coalesce(as_json, 'fine');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN CASE WHEN as_json = SQLERRM THEN concat_ws(': ', SQLERRM, detail) ELSE 'text and JSON differ' END;
END $$;
SELECT name, times, pg_temp.try(regexp_replace(c::text, '"times": \[[^]]*\]', '"times": [' || times || ']')) AS verdict
  FROM (VALUES ('even', '-1, 0'), ('even', '0, 0'), ('even', '2303955, 0'), ('even', '2303957, 0'),
			('even', '3375235, 0'), ('even', '3375245, 0'), ('even', '0, 2473901162496000'),
			   ('even', '9223372036854775807, 0'), ('once', '0, 0'), ('once', '0, 1'),
			   ('once', '1, -1073741824')) v (name, times)
		  JOIN pattern USING (name) ORDER BY name, times;
