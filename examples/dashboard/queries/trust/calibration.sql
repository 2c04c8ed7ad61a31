-- Purchases of a customer in the hold-out, predicted and made, by the number of repeat purchases before it.
SELECT repeat_purchases, customers, predicted_mean, actual_mean, holdout_start, holdout_end
FROM calibration
ORDER BY repeat_purchases;
