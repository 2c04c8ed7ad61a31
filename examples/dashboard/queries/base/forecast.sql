-- Revenue to come from today's customers: of each month, and since today with its interval.
SELECT period_start, period_end, expected_revenue, cumulative_revenue, cumulative_revenue_low, cumulative_revenue_high
FROM forecast
WHERE segment = '(all)'
ORDER BY period_number;
