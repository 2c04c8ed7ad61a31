-- growth_page.sql - the page of the growth benchmark: exponents, and the points behind them.

\pset fieldsep ' | '
\echo 'CPU milliseconds of one backend, medians of three; MB beyond the start of the backend, shared buffers left out.'
\echo 'The exponent e is that of a power law, cost ~ size^e, fitted to the logarithms of all points, and of the upper'
\echo 'three: at the lower end what a fit costs whatever its size shows. 1 is linear.'
\echo ''
\echo '![cost against size](growth.svg)'
\echo ''
\echo '| growing with | what | exponent | of the upper three |'
\echo '|---|---|---|---|'
SELECT '| ' || series, what, round(regr_slope(ln(value), ln(size))::numeric, 2),
	   round((regr_slope(ln(value), ln(size)) FILTER (WHERE rank <= 3))::numeric, 2) || ' |'
FROM (SELECT *, rank() OVER (PARTITION BY series, what ORDER BY size DESC) FROM points) p
GROUP BY series, what ORDER BY series, what;
\echo ''
\echo '| growing with | what | size: cost |'
\echo '|---|---|---|'
SELECT '| ' || series, what || ', ' || min(unit),
	   string_agg(size || ': ' || round(value::numeric, CASE WHEN value < 10 THEN 1 ELSE 0 END),
		   ', ' ORDER BY size) || ' |'
FROM points GROUP BY series, what ORDER BY series, what;
