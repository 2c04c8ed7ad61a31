-- The customers who are worth most.
SELECT row_number() OVER (ORDER BY clv DESC, customer_key) AS rank, customer_key, segment, last_purchase, frequency,
       monetary, p_alive, expected_purchases, clv
FROM customers
WHERE clv IS NOT NULL
ORDER BY clv DESC, customer_key
LIMIT 100;
