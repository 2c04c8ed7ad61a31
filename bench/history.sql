-- history.sql - the main figures of a run, as a line of bench/HISTORY.md has them: each in multiples of its floor, or
-- of count, min, max and sum by customer over the same orders, so that they may be compared with those of another day.
-- Run by bench/run after all lines.

WITH figure (id, name, line, side) AS (
	VALUES
		(1, 'history', '^history, numeric, [0-9.]+ [kM] orders', 'floor'),
		(2, 'clv_histories', '^clv_histories, numeric, [0-9.]+ [kM] orders', 'floor'),
		(3, 'fit', '^fit mbg/nbd and gamma/gamma, ', 'floor'),
		(4, 'clv_p_alive', '^clv_p_alive, pareto/nbd, ', 'floor'),
		(5, 'clv_predict', '^clv_predict, all columns, bg/nbd, ', 'floor'),
		(6, 'rfmtc_score', '^rfmtc_score, all scores, ', NULL),
		(7, 'orders to CLV', '^orders to CLV, bg/nbd, ', NULL),
		(8, 'full refresh', '^refresh: in full, ', NULL)
),
yardstick AS (
	SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms
	FROM timing
	WHERE side = 'floor' AND what ~ '^history, numeric, [0-9.]+ [kM] orders'
),
ratio AS (
	SELECT f.id, f.name, dense_rank() OVER (PARTITION BY f.id ORDER BY t.what) AS line,
		t.ms / CASE WHEN f.side IS NULL THEN (SELECT y.ms FROM yardstick y) ELSE o.ms END AS times
	FROM figure f
	JOIN timing t ON t.side = 'clv' AND t.what ~ f.line
	LEFT JOIN timing o ON o.what = t.what AND o.side = f.side AND o.run = t.run
)
SELECT concat_ws('|', f.name,
	coalesce(round(percentile_cont(0.5) WITHIN GROUP (ORDER BY r.times)::numeric, 2)::text, '-'),
	coalesce(round(min(r.times)::numeric, 2)::text, '-'), coalesce(round(max(r.times)::numeric, 2)::text, '-'))
FROM figure f
LEFT JOIN ratio r ON r.id = f.id AND r.line = 1
GROUP BY f.id, f.name
ORDER BY f.id;
