-- Customers to talk to: a few of every segment and satisfaction.
SELECT number, customer_key, segment, satisfaction, chosen_by, rating, last_purchase, p_alive, clv, reason
FROM conversations
ORDER BY number
LIMIT 100;
