-- Purchases in the hold-out by tenths of the customers, those with the highest predictions first.
SELECT decile, predicted_purchases, actual_purchases, lift, cumulative_share
FROM lift
ORDER BY decile;
