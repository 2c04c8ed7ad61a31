-- Customers by the segments they moved between, between the refresh before and this one.
SELECT previous_as_of, as_of, from_segment, to_segment, m.customers, clv_before, clv_after, moved
FROM migration m, equity
ORDER BY m.customers DESC, from_segment, to_segment
LIMIT 1000;
