-- Concentration: the share of the value that the most valuable 1, 2 ... 100 % of the customers bring.
SELECT basis, percentile, cumulative_customers_share, cumulative_value_share
FROM lorenz
ORDER BY basis, percentile;
