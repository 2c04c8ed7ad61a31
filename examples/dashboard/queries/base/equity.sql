-- The base in one row: how many, what they brought, what they are worth.
SELECT as_of, customers, active_customers, past_revenue, expected_purchases, expected_revenue, clv, clv_low, clv_high,
       interval_level, lifetime_value, horizon_days, discount_rate, margin, previous_as_of, customers_change, clv_change
FROM equity;
