-- The parameters of the model, with 95 % limits.
SELECT process, parameter, estimate, std_error, lower, upper
FROM model_parameters
ORDER BY process DESC, parameter;
