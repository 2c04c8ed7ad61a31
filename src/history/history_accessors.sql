-- history: what a history answers

CREATE TYPE @extschema@.clv_rfmtc AS (
	recency pg_catalog.int4,
	frequency pg_catalog.int4,
	monetary pg_catalog.numeric,
	tenure pg_catalog.int4,
	churn pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_rfmtc IS
	'the marketer''s five values: days since the last purchase, number of purchases, total net spend (not a mean), '
	'days since the first purchase, probability to have churned';

CREATE FUNCTION @extschema@.clv_summary(
	history @extschema@.clv_history, as_of pg_catalog.date,
	time_unit pg_catalog.interval DEFAULT '1 week', spend_basis pg_catalog.text DEFAULT 'repeat',
	periods pg_catalog.text DEFAULT 'none',
	OUT x pg_catalog.int4, OUT t_x pg_catalog.float8, OUT t_cal pg_catalog.float8,
	OUT mean_spend pg_catalog.float8)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.clv_summary(
	@extschema@.clv_history, pg_catalog.date, pg_catalog.interval, pg_catalog.text, pg_catalog.text) IS
	'the modeller''s view as of a day, inclusive: x repeat purchases, t_x age at the last one and t_cal age now in '
	'time units, mean_spend of the repeat purchases of known amount (spend_basis ''all'': of the first too; NULL where '
	'there are none); periods ''anniversary'' or ''calendar'': x, t_x and t_cal in whole periods, as bg/bb counts '
	'them; NULLs where the customer does not exist yet';

CREATE FUNCTION @extschema@.rfmtc(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS @extschema@.clv_rfmtc
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 30;
COMMENT ON FUNCTION @extschema@.rfmtc(@extschema@.clv_history, pg_catalog.date) IS
	'the marketer''s view as of a day, inclusive: recency, frequency, monetary and tenure, in days and money (monetary '
	'NULL where no amount is known); churn is NULL without a model; NULL where the customer does not exist yet';

CREATE FUNCTION @extschema@.clv_purchases(history @extschema@.clv_history) RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_purchases(@extschema@.clv_history) IS
	'number of purchases; refunds are none';

CREATE FUNCTION @extschema@.clv_purchases(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_purchases(@extschema@.clv_history, pg_catalog.date) IS
	'number of purchases up to and including a day; refunds are none';

CREATE FUNCTION @extschema@.clv_first_purchase(history @extschema@.clv_history) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION @extschema@.clv_first_purchase(@extschema@.clv_history) IS
	'day of the first purchase; NULL without one';

CREATE FUNCTION @extschema@.clv_first_purchase(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3;
COMMENT ON FUNCTION @extschema@.clv_first_purchase(@extschema@.clv_history, pg_catalog.date) IS
	'day of the first purchase; NULL where that is later than as_of';

CREATE FUNCTION @extschema@.clv_last_purchase(history @extschema@.clv_history) RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_last_purchase(@extschema@.clv_history) IS
	'day of the last purchase; NULL without one';

CREATE FUNCTION @extschema@.clv_last_purchase(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.date
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_last_purchase(@extschema@.clv_history, pg_catalog.date) IS
	'day of the last purchase up to and including as_of; NULL without one';

CREATE FUNCTION @extschema@.clv_total_spend(history @extschema@.clv_history) RETURNS pg_catalog.numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_total_spend(@extschema@.clv_history) IS
	'exact sum of the known amounts, refunds included; NULL where none is known';

CREATE FUNCTION @extschema@.clv_total_spend(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_total_spend(@extschema@.clv_history, pg_catalog.date) IS
	'exact sum of the known amounts up to and including as_of, refunds included; NULL where none is known';

CREATE FUNCTION @extschema@.clv_mean_gap(history @extschema@.clv_history)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_mean_gap(@extschema@.clv_history) IS
	'mean number of days between two purchases that follow each other; NULL with fewer than two purchases';

CREATE FUNCTION @extschema@.clv_mean_gap(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_mean_gap(@extschema@.clv_history, pg_catalog.date) IS
	'mean number of days between two purchases that follow each other, up to and including as_of; NULL with fewer '
	'than two purchases';

CREATE FUNCTION @extschema@.clv_mean_spend(history @extschema@.clv_history)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_mean_spend(@extschema@.clv_history) IS
	'mean value of a purchase: of those of known amount, the first too, net of the refunds that follow them; NULL '
	'where there are none';

CREATE FUNCTION @extschema@.clv_mean_spend(history @extschema@.clv_history, as_of pg_catalog.date)
	RETURNS pg_catalog.float8
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_mean_spend(@extschema@.clv_history, pg_catalog.date) IS
	'mean value of a purchase: of those of known amount, the first too, net of the refunds that follow them, up '
	'to and including as_of; NULL where there are none';

CREATE FUNCTION @extschema@.clv_purchases_between(history @extschema@.clv_history, since pg_catalog.date,
	until pg_catalog.date)
	RETURNS pg_catalog.int4
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.clv_purchases_between(@extschema@.clv_history, pg_catalog.date, pg_catalog.date) IS
	'number of purchases after since, up to and including until; error where since is the later';

CREATE FUNCTION @extschema@.clv_spend_between(history @extschema@.clv_history, since pg_catalog.date,
	until pg_catalog.date)
	RETURNS pg_catalog.numeric
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 12;
COMMENT ON FUNCTION @extschema@.clv_spend_between(@extschema@.clv_history, pg_catalog.date, pg_catalog.date) IS
	'exact sum of the known amounts after since, up to and including until, refunds included; NULL where none is '
	'known; error where since is the later';

CREATE FUNCTION @extschema@.clv_purchase_log(
	history @extschema@.clv_history,
	OUT day pg_catalog.date, OUT amount pg_catalog.numeric, OUT purchase pg_catalog.bool,
	OUT unknown pg_catalog.int8)
	RETURNS SETOF pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 10;
COMMENT ON FUNCTION @extschema@.clv_purchase_log(@extschema@.clv_history) IS
	'the days of a history in order: net of the known amounts (NULL where none is known), whether anything was bought, '
	'how many amounts are unknown; the amounts add up to clv_total_spend';
