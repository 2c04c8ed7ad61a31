-- history: the histories of all customers at once

CREATE FUNCTION @extschema@.clv_histories(query pg_catalog.text, occasion pg_catalog.int4 DEFAULT 1)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000;
COMMENT ON FUNCTION @extschema@.clv_histories(pg_catalog.text, pg_catalog.int4) IS
	'the history of each customer in the rows of a query, as GROUP BY and clv_history give them, in a third to a half '
	'of the time where there are many. query: one statement that reads, in the order customer (one column or several), '
	'time, amount (may be missing); it runs with the rights and the search_path of the caller. The columns of the '
	'result are named by AS (customer_id integer, history clv_history), with the types that the customer has in the '
	'query. NULL is a customer like others; a customer without any time has a NULL history. occasion: in days. Rows '
	'wait in work_mem x hash_mem_multiplier, and in temporary files beyond that. Parallel workers take part where the '
	'query can be read in parallel; their rows wait in temporary files';
