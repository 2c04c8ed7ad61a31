-- Customers of the cohorts of the last three years, by the months after the first in which they bought.
SELECT cohort_month, age_months, customers, buyers, retention
FROM cohort_retention
WHERE cohort_month > (SELECT max(cohort_month) - interval '36 months' FROM cohorts)
  AND age_months > 0 AND complete
ORDER BY cohort_month, age_months;
