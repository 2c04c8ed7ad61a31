SET client_min_messages = warning;
-- the last purchases of this shop lie so far apart that they are warned of where no day is given
SET client_min_messages = error;
-- Scores of a partition: ties, directions, agreement with percentile_cont(), options, customers not there yet.
CREATE SCHEMA score_window;
SET search_path = score_window, public;

-- 997 customers, pseudo-random but always the same; many share a value, some have refunds
CREATE TABLE customer AS
SELECT o.id, o.id % 3 AS country, clv_history(o.at, o.amount) AS history
FROM (SELECT c AS id, date '2020-01-01' + (c * 7919 % 211) + k * (3 + c * 31 % 47) AS at,
			 CASE WHEN (c * k) % 29 = 7 THEN -5.25 ELSE ((c * 104729 + k * 7919) % 997)
				 / 4.0 END::numeric(10,2) AS amount
	  FROM generate_series(1, 997) c, generate_series(0, 12) k WHERE k <= (c * 613 % 17) - 4 OR k = 0) o
GROUP BY o.id;

CREATE FUNCTION value_of(history clv_history, as_of date) RETURNS float8[]
RETURN CASE WHEN (rfmtc(history, as_of)) IS NULL THEN NULL ELSE
	ARRAY[(rfmtc(history, as_of)).recency, (rfmtc(history, as_of)).frequency,
		  (rfmtc(history, as_of)).monetary, (rfmtc(history, as_of)).tenure]::float8[] END;

-- --- against percentile_cont(), which interpolates the same quantiles ---
WITH value AS (SELECT id, value_of(history, '2021-06-30') AS v FROM customer),
	 cut AS (SELECT i, percentile_cont(ARRAY[.2, .4, .6, .8]) WITHIN GROUP (ORDER BY v[i]) AS cuts
			 FROM value, generate_series(1, 4) i GROUP BY i),
	 expected AS (SELECT id, array_agg(CASE i WHEN 1 THEN 5 - below ELSE 1 + below END ORDER BY i) AS scores
				  FROM (SELECT id, i, (SELECT count(*) FROM unnest(cuts) c WHERE c < v[i])::int AS below
						FROM value, cut) s
				  GROUP BY id),
	 ours AS (SELECT id, rfmtc_score(history, as_of => '2021-06-30') OVER () AS s FROM customer)
SELECT count(*) AS customers, bool_and(ARRAY[(s).r, (s).f, (s).m, (s).t]::int[] = scores) AS agree,
	   count((s).c) AS c, count((s).v) AS v
FROM ours JOIN expected USING (id);

-- --- any number of bins, by ranks in whole numbers ---
CREATE FUNCTION expected(v float8[], i int, bins int, value float8) RETURNS int LANGUAGE sql RETURN (
	SELECT 1 + count(*) FROM generate_series(1, bins - 1) k,
		LATERAL (SELECT (cardinality(v) - 1) * k / bins + 1 AS low, (cardinality(v) - 1) * k % bins AS part) p
	WHERE v[low] + (v[low + (part > 0)::int] - v[low]) * (part::float8 / bins) < value);
WITH value AS (SELECT id, value_of(history, '2021-06-30') AS v FROM customer),
	 sorted AS (SELECT array_agg(v[3] ORDER BY v[3]) AS money, array_agg(v[1] ORDER BY v[1]) AS recency FROM value)
SELECT bins, bool_and((s).m = expected(money, 3, bins, v[3])) AS m,
	   bool_and((s).r = bins + 1 - expected(recency, 1, bins, v[1])) AS r,
	   count(DISTINCT (s).m) = bins AS all_used, min((s).m) = 1 AND max((s).m) = bins AS from_1_to_bins
FROM unnest(ARRAY[2, 3, 7, 10, 100]) bins,
	 LATERAL (SELECT id, rfmtc_score(history, NULL::clv_model, '2021-06-30', bins) OVER () AS s FROM customer) o
	 JOIN value USING (id), sorted
GROUP BY bins ORDER BY bins;

-- --- equal values share a score, and higher is better ---
WITH scored AS (SELECT rfmtc(history, '2021-06-30') AS x, rfmtc_score(history, as_of => '2021-06-30') OVER () AS s
				FROM customer)
SELECT max(r) = 1 AS r, max(f) = 1 AS f, max(m) = 1 AS m, max(t) = 1 AS t
FROM (SELECT count(DISTINCT (s).r) AS r, 0 AS f, 0 AS m, 0 AS t FROM scored GROUP BY (x).recency
	  UNION ALL SELECT 0, count(DISTINCT (s).f), 0, 0 FROM scored GROUP BY (x).frequency
	  UNION ALL SELECT 0, 0, count(DISTINCT (s).m), 0 FROM scored GROUP BY (x).monetary
	  UNION ALL SELECT 0, 0, 0, count(DISTINCT (s).t) FROM scored GROUP BY (x).tenure) d;
WITH scored AS (SELECT rfmtc(history, '2021-06-30') AS x, rfmtc_score(history, as_of => '2021-06-30') OVER () AS s
				FROM customer)
SELECT bool_and((a.x).recency < (b.x).recency OR (a.s).r <= (b.s).r) AS recent_is_good,
	   bool_and((a.x).frequency > (b.x).frequency OR (a.s).f <= (b.s).f) AS often_is_good,
	   bool_and((a.x).monetary > (b.x).monetary OR (a.s).m <= (b.s).m) AS much_is_good,
	   bool_and((a.x).tenure > (b.x).tenure OR (a.s).t <= (b.s).t) AS long_is_good
FROM scored a, scored b;

-- --- all alike: no value is below a cut; so all have the lowest score, but the best r ---
SELECT DISTINCT rfmtc_score(clv_history_of_one, as_of => '2020-02-01') OVER () AS alike
FROM (SELECT clv_history(date '2020-01-05', 10.0) AS clv_history_of_one FROM generate_series(1, 9) i GROUP BY i) h;
SELECT rfmtc_score(h, as_of => '2020-02-01') OVER () AS alone FROM (SELECT clv_history(date '2020-01-05', 10.0) AS h) x;

-- --- frame and ORDER BY play no part; nor does the order of the rows ---
SELECT count(*) = 997 AND bool_and(a = b AND a = c) AS same
FROM (SELECT rfmtc_score(history) OVER () AS a,
			 rfmtc_score(history) OVER (ORDER BY id DESC ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS b,
			 rfmtc_score(history) OVER (ORDER BY country) AS c FROM customer) x;

-- --- PARTITION BY: as if the partition were all there is, each with its own last purchase ---
WITH apart AS (SELECT id, country, rfmtc_score(history) OVER (PARTITION BY country) AS s FROM customer),
	 single AS (SELECT id, rfmtc_score(history) OVER () AS s FROM customer WHERE country = 2)
SELECT count(*) FILTER (WHERE a.s = b.s) = count(*) AND count(*) > 300 AS same FROM apart a JOIN single b USING (id);

-- --- as_of in the past: a customer without a purchase by as_of has no scores, and does not count ---
WITH early AS (SELECT id, rfmtc_score(history, as_of => '2020-04-01') OVER () AS s FROM customer),
	 there AS (SELECT id, rfmtc_score(history, as_of => '2020-04-01') OVER () AS s FROM customer
			   WHERE clv_first_purchase(history) <= '2020-04-01')
SELECT count(*) = 997 AS rows, count(e.s) BETWEEN 300 AND 700 AS some, bool_and(e.s IS NOT DISTINCT FROM t.s) AS same
FROM early e LEFT JOIN there t USING (id);
-- as_of in the past: as if the later purchases were not in the histories
WITH cut_short AS (SELECT c.id, clv_history(l.day, l.amount) AS history
				   FROM customer c, clv_purchase_log(c.history) l WHERE l.day <= '2020-07-01' GROUP BY c.id)
SELECT bool_and(a.s = b.s) AS same
FROM (SELECT id, rfmtc_score(history, as_of => '2020-07-01') OVER () AS s FROM customer) a
JOIN (SELECT id, rfmtc_score(history, as_of => '2020-07-01') OVER () AS s FROM cut_short) b USING (id);

-- --- the default day is that of the last purchase in the partition ---
WITH day AS (SELECT max(clv_last_purchase(history)) AS day FROM customer)
SELECT bool_and(a = b) AS same
FROM (SELECT rfmtc_score(history) OVER () AS a, rfmtc_score(history, as_of => day) OVER () AS b FROM customer, day) x;

SET client_min_messages = warning;
-- an isolated one is warned of, and no customer is evaluated as of a day after today
SELECT bool_and(a = b) AS same
FROM (SELECT rfmtc_score(h) OVER () AS a, rfmtc_score(h, as_of => '2024-06-01') OVER () AS b
	  FROM (SELECT history FROM customer UNION ALL SELECT '{"occasion":1,"days":[["2024-06-01",5]]}') s (h)) x;
SET client_min_messages = error;
SELECT bool_and(a IS NOT DISTINCT FROM b) AS same, count(*) - count(a) AS nobody_yet
FROM (SELECT rfmtc_score(h) OVER () AS a, rfmtc_score(h, as_of => (now() AT TIME ZONE 'UTC')::date) OVER () AS b
	  FROM (SELECT history FROM customer UNION ALL SELECT '{"occasion":1,"days":[["2999-12-31",5]]}') s (h)) x;

-- --- NULL histories, no rows, no customers ---
SELECT i, rfmtc_score(h, as_of => '2020-02-01') OVER (ORDER BY i) AS s
FROM (VALUES (1, '{"occasion":1,"days":[["2020-01-01",5]]}'::clv_history), (2, NULL)) v (i, h);
SELECT count(*) FROM (SELECT rfmtc_score(history) OVER () FROM customer WHERE false) x;
SELECT count(*), count(s) FROM (SELECT rfmtc_score(history, as_of => '2019-01-01') OVER () AS s FROM customer) x;
SELECT count(*), count(s) FROM (SELECT rfmtc_score(NULL::clv_history) OVER () AS s FROM generate_series(1, 3)) x;

-- --- with a model: c and v, by their own measures ---
CREATE TABLE model AS
SELECT clv_model('mbg/nbd', '{"r": 0.53, "alpha": 6.2, "a": 0.9, "b": 1.6}', '1 week', '2021-06-30')
	   || clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.4}') AS model;
WITH value AS (SELECT c.id, (rfmtc(c.history, '2021-06-30', model)).churn AS churn,
					  clv_value(model, c.history, '1 year', as_of => '2021-06-30') AS value FROM customer c, model),
	 cut AS (SELECT percentile_cont(ARRAY[.2, .4, .6, .8]) WITHIN GROUP (ORDER BY churn) AS churn,
					percentile_cont(ARRAY[.2, .4, .6, .8]) WITHIN GROUP (ORDER BY value) AS value FROM value),
	 ours AS (SELECT c.id, rfmtc_score(c.history, model) OVER () AS s FROM customer c, model)
SELECT count(*) = 997 AS rows,
	   bool_and((s).c = 5 - (SELECT count(*) FROM unnest(cut.churn) k WHERE k < v.churn)) AS c,
	   bool_and((s).v = 1 + (SELECT count(*) FROM unnest(cut.value) k WHERE k < v.value)) AS v
FROM ours JOIN value v USING (id), cut;
-- r, f, m and t do not depend on it; its day is the default; each country may have its own
SELECT bool_and(((a).r, (a).f, (a).m, (a).t) = ((b).r, (b).f, (b).m, (b).t)) AS same
FROM (SELECT rfmtc_score(history, model) OVER () AS a, rfmtc_score(history, as_of => '2021-06-30') OVER () AS b
	  FROM customer, model) x;
WITH per_country AS (SELECT country,
							clv_model('mbg/nbd',
								jsonb_build_object('r', 0.5 + country / 10.0, 'alpha', 6.2, 'a', 0.9,
							'b', 1.6), '1 week', date '2021-06-30' + country) AS model
							FROM generate_series(0, 2) country)
SELECT bool_and(a.s = b.s) AS same
FROM (SELECT c.id, rfmtc_score(c.history, p.model) OVER (PARTITION BY c.country) AS s
	  FROM customer c JOIN per_country p USING (country)) a
JOIN (SELECT c.id, rfmtc_score(c.history, p.model) OVER () AS s
	  FROM customer c JOIN per_country p USING (country) WHERE c.country = 1) b USING (id);
-- every argument worked out anew for each row
SELECT count(*) = 997 AS rows, bool_and(a.s = b.s) AS same
FROM (SELECT id,
			 rfmtc_score(history::text::clv_history, model::text::clv_model, date '2021-06-30' + 0 * id,
				 7 + 0 * id) OVER () AS s
	  FROM customer, model) a
JOIN (SELECT id, rfmtc_score(history, (SELECT model FROM model), '2021-06-30', 7) OVER () AS s
	  FROM customer) b USING (id);

-- --- where no mean of a purchase exists, who has left for certain is worth nothing, and who has not is worth most ---
CREATE TABLE member AS
SELECT i, clv_history(CASE WHEN i > 6 THEN '2020-12-01'::date ELSE '2020-01-01' END) AS h
FROM generate_series(1, 8) i GROUP BY i;
CREATE TABLE endless AS SELECT clv_model('sbg', '{"alpha": 0.9, "beta": 6}', '1 month', '2020-12-31')
	|| clv_model('gamma/gamma', '{"p": 0.6, "q": 0.5, "gamma": 10}') AS m;
SELECT i > 6 AS stays, min((s).v), max((s).v), count(segment_assign(s))
FROM (SELECT i, rfmtc_score(h, m) OVER () AS s FROM member, endless) q GROUP BY 1 ORDER BY 1;
SELECT (clv_predict_total(m, h, '1 year')).expected_value AS none FROM member, endless WHERE i <= 6;
SELECT (clv_predict_total(m, h, '1 year')).expected_value AS any FROM member, endless;

-- --- errors ---
SELECT rfmtc_score(history, bins => 1) OVER () FROM customer LIMIT 1;
SELECT rfmtc_score(history, bins => 101) OVER () FROM customer LIMIT 1;
SELECT rfmtc_score(history, as_of => 'infinity') OVER () FROM customer LIMIT 1;
SELECT rfmtc_score(history, as_of => date '2021-01-01' + id % 2) OVER (ORDER BY id) FROM customer LIMIT 1;
SELECT rfmtc_score(history, bins => 5 + id % 2) OVER (ORDER BY id) FROM customer LIMIT 1;
SELECT rfmtc_score(c.history, clv_model('mbg/nbd', '{"r": 1, "alpha": 6, "a": 1, "b": 1}', '1 week',
	date '2021-06-30' + c.country)) OVER (ORDER BY c.id) FROM customer c LIMIT 1;
SELECT rfmtc_score(history, clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}')) OVER () FROM customer LIMIT 1;
SELECT rfmtc_score(history) FROM customer LIMIT 1;

SET client_min_messages = warning;
DROP SCHEMA score_window CASCADE;
