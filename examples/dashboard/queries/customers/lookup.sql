-- The most valuable 2,000, to look one up by their key.
SELECT customer_key, segment, tier, first_purchase, last_purchase, frequency, monetary, p_alive, clv, next_purchase,
       lapse_date
FROM customers
ORDER BY clv DESC NULLS LAST, customer_key
LIMIT 2000;
