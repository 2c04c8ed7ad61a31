-- High, medium and low: how many they are, and the value to come that they stand for.
SELECT tier, count(*) AS customers, sum(clv) AS clv, sum(p_alive) AS active
FROM customers
WHERE tier IS NOT NULL
GROUP BY tier
ORDER BY array_position('{high,medium,low}'::text[], tier::text);
