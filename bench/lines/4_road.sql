-- From orders, or from histories, to the value of each customer: against what others took for as many.
--
-- lifetimes 0.11.3, summary, fits and value of a million customers with 5.13 M orders: 60 s of CPU; 45 s from its
-- summary. Its fit of pareto/nbd was stopped at 500 s.

CREATE FUNCTION road_query(source text, model text) RETURNS text LANGUAGE sql RETURN format($$
	WITH c AS MATERIALIZED (%s),
		 m AS MATERIALIZED (SELECT clv_fit(history, clv_options(model => %L, as_of => '2017-12-31')) AS model FROM c)
	SELECT count((p).clv)
	FROM (SELECT clv_predict(model, history, horizon => '1 year', discount_rate => 0.10) AS p FROM c, m OFFSET 0) q$$, source, model);
CREATE PROCEDURE road_line(what text, source text, model text, rival_ms float8, bar text, aim text, is_million bool) LANGUAGE plpgsql AS $$
BEGIN
	CALL measure(what, road_query(source, model), NULL);
	CALL report_rival(what, CASE WHEN is_million THEN 'lifetimes' END, CASE WHEN is_million THEN rival_ms END,
					  CASE WHEN is_million THEN bar ELSE '-' END, CASE WHEN is_million THEN aim ELSE '-' END);
END $$;

SELECT 'SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders GROUP BY customer_id' AS from_orders,
	   'SELECT customer_id, history FROM customer' AS from_histories, :customers = 1000000 AS is_million \gset
CALL road_line('orders to CLV, bg/nbd, ' || :'size', :'from_orders', 'bg/nbd', 60000, '10 x', '15 x', :'is_million');
CALL road_line('orders to CLV, pareto/nbd, ' || :'size', :'from_orders', 'pareto/nbd', 500000, '80 x', '150 x', :'is_million');
CALL road_line('histories to CLV, bg/nbd, ' || :'size', :'from_histories', 'bg/nbd', 45000, '25 x', '60 x', :'is_million');
