-- What a customer of each cohort of the last three years has brought, and is worth.
SELECT cohort_month, customers, active_customers,
       (past_revenue / nullif(customers, 0))::numeric(24,2) AS past_per_customer,
       clv_per_customer
FROM cohorts
WHERE cohort_month > (SELECT max(cohort_month) - interval '36 months' FROM cohorts)
ORDER BY cohort_month;
