-- Customers who most probably order within 30 days.
SELECT customer_key, next_purchase, active_30d, segment, tier, last_purchase, mean_gap, mean_spend
FROM customers
WHERE active_30d IS NOT NULL
ORDER BY active_30d DESC, customer_key
LIMIT 100;
