-- The accessors of a history, as of any day.
CREATE FUNCTION pg_temp.complaint(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no complaint';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' / ' || nullif(hint, ''), '');
END $$;

-- one customer, by hand: a refund before the first purchase; 30 and a refund of 10 later; two purchases of
-- unknown amount on one day; a refund after them; 50 and a refund of 60 on the same day; 7
CREATE TEMP TABLE one AS
SELECT clv_history(d, a) AS h
FROM (VALUES (date '1997-01-01', -3::numeric), ('1997-01-08', 30), ('1997-01-22', 40), ('1997-01-29', -10),
		  ('1997-02-05', NULL),
	('1997-02-05', NULL), ('1997-02-05', 5), ('1997-02-12', -1), ('1997-02-19', 50), ('1997-02-19', -60),
		('1997-03-05', 7)) v (d, a);
SELECT h FROM one;
SELECT clv_purchases(h), clv_first_purchase(h), clv_last_purchase(h), clv_total_spend(h) FROM one;
SELECT as_of, clv_purchases(h, as_of), clv_first_purchase(h, as_of), clv_last_purchase(h, as_of),
	   clv_total_spend(h, as_of),
	   rfmtc(h, as_of)
FROM one,
	 unnest('{1996-12-31,1997-01-01,1997-01-08,1997-01-21,1997-02-05,1997-02-12,1997-02-19,
		1997-03-05,1998-01-01}'::date[])
		 as_of;
-- the modeller's view in days: x, t_x and t_cal are whole numbers; repeats of known amount are 40 - 10, -10 and 7
SELECT as_of, s.x, s.t_x, s.t_cal, round(s.mean_spend::numeric, 6) AS mean, round(a.mean_spend::numeric, 6) AS mean_all
FROM one,
	 unnest('{1996-12-31,1997-01-01,1997-01-08,1997-01-22,1997-01-29,1997-02-05,1997-02-12,1997-02-19,1997-03-05,
		1998-01-01}'::date[]) as_of,
	 clv_summary(h, as_of, '1 day') s, clv_summary(h, as_of, '1 day', spend_basis => 'all') a;
SELECT s.* FROM one, clv_summary(h, '1997-03-05') s;
SELECT s.t_x * 365.25 / 12 = 56, s.t_cal = 1
FROM one, clv_summary(h, '1998-01-08', '1 month') s0, clv_summary(h, '1998-01-08', '365 days') s1,
	LATERAL (SELECT s0.t_x, s1.t_cal) s;
SELECT * FROM one, clv_purchase_log(h);
SELECT sum(amount) = clv_total_spend(h) FROM one, clv_purchase_log(h) GROUP BY h;

-- between two days: after the first, up to and including the second
SELECT clv_purchases_between(h, '1997-01-08', '1997-01-22'), clv_spend_between(h, '1997-01-08', '1997-01-29'),
	   clv_purchases_between(h, '1997-01-07', '1997-01-08'), clv_purchases_between(h, '1997-01-08', '1997-01-08'),
	   clv_spend_between(h, '1997-03-05', '1999-01-01') IS NULL AS nothing,
	   clv_purchases_between(h, '-infinity', 'infinity')
FROM one;
SELECT bool_and(clv_purchases(h, a) + clv_purchases_between(h, a, b) = clv_purchases(h, b)) AS counts,
	   bool_and(coalesce(clv_total_spend(h, a), 0) + coalesce(clv_spend_between(h, a, b), 0)
		   = coalesce(clv_total_spend(h, b), 0)) AS spend
FROM one,
	 LATERAL (SELECT date '1996-12-25' + i AS a, date '1996-12-25' + i + j * j AS b
			  FROM generate_series(0, 80) i, generate_series(0, 9) j) s;

-- no history, no purchase, no money
SELECT clv_purchases(NULL::clv_history) IS NULL, rfmtc(NULL, '1997-01-01') IS NULL,
	   clv_total_spend(NULL::clv_history) IS NULL;
SELECT clv_purchases(h), clv_first_purchase(h) IS NULL, clv_last_purchase(h) IS NULL,
	   clv_total_spend(h) IS NULL, rfmtc(h, '1997-01-01') IS NULL, s IS NULL
FROM (VALUES ('{"occasion":1,"days":[]}'::clv_history)) v (h), clv_summary(h, '1997-01-01') s;
SELECT clv_purchases(h), clv_first_purchase(h) IS NULL, clv_total_spend(h), rfmtc(h, '1998-01-01') IS NULL
FROM (VALUES ('{"occasion":1,"days":[["1997-01-01",-5,"refund"]]}'::clv_history)) v (h);
SELECT clv_purchases(h), clv_total_spend(h) IS NULL, (rfmtc(h, '1998-01-01')).monetary IS NULL,
	   (rfmtc(h, '1998-01-01')).frequency,
	   (clv_summary(h, '1998-01-01')).mean_spend IS NULL, (clv_summary(h, '1998-01-01')).x
FROM (SELECT clv_history(date '1997-01-01' + i * 30) AS h FROM generate_series(0, 2) i) s;

-- every as_of is the history of the rows up to that day
SELECT setseed(0.7);
CREATE TEMP TABLE trade AS
SELECT (random() * 60)::int AS id, date '1999-12-01' + (random() * 120)::int AS d,
	   CASE (random() * 9)::int WHEN 0 THEN NULL WHEN 1 THEN 0 WHEN 2 THEN -(random() * 50)::numeric(12,2)
	   ELSE (random() * 100)::numeric(12,2) END AS a
FROM generate_series(1, 900);
UPDATE trade SET a = a / 7 WHERE id < 5;
CREATE TEMP TABLE truth AS
SELECT id, as_of, whole.h, part.h AS part
FROM (SELECT id, clv_history(d, a) AS h FROM trade GROUP BY id) whole,
	 LATERAL (SELECT date '1999-11-20' + i AS as_of FROM generate_series(0, 150, 3) i) days,
	 LATERAL (SELECT clv_history(t.d, t.a) AS h FROM trade t WHERE t.id = whole.id AND t.d <= as_of) part;
SELECT count(*) > 3000 AS many, count(*) FILTER (WHERE part IS NULL) > 0 AS some_empty,
	   count(*) FILTER (WHERE clv_purchases(h, as_of) <> coalesce(clv_purchases(part), 0)) AS purchases,
	   count(*) FILTER (WHERE clv_first_purchase(h, as_of) IS DISTINCT FROM clv_first_purchase(part)) AS first,
	   count(*) FILTER (WHERE clv_last_purchase(h, as_of) IS DISTINCT FROM clv_last_purchase(part)) AS last,
	   count(*) FILTER (WHERE clv_total_spend(h, as_of) IS DISTINCT FROM clv_total_spend(part)) AS total,
	   count(*) FILTER (WHERE rfmtc(h, as_of) IS DISTINCT FROM rfmtc(part, as_of)) AS rfmtc,
	   count(*) FILTER (WHERE part IS NOT NULL
		   AND clv_summary(h, as_of) IS DISTINCT FROM clv_summary(part, as_of)) AS summary,
	   count(*) FILTER (WHERE part IS NOT NULL
		   AND clv_summary(h, as_of, '1 day', 'all')
			   IS DISTINCT FROM clv_summary(part, as_of, '1 day', 'all')) AS summary_all
FROM truth;
-- and equals plain SQL over the rows
WITH day AS (
	SELECT id, d, sum(a) AS a, bool_or(a >= 0 OR a IS NULL) AS bought, bool_or(a IS NULL) AS unknown
	FROM trade GROUP BY id, d),
account AS (
	SELECT *, count(*) FILTER (WHERE bought) OVER (PARTITION BY id ORDER BY d) AS nth FROM day),
purchase AS (
	SELECT id, nth, min(d) AS d, sum(a) AS a, bool_or(unknown) AS unknown FROM account WHERE nth > 0 GROUP BY id, nth),
plain AS (
	SELECT id, count(*) AS n, min(d) AS first, max(d) AS last,
		   avg(a) FILTER (WHERE nth > 1 AND NOT unknown) AS mean, avg(a) FILTER (WHERE NOT unknown) AS mean_all
	FROM purchase GROUP BY id)
SELECT count(*) > 50 AS many, count(*) FILTER (WHERE r.frequency <> n) AS f,
	   count(*) FILTER (WHERE r.recency <> date '2001-01-01' - last) AS r,
	   count(*) FILTER (WHERE r.tenure <> date '2001-01-01' - first) AS t,
	   count(*) FILTER (WHERE r.monetary IS DISTINCT FROM (SELECT sum(a) FROM trade WHERE trade.id = plain.id)) AS m,
	   count(*) FILTER (WHERE s.x <> n - 1 OR s.t_x <> last - first OR s.t_cal <> date '2001-01-01' - first) AS x,
	   -- sums are exact; what remains is the rounding of a division
	   count(*) FILTER (WHERE (s.mean_spend IS NULL) <> (mean IS NULL)
		   OR abs(s.mean_spend - mean) > 1e-12 * (1 + abs(mean))) AS mean,
	   count(*) FILTER (WHERE (u.mean_spend IS NULL) <> (mean_all IS NULL)
		   OR abs(u.mean_spend - mean_all) > 1e-12 * (1 + abs(mean_all))) AS mean_all
FROM plain JOIN (SELECT id, clv_history(d, a) AS h FROM trade GROUP BY id) w USING (id),
	 rfmtc(h, '2001-01-01') r, clv_summary(h, '2001-01-01', '1 day') s, clv_summary(h, '2001-01-01', '1 day', 'all') u;

-- errors
SELECT pg_temp.complaint(format($$SELECT %s FROM one$$, question))
FROM (VALUES
	(1, $$rfmtc(h, 'infinity')$$), (2, $$rfmtc(h, '-infinity')$$), (3, $$clv_summary(h, 'infinity')$$),
	(4, $$clv_summary(h, '1998-01-01', '0 days')$$), (5, $$clv_summary(h, '1998-01-01', '-1 week')$$),
	(6, $$clv_summary(h, '1998-01-01', spend_basis => 'some')$$),
	(7, $$clv_purchases_between(h, '1998-01-01', '1997-01-01')$$),
	(8, $$clv_spend_between(h, '1998-01-01', '1997-01-01')$$),
	(9, $$clv_total_spend(h, 'yesterday-ish')$$)) v (n, question)
ORDER BY n;
