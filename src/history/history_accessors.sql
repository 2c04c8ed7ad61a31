-- history: what a history answers

CREATE TYPE clv_rfmtc AS (
	recency integer,
	frequency integer,
	monetary numeric,
	tenure integer,
	churn double precision
);
COMMENT ON TYPE clv_rfmtc IS
	'the marketer''s five values: days since the last purchase, number of purchases, total net spend, days since the first purchase, probability to have churned';

CREATE FUNCTION clv_summary(
	history clv_history, as_of date,
	time_unit interval DEFAULT '1 week', spend_basis text DEFAULT 'repeat',
	OUT x integer, OUT t_x double precision, OUT t_cal double precision,
	OUT mean_spend double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_summary(clv_history, date, interval, text) IS
	'the modeller''s view as of a day, inclusive: repeat purchases, age at the last one and age now in time units, mean spend of the repeat purchases of known amount (spend_basis ''all'': of the first too); NULLs where the customer does not exist yet';

CREATE FUNCTION rfmtc(history clv_history, as_of date) RETURNS clv_rfmtc
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION rfmtc(clv_history, date) IS
	'the marketer''s view as of a day, inclusive: recency, frequency, monetary, tenure, in days and money; churn is NULL without a model; NULL where the customer does not exist yet';

CREATE FUNCTION clv_purchases(history clv_history) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_purchases(clv_history) IS 'number of purchases; refunds are none';

CREATE FUNCTION clv_purchases(history clv_history, as_of date) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_purchases(clv_history, date) IS
	'number of purchases up to and including a day; refunds are none';

CREATE FUNCTION clv_first_purchase(history clv_history) RETURNS date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_first_purchase(clv_history) IS
	'day of the first purchase; NULL without one';

CREATE FUNCTION clv_first_purchase(history clv_history, as_of date) RETURNS date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_first_purchase(clv_history, date) IS
	'day of the first purchase; NULL where that is later than the given day';

CREATE FUNCTION clv_last_purchase(history clv_history) RETURNS date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_last_purchase(clv_history) IS
	'day of the last purchase; NULL without one';

CREATE FUNCTION clv_last_purchase(history clv_history, as_of date) RETURNS date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_last_purchase(clv_history, date) IS
	'day of the last purchase up to and including a day; NULL without one';

CREATE FUNCTION clv_total_spend(history clv_history) RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_total_spend(clv_history) IS
	'exact sum of all known amounts, refunds included; NULL where none is known';

CREATE FUNCTION clv_total_spend(history clv_history, as_of date) RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_total_spend(clv_history, date) IS
	'exact sum of the known amounts up to and including a day, refunds included; NULL where none is known';

CREATE FUNCTION clv_purchases_between(history clv_history, since date, until date) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_purchases_between(clv_history, date, date) IS
	'number of purchases after since, up to and including until';

CREATE FUNCTION clv_spend_between(history clv_history, since date, until date) RETURNS numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_spend_between(clv_history, date, date) IS
	'exact sum of the known amounts after since, up to and including until, refunds included; NULL where none is known';

CREATE FUNCTION clv_purchase_log(
	history clv_history,
	OUT day date, OUT amount numeric, OUT purchase boolean, OUT unknown bigint)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10;
COMMENT ON FUNCTION clv_purchase_log(clv_history) IS
	'the days of a history: net of the known amounts (NULL where none is known), whether anything was bought, how many amounts are unknown; the amounts add up to clv_total_spend';
