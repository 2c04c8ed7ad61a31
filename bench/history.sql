-- history.sql - the main figures of a run, as a line of bench/HISTORY.md has them: each in multiples of its floor, or
-- of count, min, max and sum by customer over the same orders, so that they may be compared with those of another day.
-- Run by bench/run after all lines.

WITH figure (id, name, line, side) AS (
	VALUES
		(1, 'history', '^history, numeric, [0-9.]+ M orders', 'floor'),
		(2, 'clv_histories', '^clv_histories, numeric, [0-9.]+ M orders', 'floor'),
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
	WHERE side = 'floor' AND what ~ '^history, numeric, [0-9.]+ M orders'
),
ratio AS (
	SELECT f.id, f.name, dense_rank() OVER (PARTITION BY f.id ORDER BY t.what) AS line,
		t.ms / CASE WHEN f.side IS NULL THEN (SELECT y.ms FROM yardstick y) ELSE o.ms END AS times
	FROM figure f
	JOIN timing t ON t.side = 'clv' AND t.what ~ f.line
	LEFT JOIN timing o ON o.what = t.what AND o.side = f.side AND o.run = t.run
)
SELECT concat_ws('|', name, round(percentile_cont(0.5) WITHIN GROUP (ORDER BY times)::numeric, 2),
	round(min(times)::numeric, 2), round(max(times)::numeric, 2))
FROM ratio
WHERE line = 1
GROUP BY id, name
ORDER BY id;
