-- Customers whose P(alive) falls below one half within 30 days unless they buy, the most valuable first.
SELECT rank, customer_key, lapse_date, segment, last_purchase, p_alive, clv, reason
FROM alerts
ORDER BY rank
LIMIT 100;
