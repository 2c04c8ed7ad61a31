-- The model that the views rest on.
SELECT purchase_model, spend_model, customers, spend_customers, as_of, reason, converged, spend_converged,
       frequency_spend_correlation, time_unit_days
FROM models
WHERE is_current;
