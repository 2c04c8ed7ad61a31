-- How the source adds up, and what was left out.
SELECT r.as_of, r.histories, r.customers, r.note, e.past_revenue, r.total_revenue
FROM runs r
CROSS JOIN equity e
WHERE r.is_current;
