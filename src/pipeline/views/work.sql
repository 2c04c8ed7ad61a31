-- ---- what a refresh works with: no view shows it ----------------------------------------------------------

CREATE FUNCTION clv_internal.clv_pipeline_view_work() RETURNS SETOF clv_internal.clv_pipeline_part
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10 ROWS 13
SET search_path = pg_catalog, pg_temp
AS $part$ VALUES
	('table', 'pipeline', $sql$
		CREATE TABLE {data}.pipeline OF clv_internal.clv_pipeline_definition
	$sql$, 'the definition of the pipeline: clv_alter_pipeline changes it'),

	('table', 'state', $sql$
		CREATE TABLE {data}.state (
			run int8,
			previous int8,
			generation int8,
			watermark timestamptz,
			fingerprint text,
			parts_hash text
		)
	$sql$, 'the run that the views show, the one before, how far the source has been read, and what version the '
		'tables are of'),

	('table', 'history', $sql$
		CREATE TABLE {data}.history (
			generation int8 NOT NULL,
			{1},
			history @extschema@.clv_history NOT NULL,
			PRIMARY KEY ({key}, generation)
		) PARTITION BY LIST (generation)
	$sql$, 'the histories of all customers, as of generation, the run that built them from scratch'),

	('setup', 'history',
		$sql$CREATE TABLE {data}.history_rest PARTITION OF {data}.history DEFAULT$sql$, NULL),

	('table', 'touched', $sql$
		CREATE TABLE {data}.touched (
			{1},
			run int8 NOT NULL,
			before @extschema@.clv_history,
			PRIMARY KEY ({key})
		)
	$sql$, 'customers whose histories have changed since the cells were counted, with what they were'),

	('table', 'member', $sql$
		CREATE TABLE {data}.member (
			{1},
			group_name varchar(200) NOT NULL,
			PRIMARY KEY ({key})
		)
	$sql$, 'the group of each customer; empty without group_by'),

	('table', 'fit', $sql$
		CREATE TABLE {data}.fit (
			group_name varchar(200) PRIMARY KEY,
			cells @extschema@.clv_cells,
			model @extschema@.clv_model,
			cuts @extschema@.clv_cuts
		)
	$sql$, 'the groups while they are fitted'),

	('setup', 'fit', $sql$ALTER TABLE {data}.fit ALTER cells SET STORAGE EXTERNAL$sql$, NULL),

	('table', 'cells', $sql$
		CREATE TABLE {data}.cells (
			generation int8 NOT NULL,
			options jsonb NOT NULL,
			cells @extschema@.clv_cells
		)
	$sql$, 'what the last fit counted; taken up again where day and options are the same'),

	-- numbers do not get smaller, only slower
	('setup', 'cells', $sql$ALTER TABLE {data}.cells ALTER cells SET STORAGE EXTERNAL$sql$, NULL),

	-- the row that each run locks
	('setup', 'state', $sql$INSERT INTO {data}.state DEFAULT VALUES$sql$, NULL)
$part$;
COMMENT ON FUNCTION clv_internal.clv_pipeline_view_work() IS
	'the tables that a refresh works with. A part of pipelines';
