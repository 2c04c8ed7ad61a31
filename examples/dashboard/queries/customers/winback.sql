-- Valuable customers who have probably gone, by what is lost with them.
SELECT rank, customer_key, segment, last_purchase, frequency, monetary, p_alive, clv, value_at_risk
FROM winback
ORDER BY rank
LIMIT 100;
