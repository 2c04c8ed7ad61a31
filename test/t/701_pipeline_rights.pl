# What the owner of a pipeline has written, and whatever they have attached to its tables, runs with the owner's rights
# and no others, whichever role refreshes, lists, changes or drops it; and only members of the owner may do so.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('rights');
$node->init;
Shop::configure($node);
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;

# alice owns the pipeline, bob is a member of her, mallory is not; rita reads the views
$node->safe_psql('postgres', q{
	CREATE ROLE alice LOGIN;
	CREATE ROLE bob LOGIN;
	CREATE ROLE mallory LOGIN;
	CREATE ROLE rita LOGIN;
	GRANT alice TO bob;
	CREATE SCHEMA ext; CREATE EXTENSION clv SCHEMA ext; GRANT USAGE ON SCHEMA ext TO PUBLIC;
	GRANT CREATE ON DATABASE postgres TO alice, mallory;
	CREATE SCHEMA private AUTHORIZATION alice; CREATE SCHEMA evil AUTHORIZATION mallory;
	GRANT USAGE ON SCHEMA private, evil TO PUBLIC;
	ALTER ROLE alice SET search_path = private, ext;
	ALTER ROLE bob SET search_path = ext;
	ALTER ROLE mallory SET search_path = evil, ext;
	ALTER ROLE postgres SET search_path = ext});

# run as ROLE: (return code, output, errors)
sub as
{
	my ($role, $sql) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\n$sql",
		connstr => $node->connstr('postgres') . " user=$role");
	return ($rc, $out, $err);
}

# Checks that statements of a role succeed; returns their output.
sub works
{
	my ($role, $sql, $name) = @_;
	my ($rc, $out, $err) = as($role, $sql);
	is($rc, 0, $name) or diag($err);
	return $out;
}

works('alice', $Shop::orders . q{
	CREATE TABLE witness (place text, who name, at timestamptz DEFAULT clock_timestamp());
	GRANT INSERT ON witness TO PUBLIC;
	-- sequences keep their state when a transaction fails
	CREATE SEQUENCE met; CREATE SEQUENCE met_stranger; GRANT USAGE ON SEQUENCE met, met_stranger TO PUBLIC;
	CREATE TABLE people (customer_id bigint PRIMARY KEY, colour text);
	INSERT INTO people SELECT DISTINCT customer_id, (ARRAY['red', 'blue'])[1 + customer_id % 2] FROM orders;
	CREATE TABLE answers (customer_id bigint, rating int);
	INSERT INTO answers SELECT customer_id, customer_id * 7 % 11 FROM people;
	-- says which role runs it, and tries whatever might make it another
	CREATE FUNCTION evil(place text) RETURNS bool LANGUAGE plpgsql AS $$
	DECLARE
		attempt text;
	BEGIN
		FOREACH attempt IN ARRAY '{RESET ROLE,SET ROLE postgres,SET ROLE NONE,SET LOCAL ROLE postgres,
			RESET SESSION AUTHORIZATION,
			SET SESSION AUTHORIZATION postgres,SET SESSION AUTHORIZATION DEFAULT,RESET ALL,
			"SELECT set_config(''role'', ''none'', false)","SELECT set_config(''role'', ''postgres'', true)",
			"SELECT set_config(''session_authorization'', ''postgres'', false)",
			"SELECT clv_internal.clv_pipeline_as_owner(10, ''ALTER ROLE alice SUPERUSER'')",
			"SELECT clv_internal.clv_pipeline_as_owner(''bob''::regrole,
				''INSERT INTO private.witness SELECT 1, current_user'')",
			ALTER ROLE alice SUPERUSER,CREATE ROLE booty SUPERUSER,GRANT pg_read_all_data TO alice,
			"CREATE TEMP TABLE booty ()",
			"SELECT set_config(''search_path'', ''private'', false)","SELECT set_config(''clv.booty'', ''1'', false)",
			"SELECT pg_read_file(''PG_VERSION'')"}'::text[]
		LOOP
			BEGIN
				EXECUTE attempt;
				-- a setting goes away again with the call
				IF current_user <> 'alice' OR (attempt !~ 'search_path|clv.booty|RESET ALL' AND attempt !~ 'bob') THEN
					INSERT INTO private.witness VALUES (place || ': ' || attempt, current_user);
				END IF;
			EXCEPTION WHEN OTHERS THEN
				NULL;
			END;
		END LOOP;
		INSERT INTO private.witness VALUES (place, current_user);
		PERFORM nextval(CASE current_user WHEN 'alice' THEN 'private.met' ELSE 'private.met_stranger' END);
		RETURN true;
	END $$;
	CREATE FUNCTION harmless(place text) RETURNS bool
		LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN private.evil(place); END';
	CREATE FUNCTION evil_trigger() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN PERFORM private.evil(TG_ARGV[0]); RETURN CASE WHEN TG_OP = ''DELETE'' THEN OLD ELSE NEW END; END';
	CREATE VIEW sold AS SELECT * FROM orders WHERE (SELECT private.evil('source'));
	CREATE VIEW persons AS SELECT * FROM people WHERE (SELECT private.evil('attributes'));
	CREATE VIEW opinions AS SELECT * FROM answers WHERE (SELECT private.evil('ratings'));
	CALL clv_create_pipeline('shop', 'sold', 'customer_id', 'ordered_at', 'amount',
		filter => '(SELECT evil(''filter''))',
		changed_at => 'changed_at', attribute_source => 'persons', attributes => 'colour', rating_source => 'opinions',
			rating => 'rating');
	CALL clv_refresh('shop');
	GRANT USAGE ON SCHEMA shop TO rita; GRANT SELECT ON ALL TABLES IN SCHEMA shop TO rita;},
		'alice makes a pipeline full of traps');
works('alice', q{
	ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY;
	CREATE POLICY trap ON orders USING ((SELECT evil('policy')));
	CREATE TRIGGER trap BEFORE INSERT ON shop_data.cohort
		FOR EACH STATEMENT
		EXECUTE FUNCTION evil_trigger('statement trigger');
	CREATE TRIGGER trap AFTER UPDATE ON shop_data.run FOR EACH ROW EXECUTE FUNCTION evil_trigger('row trigger');
	CREATE TRIGGER trap BEFORE UPDATE ON shop_data.state FOR EACH ROW EXECUTE FUNCTION evil_trigger('publishing');
	CREATE TRIGGER trap BEFORE DELETE ON shop_data.segment FOR EACH STATEMENT EXECUTE FUNCTION evil_trigger('cleanup');
	CREATE RULE trap AS ON INSERT TO shop_data.equity DO ALSO SELECT evil('rule');
	ALTER TABLE shop_data.run ADD trap bool DEFAULT evil('default');
	ALTER TABLE shop_data.step ADD CHECK (evil('check'));
	ALTER TABLE shop_data.step ADD trap bool GENERATED ALWAYS AS (harmless('generated')) STORED;
	CREATE INDEX trap ON shop_data.cohort_age (harmless('index'));
	ALTER TABLE shop_data.lift ENABLE ROW LEVEL SECURITY; ALTER TABLE shop_data.lift FORCE ROW LEVEL SECURITY;
	CREATE POLICY trap ON shop_data.lift USING (evil('policy of a table')) WITH CHECK (evil('policy of a table'));
	ALTER VIEW shop.runs RENAME TO runs_of_old;
	CREATE VIEW shop.runs AS SELECT * FROM shop.runs_of_old WHERE (SELECT evil('view'));
	TRUNCATE witness}, 'and hangs traps upon its tables');

my @places = ('attributes', 'check', 'cleanup', 'default', 'filter', 'generated', 'index', 'policy',
	'policy of a table', 'publishing',
	'ratings', 'row trigger', 'rule', 'source', 'statement trigger', 'view');
my $attributes = q{SELECT string_agg(concat_ws(' ', rolname, rolsuper, rolcreaterole, rolcreatedb), ', '
	ORDER BY rolname)
	FROM pg_roles
	WHERE rolname !~ '^pg_'};
my $roles = $node->safe_psql('postgres', $attributes);

foreach my $caller ('postgres', 'bob')
{
	$node->safe_psql('postgres', 'TRUNCATE private.witness');
	my $out = works($caller, q{
		SET search_path = ext, public; SET clv.booty = '0';
		CALL clv_refresh('shop', 'full');
		SELECT count(*) FROM clv_pipelines;
		CALL clv_alter_pipeline('shop', margin => 0.5);
		SELECT current_user, session_user, current_setting('role'), current_setting('search_path'),
			current_setting('clv.booty'),
			(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
				(SELECT count(*) FROM pg_class WHERE relname = 'booty');},
				"$caller refreshes, lists and changes it");
	is($out, "1\n$caller|$caller|none|ext, public|0|0|0", "$caller is the role from before, with its settings");
	is($node->safe_psql('postgres',
		q{SELECT string_agg(DISTINCT place, ', ' ORDER BY place) FROM private.witness WHERE place !~ ':'}),
		join(', ', @places),
		"called by $caller: every trap was met");
	is($node->safe_psql('postgres',
		q{SELECT string_agg(DISTINCT who || ' in ' || place, ', ') FROM private.witness WHERE who <> 'alice'}),
		'',
		"called by $caller: as alice, and no other role");
	is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT place, ', ') FROM private.witness WHERE place ~ ':'}),
		'',
		"called by $caller: no way out was found");
	is($node->safe_psql('postgres', $attributes), $roles, "called by $caller: roles are what they were");
}

# what waits for the end of the transaction would meet the caller there: it must not be let through
works('alice', q{CREATE CONSTRAINT TRIGGER late AFTER INSERT ON shop_data.segment DEFERRABLE INITIALLY DEFERRED
	FOR EACH ROW EXECUTE FUNCTION evil_trigger('deferred')}, 'alice puts off a trigger to the end of the transaction');
like((as('postgres', q{CALL clv_refresh('shop')}))[2], qr/ERROR:  42501: cannot fire deferred trigger/,
	'and is refused');
is($node->safe_psql('postgres', q{SELECT count(*) FROM private.witness WHERE place ~ 'deferred' OR who <> 'alice'}), 0,
	'before it has run');
works('alice', 'DROP TRIGGER late ON shop_data.segment', 'she takes it away again');

# ---- the table with the definition is exchanged for a view while a session waits to read it ----

foreach my $sql ('TABLE clv_pipelines', q{CALL clv_alter_pipeline('shop', margin => 0.4)})
{
	$node->safe_psql('postgres', q{SELECT setval('private.met', 1, false)});
	my $thief = $node->background_psql('postgres', extra_params => [ '-U', 'alice' ]);
	$thief->query_safe('BEGIN; LOCK TABLE shop_data.pipeline');
	my $reader = Shop::background($node, "SET search_path = ext; $sql");
	$node->poll_query_until('postgres',
		q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'shop_data.pipeline'::regclass AND NOT granted});
	$thief->query_safe(q{ALTER TABLE shop_data.pipeline RENAME TO pipeline_;
		CREATE VIEW shop_data.pipeline AS SELECT * FROM shop_data.pipeline_ WHERE (SELECT evil('exchanged')); COMMIT});
	Shop::finish($reader);
	is($node->safe_psql('postgres', 'SELECT a.is_called, b.is_called FROM private.met a, private.met_stranger b'),
		't|f',
		"a view in the place of the definition is read as alice: $sql");
	$thief->query_safe('DROP VIEW shop_data.pipeline; ALTER TABLE shop_data.pipeline_ RENAME TO pipeline');
	$thief->quit;
}

# ---- another role's schema that looks like a pipeline's ----

works('mallory', q{
	CREATE SEQUENCE met; CREATE SEQUENCE met_stranger; GRANT USAGE ON SEQUENCE met, met_stranger TO PUBLIC;
	CREATE FUNCTION see() RETURNS bool LANGUAGE sql VOLATILE AS
		'SELECT nextval(CASE current_user WHEN ''mallory'' THEN ''evil.met'' ELSE ''evil.met_stranger'' END) > 0';
	CREATE SCHEMA fake; CREATE SCHEMA fake_data;
	CREATE TABLE fake_data.pipeline OF clv_internal.clv_pipeline_definition;
	INSERT INTO fake_data.pipeline (name, source, customer, filter)
		VALUES ('fake', '(SELECT evil.see()) x', '{a}', 'evil.see()');
	CREATE VIEW fake.runs AS
		SELECT 'x'::text AS as_of, NULL::text AS published_at, NULL::text AS customers, 'much' AS run, 'done' AS status,
		NULL::text AS started_at, NULL::text AS error, true AS is_current FROM evil.see();
	GRANT USAGE ON SCHEMA fake, fake_data TO PUBLIC; GRANT ALL ON ALL TABLES IN SCHEMA fake, fake_data TO PUBLIC},
		'mallory makes what looks like a pipeline');
is(works('postgres',
	q{SELECT string_agg(name || ' ' || coalesce(last_status, 'unreadable'), ', ' ORDER BY name) FROM ext.clv_pipelines},
	'the list can be read'),
	'fake unreadable, shop failed', 'with what cannot be read in it said to be so, and the others');
isnt((as('postgres', qq{CALL ext.$_}))[0], 0, "$_ of it is an error")
	foreach ("clv_refresh('fake')", "clv_alter_pipeline('fake', margin => 1)");
is($node->safe_psql('postgres', 'SELECT a.is_called, b.is_called FROM evil.met a, evil.met_stranger b'), 't|f',
	'and all of it ran as mallory');
works('postgres', q{CALL ext.clv_drop_pipeline('fake', true)}, 'it can be dropped');

# ---- functions and operators that come before the right ones in the caller's search_path ----

works('mallory', q{
	DO $$ DECLARE t text; o text; f text; BEGIN
		FOREACH t IN ARRAY '{text,int4,int8,oid,name,date,timestamptz,bool,float8,jsonb,numeric}'::text[] LOOP
			EXECUTE format('CREATE OR REPLACE FUNCTION evil.trap(%1$s, %1$s)
				RETURNS bool LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION ''''trapped''''; END''',
				t);
			FOREACH o IN ARRAY '{=,<>,<,>,<=,>=,+,-,||,->>,~,!~}'::text[] LOOP
				EXECUTE format('CREATE OPERATOR evil.%s (LEFTARG = %s, RIGHTARG = %2$s, FUNCTION = evil.trap)', o, t);
			END LOOP;
			FOREACH f IN ARRAY '{format,quote_ident,quote_literal,isfinite,to_char,concat,array_length,has_role,
				current_setting,to_regclass,parse_ident}'::text[] LOOP
				EXECUTE format('CREATE FUNCTION evil.%I(%s)
					RETURNS text LANGUAGE plpgsql AS ''BEGIN RAISE EXCEPTION ''''trapped''''; END''',
					f, t);
			END LOOP;
		END LOOP;
		CREATE OPERATOR evil.->> (LEFTARG = jsonb, RIGHTARG = text, FUNCTION = evil.trap_json);
	EXCEPTION WHEN undefined_function THEN NULL; END $$;
	CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
	CREATE FUNCTION evil.current_schemas(bool) RETURNS name[]
		LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
	CREATE FUNCTION evil.pg_has_role(oid, text) RETURNS bool
		LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END';
	CREATE FUNCTION evil.pg_backend_pid() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''trapped''; END'},
		'mallory sets traps in her schema');
works('postgres', q{SET search_path = evil, pg_catalog;
	CALL ext.clv_refresh('shop');
	SELECT count(name)
	FROM ext.clv_pipelines;
	CALL ext.clv_alter_pipeline('shop', margin => 0.3, reset => '{level}')},
		'no caller runs them');

# ---- roles without the right ----

foreach my $role ('mallory', 'rita')
{
	like((as($role, $_))[2], qr/ERROR:  42501: permission denied for pipeline "shop"/, "$role may not: $_")
	  foreach ("CALL ext.clv_refresh('shop')", "CALL ext.clv_alter_pipeline('shop', filter => 'true')",
		"CALL ext.clv_drop_pipeline('shop')",
		"CALL ext.clv_forget('shop', 1)", "SELECT clv_internal.clv_pipeline_forget_rows('shop', '{1}')",
		"SELECT ext.clv_schedule('shop', '0 3 * * *')", "SELECT ext.clv_unschedule('shop')",
			"SELECT clv_internal.clv_pipeline_read('shop')",
		"SELECT clv_internal.clv_pipeline_begin('shop', 'full', NULL, 'error', 'x', now())",
			"SELECT clv_internal.clv_pipeline_run_step('shop', 1, 1)");
	like((as($role, "SELECT clv_internal.clv_pipeline_as_owner('alice'::regrole, 'SELECT 1')"))[2],
		qr/ERROR:  42501: permission denied to work as role "alice"/,
		"$role may not work as alice");
	is(works($role, 'SELECT count(*) FROM ext.clv_pipelines', "$role may look at the list"), 0,
		'and sees nothing there');
}
works('rita', 'SELECT count(*), (SELECT count(*) FROM shop.segments) FROM shop.customers', 'rita reads the views');
like((as($_->[0], "BEGIN; $_->[1]"))[2], qr/ERROR:  42501/, "$_->[0] cannot keep a refresh waiting: $_->[1]")
  foreach (map { my $role = $_;
  map { [ $role, $_ ] } 'SELECT FROM shop_data.state FOR KEY SHARE', 'SELECT run FROM shop.runs FOR UPDATE',
		'LOCK TABLE shop_data.state IN ACCESS SHARE MODE', 'LOCK TABLE shop.equity IN SHARE MODE',
			q{SELECT clv_internal.clv_pipeline_lock('shop', false)} } 'mallory',
			'rita');
{
	# a reader in the middle of a transaction, who holds every advisory lock that the name suggests
	my $reader = $node->background_psql('postgres', extra_params => [ '-U', 'rita' ]);
	$reader->query_safe(q{BEGIN; SELECT count(*) FROM shop.equity, shop.customers;
		SELECT pg_advisory_lock(1668052592, (n.oid::int8 - 2147483648)::int4) FROM pg_namespace n});
	works('alice', q{CALL clv_refresh('shop')},
		'and a reader with every lock that the role can take keeps no session waiting');
	$reader->query_safe('COMMIT');
	$reader->quit;
}
foreach my $oid (0, 4294967295)
{
	like((as('postgres', "SELECT clv_internal.clv_pipeline_as_owner($oid\:\:oid, 'SELECT 1')"))[2],
		qr/ERROR:  42704: role with OID $oid does not exist/,
		"no work is done as a role that does not exist: $oid");
}
like((as('rita', 'TABLE shop_data.customer'))[2], qr/ERROR:  42501/, 'but not the tables behind them');
like((as('rita', q{CALL ext.clv_create_pipeline('mine', 'private.orders', 'customer_id', 'ordered_at')}))[2],
	qr/ERROR:  42501/,
	'and cannot make a pipeline over what she may not read');

# ---- the rights of the owner, and their rows ----

works('postgres', q{
	CREATE SCHEMA store; CREATE TABLE store.orders AS SELECT o.*, 1 + o.customer_id % 2 AS shop FROM private.orders o;
	ALTER TABLE store.orders ENABLE ROW LEVEL SECURITY; CREATE POLICY mine ON store.orders TO alice USING (shop = 1);
	CREATE POLICY bobs ON store.orders TO bob USING (shop = 2);
	GRANT USAGE ON SCHEMA store TO alice, bob;
	GRANT SELECT ON store.orders TO alice, bob},
	'a table of two shops, where alice sees one and bob the other');
works('alice',
	q{CALL clv_create_pipeline('half', 'store.orders', 'customer_id', 'ordered_at', 'amount', as_of => '2025-06-30')},
	'alice makes a pipeline');
foreach my $caller ('alice', 'bob', 'postgres')
{
	is(works($caller, q{SET search_path = ext; CALL clv_refresh('half');
		SET ROLE alice;
		SELECT count(*) = (SELECT count(DISTINCT customer_id) FROM store.orders), bool_and(customer_id % 2 = 0),
			count(*) > 50
		FROM half.customers},
			"$caller refreshes it"),
		't|t|t', "and it holds alice's rows") if $caller ne 'bob';
	is(works($caller,
		q{CALL clv_refresh('half');
		SET ROLE alice;
		SELECT bool_and(customer_id % 2 = 0), count(*) > 50
		FROM half.customers},
		'bob refreshes it'),
		't|t', "and it holds alice's rows") if $caller eq 'bob';
}
works('postgres', 'REVOKE SELECT ON store.orders FROM alice', 'alice loses the right to read');
foreach my $caller ('alice', 'bob', 'postgres')
{
	like((as($caller, q{SET search_path = ext; CALL clv_refresh('half')}))[2],
		qr/ERROR:  42501: permission denied for table orders/,
		"then nothing is read in her name: $caller");
}
is(works('alice',
	q{SELECT status, error_code FROM half.runs ORDER BY run DESC LIMIT 1; SELECT count(*) > 50 FROM half.customers},
	'runs tells'),
	"failed|42501\nt", 'the error, and the old state is shown');

works('bob', q{CALL clv_drop_pipeline('half'); CALL clv_drop_pipeline('shop', true)}, 'a member may drop it');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(shop|half)'}), 0,
	'and it is gone');

$node->stop;
done_testing();
