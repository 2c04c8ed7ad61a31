# A role that installs the extension, or owns the schema that it lies in, gains no rights: no object of it is theirs,
# they may change rows of segment maps alone, and no session runs their code because it reads these.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('hostile');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;

# Runs SQL as a role. Returns the exit code, what it printed and its errors with their SQLSTATE.
sub as
{
	my ($role, $sql, $database) = @_;
	my ($rc, $out, $err) = $node->psql($database // 'shop', "\\set VERBOSITY verbose\n$sql",
		extra_params => [ '-U', $role ], on_error_stop => 1);

	return ($rc, $out, $err);
}

# Checks that statements of a role succeed; returns their output.
sub works
{
	my ($role, $sql, $name, $database) = @_;
	my ($rc, $out, $err) = as($role, $sql, $database);

	is($rc, 0, $name) or diag $err;
	return $out;
}

# Checks that a statement of a role fails with this error.
sub refused
{
	my ($role, $sql, $error, $name) = @_;
	my ($rc, $out, $err) = as($role, $sql);

	isnt($rc, 0, $name) and like($err, $error, "$name: and says why");
	return;
}

# The server runs on, no role has become a superuser, and nothing of bob's has run in another's name.
sub unharmed
{
	my ($name) = @_;

	is($node->safe_psql('shop',
		q{SELECT (SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper), (SELECT count(*) FROM bobs.witness)}),
		'postgres|0', "no harm done: $name");
	return;
}

my $segment = q{SELECT "Odd Schema".segment_assign(ROW(5,5,5,5,5,5, NULL)::"Odd Schema".clv_scores, 'y')};
my $postmaster = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

$node->safe_psql('postgres',
	'CREATE ROLE bob LOGIN; CREATE ROLE carol LOGIN; CREATE DATABASE shop; GRANT CREATE ON DATABASE shop TO bob');
works('bob', q{
	CREATE SCHEMA bobs; CREATE TABLE bobs.witness (who name);
	CREATE FUNCTION bobs.evil() RETURNS int LANGUAGE plpgsql AS $$ BEGIN
		IF current_user <> 'bob' THEN
			INSERT INTO bobs.witness VALUES (current_user);
			ALTER ROLE bob SUPERUSER;
		END IF;
		RETURN 1; END $$;
	CREATE FUNCTION bobs.trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM bobs.evil(); RETURN NEW; END $$;
	GRANT USAGE ON SCHEMA bobs TO PUBLIC;
	CREATE SCHEMA "Odd Schema"; CREATE EXTENSION clv SCHEMA "Odd Schema"},
		'bob, no superuser, installs it in a schema that bob owns');

# ---- no object of it is bob's ----

is($node->safe_psql('shop', q{
	SELECT string_agg(DISTINCT d.classid::regclass || ' ' || s.refobjid::regrole, ', ')
	FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv'
	JOIN pg_shdepend s ON s.classid = d.classid
	AND s.objid = d.objid
	AND s.dbid = (SELECT oid FROM pg_database WHERE datname = 'shop')
		AND s.deptype = 'o' AND s.refclassid = 'pg_authid'::regclass
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'}), '',
		'no object of the extension belongs to an ordinary role');
is($node->safe_psql('shop', q{
	SELECT string_agg(DISTINCT x.owner::regrole::text, ' ') FROM pg_depend d
	JOIN pg_extension e ON e.oid = d.refobjid
	AND e.extname = 'clv'
	AND d.refclassid = 'pg_extension'::regclass
	AND d.deptype = 'e'
	JOIN (SELECT 'pg_proc'::regclass AS class, oid, proowner AS owner
	FROM pg_proc
	UNION ALL
	SELECT 'pg_type', oid, typowner
	FROM pg_type
		UNION ALL
		SELECT 'pg_class', oid, relowner
		FROM pg_class
		UNION ALL
		SELECT 'pg_operator', oid, oprowner
		FROM pg_operator
		UNION ALL SELECT 'pg_namespace', oid, nspowner FROM pg_namespace
		UNION ALL
		SELECT 'pg_opclass', oid, opcowner
		FROM pg_opclass
		UNION ALL
		SELECT 'pg_opfamily', oid, opfowner
		FROM pg_opfamily) x
		ON x.class = d.classid AND x.oid = d.objid}), 'postgres', 'all of them are the superuser\'s');
is($node->safe_psql('shop', q{
	SELECT d.classid::regclass FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv'
	WHERE d.refclassid = 'pg_extension'::regclass
	AND d.deptype = 'e'
	AND d.classid NOT IN ('pg_proc'::regclass, 'pg_type'::regclass,
		'pg_class'::regclass, 'pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_opfamily'::regclass,
			'pg_cast'::regclass, 'pg_namespace'::regclass)}),
			'', 'and there is no other kind');

my $table = '"Odd Schema".clv_segment_map';
refused('bob', $_->[1], qr/ERROR:  (42501|2BP01|55000|0A000)/, "bob: $_->[0]") foreach (
	[ 'drops a NOT NULL', "ALTER TABLE $table ALTER rule DROP NOT NULL" ],
	[ 'drops the check', "ALTER TABLE $table DROP CONSTRAINT clv_segment_map_rule" ],
	[ 'changes a type', "ALTER TABLE $table ALTER rule TYPE bigint USING 1" ],
	[ 'drops a column', "ALTER TABLE $table DROP COLUMN rule" ],
	[ 'renames a column', "ALTER TABLE $table RENAME rule TO other" ],
	[ 'renames the table', "ALTER TABLE $table RENAME TO other" ],
	[ 'moves the table', "ALTER TABLE $table SET SCHEMA bobs" ],
	[ 'takes the table', "ALTER TABLE $table OWNER TO bob" ],
	[ 'takes it out of the extension', "ALTER EXTENSION clv DROP TABLE $table" ],
	[ 'drops the table', "DROP TABLE $table" ],
	[ 'drops the table and what needs it', "DROP TABLE $table CASCADE" ],
	[ 'enables row security', "ALTER TABLE $table ENABLE ROW LEVEL SECURITY" ],
	[ 'makes a policy', "CREATE POLICY p ON $table USING (bobs.evil() = 1)" ],
	[ 'makes a trigger', "CREATE TRIGGER t AFTER INSERT ON $table EXECUTE FUNCTION bobs.trigger()" ],
	[ 'disables the guard', "ALTER TABLE $table DISABLE TRIGGER ALL" ],
	[ 'makes a rule', "CREATE RULE r AS ON INSERT TO $table DO ALSO SELECT bobs.evil()" ],
	[ 'makes an index on an expression', "CREATE INDEX ON $table ((bobs.evil()))" ],
	[ 'inherits', "CREATE TABLE bobs.child () INHERITS ($table)" ],
	[ 'empties it', "TRUNCATE $table" ],
	[ 'takes the guard out of the extension',
		'ALTER EXTENSION clv DROP FUNCTION clv_internal.clv_segment_map_guard()' ],
	[ 'writes the guard anew',
		'CREATE OR REPLACE FUNCTION clv_internal.clv_segment_map_guard() RETURNS trigger
		LANGUAGE plpgsql AS $$ BEGIN PERFORM bobs.evil();
		RETURN NEW;
		END $$' ],
	[ 'adds an attribute to a row type', 'ALTER TYPE "Odd Schema".clv_scores ADD ATTRIBUTE x text' ],
	[ 'changes one', 'ALTER TYPE "Odd Schema".clv_scores ALTER ATTRIBUTE r TYPE text' ],
	[ 'replaces the list of pipelines', 'CREATE OR REPLACE VIEW "Odd Schema".clv_pipelines AS SELECT bobs.evil()' ],
	[ 'creates a function where ours are',
		'CREATE FUNCTION clv_internal.clv_cents(text) RETURNS int LANGUAGE sql AS $$ SELECT bobs.evil() $$' ],
	[ 'takes the schema of our functions', 'ALTER SCHEMA clv_internal OWNER TO bob' ],
	[ 'renames it', 'ALTER SCHEMA clv_internal RENAME TO clv_external' ],
	[ 'drops it', 'DROP SCHEMA clv_internal CASCADE' ],
	[ 'moves the extension', 'ALTER EXTENSION clv SET SCHEMA bobs' ],
	[ 'changes a shipped map', "UPDATE $table SET segment = 'x' WHERE map = 'rfm'" ],
	[ 'adds to a shipped map', "INSERT INTO $table (map, position, segment, builtin) VALUES ('rfm', 99, 'x', true)" ]);

# ---- the exploits that there were -----------------------------------------------------------------------------------

as('bob',
	qq{ALTER TABLE $table ALTER rule DROP NOT NULL;
	INSERT INTO $table(map, position, segment, rule)
	VALUES ('y', 1, 'a', NULL)});
as('bob', "INSERT INTO $table(map, position, segment, rule) VALUES ('y', 1, 'a', NULL)");
refused('postgres', $segment, qr/ERROR:  42704: segment map "y" does not exist/, 'a NULL rule');
as('bob',
	"ALTER TABLE $table DROP CONSTRAINT clv_segment_map_rule, ALTER rule DROP DEFAULT, ALTER rule TYPE bigint USING 1");
refused('postgres', $segment, qr/ERROR:  42704: segment map "y" does not exist/, 'an integer for a rule');
as('bob', $_) foreach ("ALTER EXTENSION clv DROP TABLE $table", "DROP TABLE $table",
	"CREATE VIEW $table AS
		SELECT 'y'::text AS map, 1 AS position, 'a'::text AS segment, '{}'::jsonb AS rule, false AS builtin
		WHERE bobs.evil() = 1");
refused('postgres', $segment, qr/ERROR:  42704: segment map "y" does not exist/, 'a view in the place of the table');
unharmed('the exploits as they were');

# a schema of the same name in the place of the extension's own
works('bob', qq{ALTER SCHEMA "Odd Schema" RENAME TO moved; CREATE SCHEMA "Odd Schema";
	CREATE VIEW $table AS
		SELECT 'y'::text AS map, 1 AS position, 'a'::text AS segment, '{}'::jsonb AS rule, false AS builtin
		WHERE bobs.evil() = 1},
		'bob exchanges the schema');
refused('postgres', q{SELECT moved.segment_assign(ROW(5,5,5,5,5,5, NULL)::moved.clv_scores, 'y')},
	qr/ERROR:  42704: segment map "y" does not exist/, 'another schema of that name');
works('bob', 'DROP SCHEMA "Odd Schema" CASCADE; ALTER SCHEMA moved RENAME TO "Odd Schema"', 'and puts it back');

# objects of the same name earlier in the search_path, of the caller's own session too
works('bob',
	q{CREATE VIEW bobs.clv_segment_map AS
	SELECT 'y'::text AS map, 1 AS position, 'a'::text AS segment, '{}'::jsonb AS rule, false AS builtin
	WHERE bobs.evil() = 1;
	GRANT SELECT ON bobs.clv_segment_map TO PUBLIC;
	CREATE FUNCTION bobs.never(text, text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN PERFORM bobs.evil();
	RETURN false;
	END $$;
	CREATE OPERATOR bobs.= (LEFTARG = text, RIGHTARG = text, FUNCTION = bobs.never)},
		'bob makes the same names elsewhere');
refused('postgres',
	"SET search_path = bobs, pg_catalog; CREATE TEMP VIEW clv_segment_map AS TABLE bobs.clv_segment_map; $segment",
	qr/ERROR:  42704: segment map "y" does not exist/, 'a view of that name before it in search_path');
unharmed('three more ways');

# ---- C checks the table whoever its owner is -------------------------------------------------------------------------

# What only a superuser can do: each is undone, and each is an error, not a crash and not an answer.
works('bob', qq{INSERT INTO $table (map, position, segment) VALUES ('y', 1, 'Everybody')}, 'bob writes a map');
works('bob', 'GRANT USAGE ON SCHEMA "Odd Schema" TO PUBLIC', 'the schema is for all');
is(works('carol', $segment, 'any role uses it'), 'Everybody', 'and it names the segment');
foreach (
	[ 'NULL in a rule', "ALTER TABLE $table ALTER rule DROP NOT NULL; UPDATE $table SET rule = NULL WHERE map = 'y'",
		qr/Column "rule" is NULL/ ],
	[ 'NULL in a segment',
		"ALTER TABLE $table ALTER segment DROP NOT NULL; UPDATE $table SET segment = NULL WHERE map = 'y'",
		qr/Column "segment" is NULL/ ],
	[ 'an integer rule',
		"ALTER TABLE $table DROP CONSTRAINT clv_segment_map_rule, ALTER rule DROP DEFAULT,
		ALTER rule TYPE bigint USING 4096",
		qr/"rule" is of type bigint, not jsonb/ ],
	[ 'a text position', "ALTER TABLE $table DROP CONSTRAINT clv_segment_map_rule, ALTER position TYPE text",
		qr/"position" is of type text, not integer/ ],
	[ 'no rule', "ALTER TABLE $table DROP COLUMN rule", qr/has no column "rule"/ ],
	[ 'a rule renamed', "ALTER TABLE $table RENAME rule TO roule", qr/has no column "rule"/ ],
	[ 'row security', "ALTER TABLE $table ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON $table USING (bobs.evil() = 1)",
		qr/row level security/ ],
	[ 'a rule of the rewriter', "CREATE RULE r AS ON UPDATE TO $table DO ALSO SELECT bobs.evil()",
		qr/row level security, or rules/ ],
	[ 'an owner who is no superuser', "ALTER TABLE $table OWNER TO bob", qr/owner "bob" is not a superuser/ ],
	[ 'a view', "ALTER EXTENSION clv DROP TABLE $table; DROP TABLE $table CASCADE; CREATE VIEW $table AS
		SELECT 'y'::text AS map, 1 AS position, 'a'::text AS segment, '{}'::jsonb AS rule, false AS builtin
			WHERE bobs.evil() = 1;
			GRANT SELECT ON $table TO PUBLIC",
			qr/not an ordinary table/ ],
	[ 'a foreign table',
		"ALTER EXTENSION clv DROP TABLE $table;
		DROP TABLE $table CASCADE;
		CREATE FOREIGN DATA WRAPPER w;
		CREATE SERVER s FOREIGN DATA WRAPPER w;
		CREATE FOREIGN TABLE $table (map text, position int, segment text, rule jsonb, builtin bool) SERVER s;
		GRANT SELECT ON $table TO PUBLIC",
			qr/not an ordinary table/ ],
	[ 'a partitioned table', "ALTER EXTENSION clv DROP TABLE $table; DROP TABLE $table CASCADE;
		CREATE TABLE $table (map text, position int, segment text, rule jsonb, builtin bool) PARTITION BY LIST (map);
		GRANT SELECT ON $table TO PUBLIC",
			qr/not an ordinary table/ ])
{
	my ($name, $change, $error) = @$_;

	foreach my $call ($segment, q{SELECT * FROM "Odd Schema".clv_segment_check('y')},
		q{SELECT * FROM "Odd Schema".clv_segment_inputs('y')})
	{
		my ($rc, $out, $err) = as('postgres', "BEGIN; $change;\n $call; ROLLBACK");

		my $differs = 'ERROR:  55000: table "clv_segment_map" differs from the one that the extension created';
		like($err, qr/$differs\nDETAIL:  .*$error/, "$name: $call");
	}
}
like((as('postgres',
	qq{BEGIN; ALTER EXTENSION clv DROP TABLE $table; DROP TABLE $table CASCADE; $segment; ROLLBACK}))[2],
	qr/ERROR:  42P01: table "clv_segment_map" does not exist in schema "Odd Schema"/, 'no table');
like((as('postgres', qq{BEGIN; REVOKE SELECT ON $table FROM PUBLIC; SET LOCAL ROLE carol; $segment; ROLLBACK}))[2],
	qr/ERROR:  42501: permission denied for table clv_segment_map/, 'rows are for those who may read them');
foreach my $change ('ADD ATTRIBUTE x text', 'DROP ATTRIBUTE c', 'ALTER ATTRIBUTE r TYPE text',
	'ALTER ATTRIBUTE v TYPE int8')
{
	like((as('postgres',
		qq{BEGIN; ALTER TYPE "Odd Schema".clv_scores $change CASCADE; SET LOCAL search_path = "Odd Schema";
			SELECT segment_assign(NULLIF(rfmtc_score(h) OVER (), NULL), 'y')
				FROM (SELECT clv_history(date '2020-01-01') AS h) q;
				ROLLBACK}))[2],
		qr/ERROR:  42804: row type .*clv_scores differs from the one that the extension created/,
			"clv_scores, $change: made");
	my $row = 'ROW(5,5,5,5,5' . ($change =~ /DROP/ ? '' : ',5') . ',0.5' . ($change =~ /ADD/ ? ",'x'" : '') . ')';
	like((as('postgres', qq{BEGIN; ALTER TYPE "Odd Schema".clv_scores $change CASCADE;
			SELECT "Odd Schema".segment_assign($row\::"Odd Schema".clv_scores, 'y'); ROLLBACK}))[2],
		qr/ERROR:  42804: row type .*clv_scores differs from the one that the extension created/,
			"clv_scores, $change: read");
}
foreach (
	[ 'clv_prediction',
		q[clv_predict(clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2022-06-01'),
			clv_history(date '2022-01-01'))] ],
	[ 'clv_rfmtc', 'rfmtc(clv_history(date \'2022-01-01\'), \'2022-06-01\')' ],
	[ 'clv_nps_score', 'clv_nps(9)' ])
{
	my ($type, $call) = @$_;

	like((as('postgres',
		qq{BEGIN;
		ALTER TYPE "Odd Schema".$type ADD ATTRIBUTE x text CASCADE;
		SET LOCAL search_path = "Odd Schema";
		SELECT $call;
		ROLLBACK}))[2],
		qr/ERROR:  42804: row type .*$type differs from the one that the extension created/,
			"$type with a column more");
}
is(works('carol', $segment, 'after all that'), 'Everybody', 'the map is as it was');
unharmed('whatever the table is');

# ---- what the installer may: rows, and lend that --------------------------------------------------------------------

works('bob',
	qq{UPDATE $table SET segment = 'All'
	WHERE map = 'y';
	INSERT INTO $table (map, position, segment)
	VALUES ('z', 1, 'Some');
	DELETE FROM $table
	WHERE map = 'z';
	GRANT SELECT, INSERT, UPDATE, DELETE ON $table TO carol}, 'bob writes new maps, and lets carol');
works('carol', qq{INSERT INTO $table (map, position, segment) VALUES ('hers', 1, 'Mine')}, 'carol writes one');
refused('carol', "UPDATE $table SET segment = 'x' WHERE map = 'rf'",
	qr/ERROR:  55000: the shipped segment maps cannot be changed/, 'a shipped one is not hers');
works('bob', 'ALTER EXTENSION clv UPDATE', 'bob updates the extension');

my $maps = qq{SELECT string_agg(concat_ws(' ', map, position, segment), ', ' ORDER BY map)
	FROM $table
	WHERE NOT builtin};
is(works('bob', $maps, 'the maps'), 'hers 1 Mine, y 1 All', 'there are two');
$node->safe_psql('postgres', 'CREATE DATABASE "by bob" OWNER bob; CREATE DATABASE "by postgres"');
$node->safe_psql('shop', 'REVOKE ALL ON bobs.witness FROM PUBLIC');
foreach my $role ('bob', 'postgres')
{
	my $file = $node->basedir . "/$role.dump";

	$node->command_ok([ 'pg_dump', '-Fc', '-f', $file, '-d', $node->connstr('shop') . " user=$role" ],
		"$role dumps the database");
	$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr("by $role") . " user=$role",
		$file ], "$role restores it");
	is(works($role, $maps, "restored by $role", "by $role"), 'hers 1 Mine, y 1 All', 'the maps are there');
	is(works($role,
		"SELECT count(*) = (SELECT count(DISTINCT (map, position)) FROM $table WHERE builtin)
		FROM $table
		WHERE builtin",
		'the shipped ones', "by $role"),
		't', 'once');
	is(works('postgres', "SELECT relowner::regrole FROM pg_class WHERE oid = '$table'::regclass", 'the table',
		"by $role"),
		'postgres', 'is the superuser\'s');
	works($role,
		"INSERT INTO $table (map, position, segment) VALUES ('more', 1, 'x'); DELETE FROM $table WHERE map = 'more'",
		"$role writes maps there", "by $role");
}
works('carol', qq{UPDATE $table SET segment = 'Ours' WHERE map = 'hers'}, 'what bob granted is restored with it',
	'by bob');

# a superuser's installation, granted on, dumped and restored with all rights
$node->safe_psql('postgres', 'CREATE DATABASE origin; CREATE DATABASE restored');
works('postgres',
	q{CREATE SCHEMA clv;
	CREATE EXTENSION clv SCHEMA clv;
	GRANT USAGE ON SCHEMA clv TO carol;
	GRANT INSERT ON clv.clv_segment_map TO carol},
	'a superuser installs it', 'origin');
my $dump = $node->basedir . '/origin.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, '-d', $node->connstr('origin') ], 'dumped');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'restored');
works('carol', q{INSERT INTO clv.clv_segment_map (map, position, segment) VALUES ('hers', 1, 'Mine')},
	'with what was granted', 'restored');

works('bob',
	'DROP EXTENSION clv; CREATE EXTENSION clv SCHEMA "Odd Schema"; DROP EXTENSION clv; DROP SCHEMA "Odd Schema"',
	'bob drops, creates and drops it');
unharmed('to the end');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $postmaster, 'the server has never been down');
ok(!$node->log_contains('terminated by signal'), 'and no session crashed');

$node->stop;
done_testing();
