-- Customers for whom one more purchase goes along with the largest gain.
SELECT rank, customer_key, segment, last_purchase, frequency, p_alive, clv, next_purchase_value
FROM next_best
ORDER BY rank
LIMIT 100;
