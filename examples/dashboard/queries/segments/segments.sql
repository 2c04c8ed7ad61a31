-- The segments: their share of the customers against their share of the value to come.
SELECT segment, description, customers, active_customers, past_revenue, clv,
       customers / nullif(sum(customers) OVER (), 0)::float8 AS customers_share,
       (clv / nullif(sum(clv) OVER (), 0))::float8 AS value_share
FROM segments
ORDER BY clv DESC NULLS LAST, segment;
