-- complain if the script is sourced in psql rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION clv" to load this file. \quit

-- Operators and functions in bodies between BEGIN ATOMIC and END, and after RETURN, are looked up here and now, once
-- and for all: in pg_catalog alone, whatever is in the schema of the extension.
SET LOCAL search_path = pg_catalog, pg_temp;


-- The schema of the objects that users do not call. Only the owner of the extension may create objects in it.
CREATE SCHEMA clv_internal;
GRANT USAGE ON SCHEMA clv_internal TO PUBLIC;
COMMENT ON SCHEMA clv_internal IS
	'parts of the extension clv that are not meant to be called directly and may change in any version';
