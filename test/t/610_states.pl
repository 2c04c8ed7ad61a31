# Any role may call a function of an aggregate, as what it is or in an aggregate of its own: the server runs on, what is
# stored stays as it is, and what comes out is a value like any other. The functions are those that the catalog names.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('states');
$node->init;
$node->append_conf('postgresql.conf',
	"jit = off\nfsync = off\nautovacuum = off\nlog_min_messages = log\nlog_min_error_statement = panic");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION clv;
CREATE ROLE stranger LOGIN;
CREATE SCHEMA stranger AUTHORIZATION stranger;
ALTER ROLE stranger SET search_path = stranger, public;
ALTER ROLE stranger SET client_min_messages = error;

CREATE TABLE history AS
SELECT c, c % 7 AS shop, clv_history(date '2020-01-01' + c % 11 + i * (1 + c % 5), (c * 7 + i * 3) % 13 + 0.5) AS h
  FROM generate_series(1, 400) c, generate_series(0, c % 6) i GROUP BY c;
CREATE TABLE model AS SELECT clv_fit(h, clv_options(as_of => '2020-06-30')) AS m FROM history;
CREATE TABLE stored (id int, c clv_cells, n int8[], s clv_sums, p clv_population);
INSERT INTO stored
SELECT shop, clv_cells(h), ARRAY[1, 2, 3], clv_sums(m, h, '1 year'), clv_population(h, '2020-03-01')
FROM history, model GROUP BY shop
UNION ALL SELECT 10, clv_cells(h, clv_options(model => 'mbg/cnbd-k')), '{0,0,0}', clv_sums(m, h, '0'),
	clv_population(h, '2020-03-01', m)
FROM history, model
WHERE c < 6
UNION ALL
SELECT 11, (SELECT clv_cells(1, 1, 2, 3)), '{9,0,0}', clv_sums(m, h, '1 year', 0.1, 0.3, '2019-12-31', 0.5),
	clv_population(h, '2020-03-01', m, 9)
FROM history, model
UNION ALL
SELECT 12, clv_cells(h, clv_options(covariates => '{z}'), ARRAY[c % 3]::float8[]), NULL, NULL, NULL
FROM history
WHERE c < 50;
ALTER TABLE stored ALTER c SET STORAGE plain, ALTER s SET STORAGE plain, ALTER p SET STORAGE plain;
CREATE TABLE plain AS SELECT * FROM stored WHERE id > 9;
GRANT SELECT ON history, model, stored, plain TO stranger;
VACUUM (FREEZE) stored, plain;
CHECKPOINT;

-- Functions with a state: what each aggregate of the extension names, and all that take the same types.
CREATE VIEW state_function AS
SELECT DISTINCT p.oid, p.oid::regprocedure::text AS name,
	format('%s.%I', p.pronamespace::regnamespace, p.proname) AS proname, p.prorettype::regtype::text AS result,
	p.pronargs,
	   string_to_array(p.proargtypes::text, ' ')::oid[]::regtype[]::text[] AS args, p.prosrc
  FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'clv'
 WHERE p.prokind = 'f'
		AND p.proargtypes[0]::regtype::text IN ('internal', 'clv_cells', 'clv_sums', 'clv_population', 'bigint[]')
	OR p.oid IN (SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn, aggdeserialfn, aggmtransfn,
		aggminvtransfn, aggmfinalfn])
				   FROM pg_aggregate a
				   JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = a.aggfnoid AND d.deptype = 'e'
				   JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv');
GRANT SELECT ON state_function TO stranger;

-- an expression of the type, over the tables history and stored
CREATE FUNCTION example(type text) RETURNS text IMMUTABLE LANGUAGE sql RETURN CASE type
	WHEN 'clv_cells' THEN 'c'
		WHEN 'clv_sums' THEN 's'
		WHEN 'clv_population' THEN 'p'
		WHEN 'clv_history' THEN 'h'
		WHEN 'clv_model' THEN '(SELECT m FROM public.model)'
		WHEN 'interval' THEN $$interval '1 year'$$
		WHEN 'double precision' THEN '1'
		WHEN 'jsonb' THEN $$'{}'::jsonb$$
	WHEN 'double precision[]' THEN $$'{1}'::float8[]$$
		WHEN 'boolean' THEN 'true'
		WHEN 'bigint[]' THEN 'n'
		WHEN 'date' THEN $$date '2020-03-01'$$
	WHEN 'bigint' THEN '7::bigint' ELSE format('NULL::%s', type) END;

CREATE TABLE verdict (what text, state text, message text);
GRANT INSERT ON verdict TO stranger;
-- what the statement says: 'fine', or its error
CREATE FUNCTION stranger.try(what text, statement text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	code text;
	said text;
BEGIN
	EXECUTE statement;
	INSERT INTO public.verdict VALUES (what, 'fine', statement);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, said = MESSAGE_TEXT;
	INSERT INTO public.verdict VALUES (what, code, said || ': ' || statement);
END $$;
ALTER FUNCTION stranger.try OWNER TO stranger;
SQL
$node->safe_psql('postgres', 'CREATE EXTENSION pageinspect')
	if $node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'pageinspect'");

# What is stored, down to the bytes of the pages in shared buffers where pageinspect is to be had.
my $paged = $node->safe_psql('postgres', "SELECT count(*) FROM pg_extension WHERE extname = 'pageinspect'");
sub fingerprint
{
	return join ' ', map {
		my $t = $_;
		$node->safe_psql('postgres',
			"SELECT md5(string_agg(id || encode(clv_internal.clv_cells_send(c), 'hex') || coalesce(n::text, '')
			|| coalesce(encode(clv_internal.clv_sums_send(s), 'hex'), '')
			|| coalesce(encode(clv_internal.clv_population_send(p), 'hex'), ''), ' '
			ORDER BY id))
			FROM $t"),
		$paged ? $node->safe_psql('postgres',
			"SELECT md5(string_agg(get_raw_page('$t', p::int)::text, ''))
			FROM generate_series(0, pg_relation_size('$t') / 8192 - 1) p")
			: ()
	} qw(stored plain);
}
# stranger(STATEMENTS): what they say as errors, run by a role without rights
sub stranger
{
	my ($rc, $out, $err) = $node->psql('postgres', shift, extra_params => [ '-U', 'stranger' ], on_error_stop => 0);
	note $err if $err ne '';
	return $err;
}
my $before = fingerprint();

# untouched(NAME): the server never fell, and nothing that is stored has changed
sub untouched
{
	my ($name) = @_;

	is($node->safe_psql('postgres', 'SELECT 1'), '1', "$name: the server answers");
	unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP/, "$name: and never fell");
	is(fingerprint(), $before, "$name: what is stored is what was stored");
	is($node->safe_psql('postgres', "SELECT state, message FROM verdict WHERE state LIKE 'XX%' LIMIT 3"), '',
		"$name: no internal error");
	return;
}

# ---- an aggregate without a final function leaks its state; used again, joined with itself, stored ----
stranger(<<'SQL');
SET enable_hashagg = off;
CREATE AGGREGATE leak(clv_history) (SFUNC = clv_internal.clv_cells_add, STYPE = clv_cells);
SELECT clv_internal.clv_cells_merge(c, c) FROM (SELECT leak(h) c FROM public.history) s;
SELECT clv_internal.clv_cells_merge(c, c) FROM (SELECT leak(h) c FROM public.history WHERE c < 5) s;
CREATE TABLE leaked (shop int, c clv_cells);
ALTER TABLE leaked ALTER c SET STORAGE plain;
INSERT INTO leaked SELECT shop, leak(h) AS c FROM public.history WHERE c < 60 GROUP BY shop;
CREATE AGGREGATE leak(clv_model, clv_history, interval) (SFUNC = clv_internal.clv_sums_add, STYPE = clv_sums);
SELECT clv_internal.clv_sums_merge(s, s) FROM (SELECT leak(m, h, '1 year') s FROM public.model, public.history) l;
CREATE TABLE leaked_sums AS
	SELECT shop, leak(m, h, '1 year') AS s, clv_sums(m, h, '1 year') AS shared,
		clv_predict_total(m, h, '1 year')::text AS total
	FROM public.model, public.history WHERE c < 60 GROUP BY shop;
CREATE AGGREGATE leak(clv_history, date) (SFUNC = clv_internal.clv_population_add_history, STYPE = clv_population);
SELECT clv_internal.clv_population_merge(p, p) FROM (SELECT leak(h, date '2020-03-01') p FROM public.history) l;
CREATE TABLE leaked_populations AS
	SELECT shop, leak(h, date '2020-03-01') AS p, clv_population(h, date '2020-03-01') AS shared,
		rfmtc_cuts(h, date '2020-03-01') AS cuts
	FROM public.history WHERE c < 60 GROUP BY shop;
CREATE TABLE windowed_populations AS
	SELECT shop, leak(h, date '2020-03-01') OVER (PARTITION BY shop ORDER BY c) AS running,
		leak(h, date '2020-03-01') OVER (PARTITION BY shop) AS p
	FROM public.history WHERE c < 60;
CREATE TABLE windowed_sums AS
	SELECT shop, leak(m, h, '1 year') OVER (PARTITION BY shop ORDER BY c) AS running,
		leak(m, h, '1 year') OVER (PARTITION BY shop) AS s
	FROM public.model, public.history WHERE c < 60;
SQL
my $leaked = "SELECT string_agg(shop || ' ' || c::text, ' ' ORDER BY shop) FROM stranger.leaked";
my $leaks = $node->safe_psql('postgres', $leaked);
stranger(<<'SQL');
SELECT clv_internal.clv_cells_add(l.c, h) FROM leaked l, public.history;
SELECT clv_internal.clv_cells_merge(c, c) FROM leaked;
SELECT clv_internal.clv_sums_add(s, m, h, '1 year') FROM leaked_sums, public.model, public.history;
SELECT clv_internal.clv_sums_merge(s, s) FROM leaked_sums;
SELECT clv_internal.clv_population_add_history(p, h, date '2020-03-01') FROM leaked_populations, public.history;
SELECT clv_internal.clv_population_merge(p, p) FROM leaked_populations;
SQL
untouched('a leak');
is($node->safe_psql('postgres', $leaked), $leaks, 'a SELECT changes no leak that is stored');
my $canonical = 'SELECT shop, clv_cells(h) AS c FROM history WHERE c < 60 GROUP BY shop';
is($node->safe_psql('postgres',
	"SELECT count(*), bool_and(l.c = t.c),
	bool_and(clv_internal.clv_cells_hash(l.c) = clv_internal.clv_cells_hash(t.c)), bool_and(l.c::text = t.c::text),
	bool_and(clv_internal.clv_cells_send(l.c) = clv_internal.clv_cells_send(t.c)), bool_and(l.c::text::clv_cells = l.c)
		FROM stranger.leaked l JOIN ($canonical) t USING (shop)"),
		'7|t|t|t|t|t',
	'what leaks and is stored is the value that the aggregate returns');

is($node->safe_psql('postgres',
	"SELECT count(*), bool_and(l.s = t.s AND l.shared = t.s AND l.total = t.total),
	bool_and(clv_internal.clv_sums_send(l.s) = clv_internal.clv_sums_send(t.s)),
	bool_and(t.s = ALL (ARRAY(SELECT w.s FROM stranger.windowed_sums w WHERE w.shop = t.shop))),
	bool_and(t.n = (SELECT max((w.running::jsonb ->> 'customers')::int)
					FROM stranger.windowed_sums w WHERE w.shop = t.shop))
		FROM stranger.leaked_sums l
		JOIN (SELECT shop, count(*) AS n, clv_sums(m, h, '1 year') AS s,
					 clv_predict_total(m, h, '1 year')::text AS total
			FROM model, history WHERE c < 60 GROUP BY shop) t USING (shop)"),
	'7|t|t|t|t',
	'and so it is with sums');

is($node->safe_psql('postgres',
	"SELECT count(*), bool_and(l.p = t.p AND l.shared = t.p AND l.cuts = t.cuts),
	bool_and(t.p = ALL (ARRAY(SELECT w.p FROM stranger.windowed_populations w WHERE w.shop = t.shop))),
	bool_and(t.n = (SELECT max((w.running::jsonb ->> 'customers')::int)
		FROM stranger.windowed_populations w WHERE w.shop = t.shop))
		FROM stranger.leaked_populations l
		JOIN (SELECT shop, count(*) AS n, clv_population(h, date '2020-03-01') AS p,
					 rfmtc_cuts(h, date '2020-03-01') AS cuts
			FROM history WHERE c < 60 GROUP BY shop) t USING (shop)"),
	'7|t|t|t',
	'and with populations');

# variants: a leak beside our aggregate, which shares its state; a combine function of one's own; a leak from a window
stranger(<<'SQL');
CREATE TABLE shared AS SELECT shop, clv_cells(h) AS c, leak(h) AS l FROM public.history WHERE c < 60 GROUP BY shop;
CREATE FUNCTION keep(clv_cells, clv_cells) RETURNS clv_cells
	LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN clv_internal.clv_cells_merge($1, clv_internal.clv_cells_merge($2, $2));
CREATE AGGREGATE mine(clv_history) (SFUNC = clv_internal.clv_cells_add,
	STYPE = clv_cells, FINALFUNC = clv_internal.clv_cells_final, COMBINEFUNC = keep, PARALLEL = SAFE);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
CREATE TABLE combined AS SELECT shop, mine(h) AS c FROM public.history WHERE c < 60 GROUP BY shop;
CREATE TABLE windowed AS
	SELECT shop,
	leak(h) OVER (PARTITION BY shop ORDER BY c ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS c,
	clv_cells(h) OVER (PARTITION BY shop ORDER BY c) AS running FROM public.history WHERE c < 60;
SELECT clv_internal.clv_cells_merge(running, running), clv_internal.clv_cells_add(w.c, h)
	FROM windowed w JOIN public.history USING (shop);
SQL
untouched('variants');
is($node->safe_psql('postgres',
	"SELECT bool_and(s.c = t.c AND s.l = t.c AND clv_internal.clv_cells_send(s.l) = clv_internal.clv_cells_send(t.c))
	FROM stranger.shared s JOIN ($canonical) t USING (shop)"),
	't',
	'a state that two aggregates share');
is($node->safe_psql('postgres',
	"SELECT bool_and(s.c = clv_internal.clv_cells_merge(t.c, t.c) OR s.c = t.c)
	FROM stranger.combined s JOIN ($canonical) t USING (shop)"),
	't',
	'a combine function that is not ours');
is($node->safe_psql('postgres', "SELECT bool_and(s.c = t.c) FROM stranger.windowed s JOIN ($canonical) t USING (shop)"),
	't', 'a window');
is($node->safe_psql('postgres',
	"SELECT count(*)
	FROM (SELECT c FROM stranger.leaked UNION SELECT c FROM stranger.windowed UNION SELECT l FROM stranger.shared) u"),
	'7',
	'leaks are distinct where values are');

# ---- every function of the catalog, called by itself on what is stored ----
my $functions = $node->safe_psql('postgres', 'SELECT count(*) FROM state_function');
cmp_ok($functions, '>', 50, "the catalog names functions with a state ($functions)");
stranger(q{SELECT try('call ' || name,
	format('SELECT %s(%s) FROM (SELECT * FROM public.%s, public.history) q(id, c, n, s, p, customer, shop, h)', proname,
	array_to_string(ARRAY(SELECT public.example(a) FROM unnest(args) a), ', '), t))
		FROM public.state_function, unnest('{stored,plain}'::text[]) t
	WHERE NOT 'internal' = ANY (args)});
untouched('calls');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM verdict WHERE what LIKE 'call %' AND state = 'fine'"), '>',
	30, 'most calls return something');
stranger(q{SELECT try('null ' || name, format('SELECT %s(%s)', proname,
	array_to_string(ARRAY(SELECT format('NULL::%s', a) FROM unnest(args) a), ', '))) FROM public.state_function});
untouched('NULLs');
is($node->safe_psql('postgres',
	"SELECT count(*)
	FROM verdict v JOIN state_function f ON v.what = 'null ' || f.name
	WHERE 'internal' = ANY (args) AND state = 'fine'"),
	'0',
	'a state of type internal cannot be written down');

# ---- and in aggregates of a stranger: as their transition, their final, their combine function ----
stranger(<<'SQL');
-- the state is of type internal: not for users
SELECT try('internal ' || name,
	format('CREATE AGGREGATE internal_%s(%s) (SFUNC = %s, STYPE = internal)', row_number() OVER (),
	coalesce(nullif(array_to_string(args[2:], ','), ''), '*'), proname))
		FROM public.state_function
		WHERE args[1] = 'internal' AND result = 'internal';
-- a transition function alone, and with each function that ends it or combines it
SELECT try('create',
	format('CREATE AGGREGATE %s(%s) (SFUNC = %s, STYPE = %s%s%s%s)',
	'agg_' || s.oid || '_' || coalesce(f.oid::text, '') || '_' || coalesce(c.oid::text, ''),
	array_to_string(s.args[2:], ','), s.proname, s.result, ', FINALFUNC = ' || f.proname,
		', PARALLEL = SAFE, COMBINEFUNC = ' || c.proname,
	CASE WHEN s.result = 'bigint[]' THEN $$, INITCOND = '{0,0,0}'$$ END))
  FROM public.state_function s,
	   LATERAL (SELECT oid, proname FROM public.state_function f WHERE f.args = s.args[1:1]
		UNION ALL SELECT NULL, NULL) f,
	   LATERAL (SELECT oid, proname
		FROM public.state_function c
		WHERE c.args = s.args[1:1] || s.args[1:1] AND c.result = s.result
		UNION ALL SELECT NULL, NULL) c
 WHERE s.args[1] = s.result AND s.result <> 'internal' AND s.pronargs > 1;
-- a final function with arguments of its own: of an ordered-set aggregate
SELECT try('create', format('CREATE AGGREGATE os_%s(%s ORDER BY %s) (SFUNC = %s, STYPE = %s, FINALFUNC = %s%s)', f.oid,
	array_to_string(f.args[2:], ','), s.args[2], s.proname, s.result, f.proname, CASE
		WHEN s.result = 'bigint[]' THEN $$, INITCOND = '{0,0,0}'$$ END))
  FROM public.state_function f
  JOIN public.state_function s ON s.result = f.args[1]
  AND s.args[1] = f.args[1]
  AND s.pronargs = 2
  AND s.args[2] IN ('clv_history', 'double precision')
 WHERE f.pronargs > 1 AND s.result <> 'internal' AND s.proname <> 'clv_internal.clv_nps_remove';
SET enable_sort = on;
-- what an aggregate is called with: columns of what is stored and of histories
CREATE VIEW called AS
SELECT p.oid::regprocedure::text AS name, p.proname, g.aggcombinefn <> 0 AS combines,
	array_to_string(ARRAY(SELECT public.example(t)
		FROM unnest(string_to_array(p.proargtypes::text, ' ')::oid[]::regtype[]::text[]) t), ', ') AS a,
	$$(SELECT *
		FROM public.stored, public.history
		WHERE id < 2 AND history.c < 20) q(id, c, n, s, p, customer, shop, h)$$ AS q
  FROM pg_proc p JOIN pg_aggregate g ON g.aggfnoid = p.oid
 WHERE p.pronamespace = 'stranger'::regnamespace AND p.proname LIKE 'agg%';
SELECT try('aggregate ' || name || ' ' || m, CASE m
	WHEN 'plain' THEN format('SELECT %s(%s) FROM %s', proname, a, q)
	WHEN 'groups'
		THEN format('SELECT count(r::text) FROM (SELECT %s(%s) AS r FROM %s GROUP BY shop OFFSET 0) g', proname, a, q)
	ELSE format('SELECT %s(%s) OVER (PARTITION BY shop ORDER BY customer ROWS 3 PRECEDING) FROM %s', proname, a, q) END)
  FROM called, unnest('{plain,groups,windows}'::text[]) m;
-- those that have no combine function are never made in parts by workers
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT try('aggregate ' || name || ' parallel', format('SELECT %s(%s) FROM %s', proname, a, q))
  FROM called WHERE combines;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT try('ordered ' || p.oid::regprocedure,
	format('SELECT %s(%s) WITHIN GROUP (ORDER BY %s) FROM public.history WHERE c < 30', proname,
	array_to_string(ARRAY(SELECT format('(SELECT %s FROM public.stored, (SELECT h FROM public.history) h LIMIT 1)',
		public.example(t))
		FROM unnest(a[:n - 1]) t),
		', '),
		public.example(a[n])))
  FROM pg_proc p, LATERAL (SELECT string_to_array(proargtypes::text, ' ')::oid[]::regtype[]::text[], pronargs) x (a, n)
 WHERE prokind = 'a' AND pronamespace = 'stranger'::regnamespace AND proname LIKE 'os%';
SQL
untouched('foreign aggregates');
is($node->safe_psql('postgres', "SELECT count(*) FROM verdict WHERE what LIKE 'internal %' AND state = 'fine'"), '0',
	'a stranger makes no aggregate with states of type internal');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM verdict WHERE what = 'create' AND state = 'fine'"), '>', 40,
	'many aggregates can be made of our functions');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM verdict WHERE what LIKE 'aggregate %' AND state = 'fine'"),
	'>', 100, 'and do something');
note $node->safe_psql('postgres',
	"SELECT split_part(what, ' ', 1), state, count(*), min(message) FROM verdict GROUP BY 1, 2 ORDER BY 1, 2");

# ---- states of type internal: a superuser may mix what belongs to different aggregates, and is told so ----
my ($rc, $out, $err) = $node->psql('postgres', <<'SQL', on_error_stop => 0);
CREATE AGGREGATE mixed(date) (SFUNC = clv_internal.clv_history_transition,
	STYPE = internal, FINALFUNC = clv_internal.rfmtc_cuts_final);
SELECT mixed(date '2020-01-01') FROM generate_series(1, 3);
CREATE AGGREGATE other(clv_history, date) (SFUNC = clv_internal.rfmtc_cuts_accum,
	STYPE = internal, FINALFUNC = clv_internal.clv_history_final);
SELECT other(h, date '2021-01-01') FROM history;
CREATE AGGREGATE third(clv_history, date) (SFUNC = clv_internal.rfmtc_cuts_accum,
	STYPE = internal, FINALFUNC = clv_internal.clv_validate_sum_final);
SELECT third(h, date '2021-01-01') FROM history;
SQL
my @foreign = $err =~ /ERROR:  a function of (\S+) was called with the state of another aggregate/g;
is("@foreign", 'rfmtc_cuts() clv_history() clv_validate_sum()',
	'a state of type internal of another aggregate is told apart');
untouched('mixtures');

$node->stop;
done_testing();
