-- pipeline.sql - a pipeline over orders(customer_id, ordered_at, amount), and a role that may read its views alone.

SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS clv;

CALL clv_create_pipeline('shop', source => 'orders', customer => 'customer_id', bought_at => 'ordered_at',
	amount => 'amount', discount_rate => 0.10, level => 0.9);

-- Moves between segments need two refreshes. A past too short for the earlier one costs these moves alone.
SELECT (max(ordered_at) - least(interval '3 months', (max(ordered_at) - min(ordered_at)) / 4))::date AS earlier
FROM orders \gset
\set ON_ERROR_STOP off
CALL clv_refresh('shop', as_of => :'earlier');
\set ON_ERROR_STOP on
CALL clv_refresh('shop');

CREATE ROLE dashboard LOGIN;
GRANT USAGE ON SCHEMA shop TO dashboard;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO dashboard;
