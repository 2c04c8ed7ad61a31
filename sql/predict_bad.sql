-- Arguments that cannot be predicted from are errors, with the value and a hint in the message.
CREATE TEMP TABLE m AS
	SELECT clv_model('bg/nbd', '{"r": 0.2426, "alpha": 4.414, "a": 0.793, "b": 2.426}', '1 week',
			   '1997-09-30') AS purchases,
		   clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS spend,
		   clv_model('bg/nbd', '{"r": 0.2426, "alpha": 4.414, "a": 0.793, "b": 2.426}', '1 week') AS undated,
		   clv_history(day, amount) AS history
	FROM (VALUES (date '1997-01-01', 29.33), ('1997-01-18', 29.73), ('1997-08-02', 14.96)) v (day, amount);

-- a model of the wrong kind
SELECT clv_predict(spend, history) FROM m;
SELECT clv_p_alive(spend, history) FROM m;
SELECT clv_p_alive(spend, 2, 30.43, 38.86) FROM m;
SELECT rfmtc(history, '1997-09-30', spend) FROM m;
SELECT clv_expected_spend(purchases, history) FROM m;
SELECT clv_value(purchases, history, '1 year') FROM m;
SELECT clv_expected_spend(purchases, 2, 20) FROM m;
SELECT clv_predict(purchases, history, covariates => '{1}') FROM m;

-- the day
SELECT clv_predict(undated, history) FROM m;
SELECT clv_p_alive(undated, history) FROM m;
SELECT clv_p_alive(undated, history, 'infinity') FROM m;
SELECT clv_predict(purchases, history, as_of => '-infinity') FROM m;

-- the terms
SELECT clv_predict(purchases, history, horizon => '-1 day') FROM m;
SELECT clv_expected_purchases(purchases, history, '2000000 years') FROM m;
SELECT clv_predict(purchases, history, discount_rate => -1) FROM m;
SELECT clv_predict(purchases, history, discount_rate => 'NaN') FROM m;
SELECT clv_predict(purchases, history, discount_rate => 'Infinity') FROM m;
SELECT clv_predict(purchases, history, margin => 'NaN') FROM m;
SELECT clv_value(purchases || spend, history, '1 year', margin => '-Infinity') FROM m;
SELECT clv_predict(purchases, history, level => 0) FROM m;
SELECT clv_predict(purchases, history, level => 1) FROM m;
SELECT clv_predict(purchases, history, level => 'NaN') FROM m;
SELECT clv_predict(purchases, history, level => 95) FROM m;
SELECT clv_purchase_quantile(purchases, history, '1 year', 1) FROM m;
SELECT clv_value_quantile(purchases || spend, history, '1 year', -0.5) FROM m;
SELECT clv_purchase_probability(purchases, history, 1.5, '1 year') FROM m;
SELECT clv_purchase_probability(purchases, history, -1, '1 year') FROM m;

-- by number
SELECT clv_p_alive(purchases, -1, 1, 2) FROM m;
SELECT clv_p_alive(purchases, 1.5, 1, 2) FROM m;
SELECT clv_p_alive(purchases, 'NaN', 1, 2) FROM m;
SELECT clv_p_alive(purchases, 'Infinity', 1, 2) FROM m;
SELECT clv_p_alive(purchases, 1, -1, 2) FROM m;
SELECT clv_p_alive(purchases, 1, 'NaN', 2) FROM m;
SELECT clv_p_alive(purchases, 1, 1, 'Infinity') FROM m;
SELECT clv_p_alive(purchases, 1, 3, 2) FROM m;
SELECT clv_p_alive(purchases, 0, 1, 2) FROM m;
SELECT clv_expected_purchases(purchases, 1, 1, 2, -1) FROM m;
SELECT clv_expected_purchases(purchases, 'Infinity'::float8) FROM m;
SELECT clv_purchase_probability(purchases, 1, 1, 2, 0.5, 10) FROM m;
SELECT clv_purchase_probability(purchases, 1e10, 10) FROM m;
SELECT clv_purchase_quantile(purchases, 1, 1, 2, 10, 1) FROM m;
SELECT clv_discounted_purchases(purchases, 1, 1, 2, 'NaN') FROM m;
SELECT clv_discounted_purchases(purchases, 1, 1, 2, 0.01, -1) FROM m;
SELECT clv_expected_spend(spend, 2, -20) FROM m;
SELECT clv_expected_spend(spend, 2, 'NaN') FROM m;
SELECT clv_spend_log_likelihood(spend, 2, 0) FROM m;
SELECT clv_survival(purchases, -1) FROM m;

-- arguments far out of range on every side give a number, never NaN
SELECT every(v >= 0 AND v < 'Infinity') AS numbers, count(*) FROM
	unnest(ARRAY[1e-6, 1e-3, 1, 1e3, 1e6]::float8[]) r, unnest(ARRAY[1e-6, 1, 1e6]::float8[]) a,
		unnest(ARRAY[0, 1, 5000]::float8[]) x,
	unnest(ARRAY['bg/nbd', 'mbg/nbd']) f,
	LATERAL (SELECT clv_model(f, jsonb_build_object('r', r, 'alpha', 1, 'a', a, 'b', 1 / a), '1 day') AS model
			 OFFSET 0) m,
	LATERAL (VALUES (clv_p_alive(model, x, sign(x) * 100, 10000)),
				 (clv_expected_purchases(model, x, sign(x) * 100, 10000, 365)),
		(clv_discounted_purchases(model, x, sign(x) * 100, 10000, 1e-4, 365)),
			(clv_discounted_purchases(model, x, sign(x) * 100, 10000, 1e-4)),
		(clv_purchase_probability(model, x, sign(x) * 100, 10000, 3, 365))) v (v);
-- further out, where an error is allowed, no call runs for ever
SET statement_timeout = '10min';
CREATE FUNCTION pg_temp.ends(model clv_model, x float8) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
	RETURN clv_p_alive(model, x, sign(x), 40) + clv_expected_purchases(model, x, sign(x), 40, 50)
		+ clv_discounted_purchases(model, x, sign(x), 40, 0.002)
			+ clv_discounted_purchases(model, x, sign(x), 40, 0.002, 50)
		+ clv_purchase_quantile(model, x, sign(x), 40, 50, 0.95) + clv_survival(model, 20) >= 0;
EXCEPTION WHEN numeric_value_out_of_range THEN
	RETURN true;
END $$;
SELECT every(pg_temp.ends(clv_model('mbg/nbd', jsonb_build_object('r', r, 'alpha', alpha, 'a', a, 'b', b),
		   '1 week'), x)) AS ends
FROM unnest(ARRAY[1e-200, 1, 1e30, 1e200]::float8[]) r, unnest(ARRAY[1e-200, 1, 1e200]::float8[]) alpha,
	unnest(ARRAY[3e-198, 1, 1e100, 1e300]::float8[]) a, unnest(ARRAY[1e-300, 5.5, 1e200]::float8[]) b,
	unnest(ARRAY[0, 5]::float8[]) x;
RESET statement_timeout;
SELECT clv_p_alive(clv_model('mbg/nbd', '{"r":1,"alpha":1,"a":1,"b":1}', '1 week'), 2, 0.1::float8 + 0.2::float8, 0.3) =
	clv_p_alive(clv_model('mbg/nbd', '{"r":1,"alpha":1,"a":1,"b":1}', '1 week'), 2, 0.3, 0.3) AS rounding_is_no_error;
DROP TABLE m;
