-- Customers by what they have spent and what they are worth, each as a multiple of the mean, in steps of half a
-- doubling: step 0 begins at the mean. Whatever is 64 times as much, or as little, as the mean shares the last step.
WITH mean AS
(
  SELECT avg(monetary)::float8 AS past, avg(clv)::float8 AS future FROM customers
),
step AS
(
  SELECT least(greatest(floor(2 * ln(greatest(monetary / m.past, 1.0 / 64)) / ln(2::float8)), -12),
             11)::int AS past_step,
         least(greatest(floor(2 * ln(greatest(clv / m.future, 1.0 / 64)) / ln(2::float8)), -12),
             11)::int AS future_step,
         monetary, clv
  FROM customers, mean m
  WHERE m.past > 0 AND m.future > 0 AND monetary IS NOT NULL AND clv IS NOT NULL
)
SELECT m.past AS past_mean, m.future AS future_mean, past_step, future_step,
       count(*) AS customers, sum(monetary) AS past_revenue, sum(clv) AS clv
FROM step, mean m
GROUP BY m.past, m.future, past_step, future_step
ORDER BY past_step, future_step;
