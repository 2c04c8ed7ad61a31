-- ---- scores: the rank of a customer in a population -----------------------------------------

CREATE TYPE @extschema@.clv_scores AS (
	r pg_catalog.int2,
	f pg_catalog.int2,
	m pg_catalog.int2,
	t pg_catalog.int2,
	c pg_catalog.int2,
	v pg_catalog.int2,
	p_alive pg_catalog.float8
);
COMMENT ON TYPE @extschema@.clv_scores IS
	'scores from 1 (worst) to the number of bins (best): r recency, f frequency, m spend, t tenure, c probability to '
	'be still active, v value in the year ahead; and p_alive, that probability itself, since a rank among customers '
	'does not say who is still one. c, v and p_alive are NULL without a model';

-- ---- cut points as values -------------------------------------------------------------------

CREATE TYPE @extschema@.clv_cuts;

CREATE FUNCTION clv_internal.clv_cuts_in(pg_catalog.cstring) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_cuts_in(pg_catalog.cstring) IS
	'reads the JSON form of cut points; every number is checked, unknown members are errors';
CREATE FUNCTION clv_internal.clv_cuts_out(@extschema@.clv_cuts) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_cuts_out(@extschema@.clv_cuts) IS
	'the cut points as JSON, exact and independent of settings';
CREATE FUNCTION clv_internal.clv_cuts_recv(pg_catalog.internal) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_internal.clv_cuts_recv(pg_catalog.internal) IS
	'reads the binary form of cut points; every byte is checked';
CREATE FUNCTION clv_internal.clv_cuts_send(@extschema@.clv_cuts) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_cuts_send(@extschema@.clv_cuts) IS
	'the binary form of cut points, as it is stored';

CREATE TYPE @extschema@.clv_cuts (
	INPUT = clv_internal.clv_cuts_in,
	OUTPUT = clv_internal.clv_cuts_out,
	RECEIVE = clv_internal.clv_cuts_recv,
	SEND = clv_internal.clv_cuts_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = main
);
COMMENT ON TYPE @extschema@.clv_cuts IS
	'the cut points of a population behind its scores, with the day and the model they were made with; its text form '
	'is JSON';

CREATE FUNCTION clv_internal.clv_cuts_to_jsonb(@extschema@.clv_cuts) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_cuts_to_jsonb(@extschema@.clv_cuts) IS 'the cut points as jsonb, without loss';
CREATE FUNCTION clv_internal.clv_cuts_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION clv_internal.clv_cuts_from_jsonb(pg_catalog.jsonb) IS
	'the cut points of a jsonb form; an error names what is missing, unknown or out of range';

CREATE CAST (@extschema@.clv_cuts AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_cuts_to_jsonb(@extschema@.clv_cuts);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_cuts)
	WITH FUNCTION clv_internal.clv_cuts_from_jsonb(pg_catalog.jsonb);
COMMENT ON CAST (@extschema@.clv_cuts AS pg_catalog.jsonb) IS 'the cut points as JSON, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_cuts) IS
	'reads what the cast to jsonb has written; every member is checked';

-- ---- comparison: for DISTINCT, GROUP BY and indexes; the order itself has no meaning --------

%canonical clv_cuts 1 2 cuts

-- ---- cutting and scoring --------------------------------------------------------------------

CREATE FUNCTION @extschema@.rfmtc_score(
	history @extschema@.clv_history,
	model @extschema@.clv_model DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	bins pg_catalog.int4 DEFAULT 5
) RETURNS @extschema@.clv_scores
	AS 'MODULE_PATHNAME', 'rfmtc_score_window' LANGUAGE C WINDOW STABLE PARALLEL SAFE COST 25;
COMMENT ON FUNCTION @extschema@.rfmtc_score(
	@extschema@.clv_history, @extschema@.clv_model, pg_catalog.date, pg_catalog.int4) IS
	'window function: the scores of each customer among those of the partition, 1 (worst) to bins (best; 2 to 100): 1 '
	'+ the number of quantiles i/bins below the value, so that ties share a score. Frame and ORDER BY are ignored. '
	'as_of: the model''s day, else that of the last purchase in the partition, not later than today, with a WARNING '
	'where that day is isolated. c and v (value of the next 365.25 days, undiscounted) are NULL without a model. '
	'Customers who did not exist yet get NULL and do not count';

CREATE FUNCTION clv_internal.rfmtc_cuts_accum(pg_catalog.internal, @extschema@.clv_history, pg_catalog.date)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_accum(pg_catalog.internal, @extschema@.clv_history, pg_catalog.date) IS
	'adds one customer to the state of rfmtc_cuts()';
CREATE FUNCTION clv_internal.rfmtc_cuts_accum(
	pg_catalog.internal, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_accum(
	pg_catalog.internal, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'adds one customer to the state of rfmtc_cuts()';
CREATE FUNCTION clv_internal.rfmtc_cuts_accum(
	pg_catalog.internal, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4)
	RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_accum(
	pg_catalog.internal, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'adds one customer to the state of rfmtc_cuts()';
CREATE FUNCTION clv_internal.rfmtc_cuts_combine(pg_catalog.internal, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_combine(pg_catalog.internal, pg_catalog.internal) IS
	'joins two states of rfmtc_cuts(); an error where they differ in day, model or bins';
CREATE FUNCTION clv_internal.rfmtc_cuts_serialize(pg_catalog.internal) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_serialize(pg_catalog.internal) IS
	'sends a state of rfmtc_cuts() to another process';
CREATE FUNCTION clv_internal.rfmtc_cuts_deserialize(pg_catalog.bytea, pg_catalog.internal) RETURNS pg_catalog.internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_deserialize(pg_catalog.bytea, pg_catalog.internal) IS
	'receives a state of rfmtc_cuts(); every byte is checked';
CREATE FUNCTION clv_internal.rfmtc_cuts_final(pg_catalog.internal) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION clv_internal.rfmtc_cuts_final(pg_catalog.internal) IS
	'the cut points of the population in a state of rfmtc_cuts()';

CREATE AGGREGATE @extschema@.rfmtc_cuts(history @extschema@.clv_history, as_of pg_catalog.date) (
	SFUNC = clv_internal.rfmtc_cuts_accum,
	STYPE = pg_catalog.internal,
	SSPACE = 4096,
	COMBINEFUNC = clv_internal.rfmtc_cuts_combine,
	SERIALFUNC = clv_internal.rfmtc_cuts_serialize,
	DESERIALFUNC = clv_internal.rfmtc_cuts_deserialize,
	FINALFUNC = clv_internal.rfmtc_cuts_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfmtc_cuts(@extschema@.clv_history, pg_catalog.date) IS
	'the cut points of a population at the quantiles i/bins (interpolated as percentile_cont does), exact, for '
	'rfmtc_score(history, cuts). Without a model there are no cuts of churn and value. Customers who did not exist yet '
	'at as_of are counted as skipped; NULL where none existed. The day, the model and bins must be the same for all '
	'rows';
CREATE AGGREGATE @extschema@.rfmtc_cuts(
	history @extschema@.clv_history, as_of pg_catalog.date, model @extschema@.clv_model) (
	SFUNC = clv_internal.rfmtc_cuts_accum,
	STYPE = pg_catalog.internal,
	SSPACE = 4096,
	COMBINEFUNC = clv_internal.rfmtc_cuts_combine,
	SERIALFUNC = clv_internal.rfmtc_cuts_serialize,
	DESERIALFUNC = clv_internal.rfmtc_cuts_deserialize,
	FINALFUNC = clv_internal.rfmtc_cuts_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfmtc_cuts(@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'the cut points of a population at the quantiles i/bins (interpolated as percentile_cont does), exact, for '
	'rfmtc_score(history, cuts). Cuts churn and value under the model too; a NULL as_of is the model''s. Customers who '
	'did not exist yet at as_of are counted as skipped; NULL where none existed. The day, the model and bins must be '
	'the same for all rows';
CREATE AGGREGATE @extschema@.rfmtc_cuts(
	history @extschema@.clv_history, as_of pg_catalog.date, model @extschema@.clv_model, bins pg_catalog.int4) (
	SFUNC = clv_internal.rfmtc_cuts_accum,
	STYPE = pg_catalog.internal,
	SSPACE = 4096,
	COMBINEFUNC = clv_internal.rfmtc_cuts_combine,
	SERIALFUNC = clv_internal.rfmtc_cuts_serialize,
	DESERIALFUNC = clv_internal.rfmtc_cuts_deserialize,
	FINALFUNC = clv_internal.rfmtc_cuts_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.rfmtc_cuts(
	@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'the cut points of a population at the quantiles i/bins (interpolated as percentile_cont does), exact, for '
	'rfmtc_score(history, cuts). Cuts churn and value under the model too (NULL: none); a NULL as_of is the model''s; '
	'bins from 2 to 100, NULL is 5. Customers who did not exist yet at as_of are counted as skipped; NULL where none '
	'existed. The day, the model and bins must be the same for all rows';

-- ---- a population as a value, for cuts over several servers -----------------------------------

CREATE TYPE @extschema@.clv_population;

CREATE FUNCTION clv_internal.clv_population_in(pg_catalog.cstring) RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_in(pg_catalog.cstring) IS
	'reads the JSON form of a population; every number is checked, unknown members are errors';
CREATE FUNCTION clv_internal.clv_population_out(@extschema@.clv_population) RETURNS pg_catalog.cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_out(@extschema@.clv_population) IS
	'the population as JSON, exact and independent of settings';
CREATE FUNCTION clv_internal.clv_population_recv(pg_catalog.internal) RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION clv_internal.clv_population_recv(pg_catalog.internal) IS
	'reads the binary form of a population; every byte is checked';
CREATE FUNCTION clv_internal.clv_population_send(@extschema@.clv_population) RETURNS pg_catalog.bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION clv_internal.clv_population_send(@extschema@.clv_population) IS
	'the binary form of a population, as it is stored';

CREATE TYPE @extschema@.clv_population (
	INPUT = clv_internal.clv_population_in,
	OUTPUT = clv_internal.clv_population_out,
	RECEIVE = clv_internal.clv_population_recv,
	SEND = clv_internal.clv_population_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.clv_population IS
	'what cut points are made of: how many customers have each value of the measures, in some 10 to 300 kB; can be '
	'stored and put together with rfmtc_cuts(clv_population). Of a measure with more than 16,384 different values '
	'these are rounded up, as little as leaves no more. Its text form is JSON';

CREATE FUNCTION clv_internal.clv_population_to_jsonb(@extschema@.clv_population) RETURNS pg_catalog.jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_to_jsonb(@extschema@.clv_population) IS
	'the population as jsonb, without loss';
CREATE FUNCTION clv_internal.clv_population_from_jsonb(pg_catalog.jsonb) RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_from_jsonb(pg_catalog.jsonb) IS
	'the population of a jsonb form; an error names what is missing, unknown or out of range';

CREATE CAST (@extschema@.clv_population AS pg_catalog.jsonb)
	WITH FUNCTION clv_internal.clv_population_to_jsonb(@extschema@.clv_population);
CREATE CAST (pg_catalog.jsonb AS @extschema@.clv_population)
	WITH FUNCTION clv_internal.clv_population_from_jsonb(pg_catalog.jsonb);
COMMENT ON CAST (@extschema@.clv_population AS pg_catalog.jsonb) IS 'the population as JSON, without loss';
COMMENT ON CAST (pg_catalog.jsonb AS @extschema@.clv_population) IS
	'reads what the cast to jsonb has written; every member is checked';

%canonical clv_population 2 2 populations

CREATE FUNCTION clv_internal.clv_population_merge(@extschema@.clv_population, @extschema@.clv_population)
	RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_merge(@extschema@.clv_population, @extschema@.clv_population) IS
	'the customers of both; NULL: the other. An error where day, model or bins differ';
CREATE FUNCTION clv_internal.clv_population_cuts(@extschema@.clv_population) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION clv_internal.clv_population_cuts(@extschema@.clv_population) IS
	'the cut points of a population; NULL where no customer existed at its day';

CREATE FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date)
	RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date) IS
	'the population with one more customer; NULL population: a new one; NULL history: unchanged';
CREATE AGGREGATE @extschema@.clv_population(
	history @extschema@.clv_history, as_of pg_catalog.date) (
	SFUNC = clv_internal.clv_population_add_history, STYPE = @extschema@.clv_population, SSPACE = 65536,
	COMBINEFUNC = clv_internal.clv_population_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_population(
	@extschema@.clv_history, pg_catalog.date) IS
	'what rfmtc_cuts(history, as_of) makes cut points of, as a value; can be stored, and put together by '
	'rfmtc_cuts(clv_population). NULL histories are ignored; NULL where there is none';
CREATE FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model)
	RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'the population with one more customer; NULL population: a new one; NULL history: unchanged';
CREATE AGGREGATE @extschema@.clv_population(
	history @extschema@.clv_history, as_of pg_catalog.date, model @extschema@.clv_model) (
	SFUNC = clv_internal.clv_population_add_history, STYPE = @extschema@.clv_population, SSPACE = 65536,
	COMBINEFUNC = clv_internal.clv_population_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_population(
	@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model) IS
	'what rfmtc_cuts(history, as_of, model) makes cut points of, as a value; can be stored, and put together by '
	'rfmtc_cuts(clv_population). NULL histories are ignored; NULL where there is none';
CREATE FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4)
	RETURNS @extschema@.clv_population
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION clv_internal.clv_population_add_history(
	@extschema@.clv_population, @extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'the population with one more customer; NULL population: a new one; NULL history: unchanged';
CREATE AGGREGATE @extschema@.clv_population(
	history @extschema@.clv_history, as_of pg_catalog.date, model @extschema@.clv_model, bins pg_catalog.int4) (
	SFUNC = clv_internal.clv_population_add_history, STYPE = @extschema@.clv_population, SSPACE = 65536,
	COMBINEFUNC = clv_internal.clv_population_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.clv_population(
	@extschema@.clv_history, pg_catalog.date, @extschema@.clv_model, pg_catalog.int4) IS
	'what rfmtc_cuts(history, as_of, model, bins) makes cut points of, as a value; can be stored, and put together by '
	'rfmtc_cuts(clv_population). NULL histories are ignored; NULL where there is none';
CREATE AGGREGATE @extschema@.rfmtc_cuts(population @extschema@.clv_population) (
	SFUNC = clv_internal.clv_population_merge, STYPE = @extschema@.clv_population, SSPACE = 65536,
	FINALFUNC = clv_internal.clv_population_cuts, COMBINEFUNC = clv_internal.clv_population_merge, PARALLEL = SAFE);
COMMENT ON AGGREGATE @extschema@.rfmtc_cuts(@extschema@.clv_population) IS
	'the cut points of all customers in populations, the same in any split. Those of a measure with at most 16,384 '
	'different values are what rfmtc_cuts(history, ...) gives, to the bit; of others each is the value at the '
	'quantile, rounded up as clv_population says. The day, the model and bins must be the same for all';

CREATE FUNCTION @extschema@.rfmtc_score(
	history @extschema@.clv_history,
	cuts @extschema@.clv_cuts,
	as_of pg_catalog.date DEFAULT NULL
) RETURNS @extschema@.clv_scores
	AS 'MODULE_PATHNAME', 'rfmtc_score_cuts' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION @extschema@.rfmtc_score(@extschema@.clv_history, @extschema@.clv_cuts, pg_catalog.date) IS
	'the scores of a customer against stored cut points, under the cuts'' own model; as_of: the cuts'' day where none '
	'is given. The same scores as by the window function over the population the cuts were made from. NULL for NULL '
	'arguments and for a customer who did not exist yet; of cuts by clv_cuts scores without limits are NULL';

CREATE FUNCTION @extschema@.clv_cuts(
	r pg_catalog.float8[] DEFAULT NULL,
	f pg_catalog.float8[] DEFAULT NULL,
	m pg_catalog.float8[] DEFAULT NULL,
	t pg_catalog.float8[] DEFAULT NULL,
	c pg_catalog.float8[] DEFAULT NULL,
	v pg_catalog.float8[] DEFAULT NULL,
	as_of pg_catalog.date DEFAULT NULL,
	model @extschema@.clv_model DEFAULT NULL
) RETURNS @extschema@.clv_cuts
	AS 'MODULE_PATHNAME', 'clv_cuts_given' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.clv_cuts(
	pg_catalog.float8[], pg_catalog.float8[], pg_catalog.float8[], pg_catalog.float8[], pg_catalog.float8[],
	pg_catalog.float8[], pg_catalog.date, @extschema@.clv_model) IS
	'cut points with limits of your own, for rfmtc_score(history, cuts): r days since the last purchase, f purchases, '
	'm total spend, t days since the first purchase, c probability of churn, v value of the year ahead; n limits in '
	'ascending order make n + 1 scores, and a value that equals a limit counts below it. Numbers of scores may differ; '
	'scores without limits are NULL. c and v need the model to measure by. as_of: the day to score as of, the model''s '
	'where none is given; without either, rfmtc_score asks for one';

CREATE FUNCTION @extschema@.clv_cut_points(
	cuts @extschema@.clv_cuts,
	OUT score pg_catalog.text,
	OUT measure pg_catalog.text,
	OUT value pg_catalog.int2,
	OUT above pg_catalog.float8,
	OUT up_to pg_catalog.float8
) RETURNS SETOF pg_catalog.record
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500 ROWS 30;
COMMENT ON FUNCTION @extschema@.clv_cut_points(@extschema@.clv_cuts) IS
	'the limits of cut points, a row for each value of each score: its measure lies above the one and up to the other, '
	'NULL where there is no limit. No customer has a score of which both are the same number. Measures as in clv_cuts';
