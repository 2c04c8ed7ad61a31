# Every object of the extension is in the schema that was asked for, has a comment, and has the right volatility, cost
# and parallel label. And: an upgrade gives the objects of a fresh install.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('install');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;

# One line per object of the extension with everything that an upgrade could get wrong.
my $catalog = q{
	SELECT pg_catalog.pg_describe_object(d.classid, d.objid, 0) || ' | ' || CASE d.classid
		WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN
			(SELECT pg_catalog.concat_ws(' ', p.prokind, p.provolatile, p.proparallel, p.proisstrict, p.procost,
				p.prorows, pg_catalog.pg_get_function_arguments(p.oid), pg_catalog.pg_get_function_result(p.oid),
				p.prosrc, p.probin, p.proconfig, p.proacl, pg_catalog.pg_get_function_sqlbody(p.oid), a.aggkind,
				a.aggtransfn, a.aggfinalfn,
				a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggtransspace, a.aggtranstype::pg_catalog.regtype,
				a.agginitval, a.aggfinalmodify, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn,
				a.aggmtranstype::pg_catalog.regtype, a.aggminitval)
			 FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_aggregate a ON a.aggfnoid = p.oid
			 WHERE p.oid = d.objid)
		WHEN 'pg_catalog.pg_type'::pg_catalog.regclass THEN
			(SELECT pg_catalog.concat_ws(' ', t.typlen, t.typtype, t.typstorage, t.typalign, t.typinput, t.typoutput,
				t.typreceive, t.typsend, (SELECT pg_catalog.string_agg(a.attname || ' ' ||
					pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
					FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0))
			 FROM pg_catalog.pg_type t WHERE t.oid = d.objid)
		WHEN 'pg_catalog.pg_class'::pg_catalog.regclass THEN
			(SELECT pg_catalog.concat_ws(' ', c.relkind, c.relacl, (SELECT
				pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attname,
				pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
				pg_catalog.col_description(c.oid, a.attnum)), ', ' ORDER BY a.attnum)
				FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
				CASE c.relkind WHEN 'v' THEN pg_catalog.pg_get_viewdef(c.oid) END,
				(SELECT pg_catalog.string_agg(pg_catalog.pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname)
				 FROM pg_catalog.pg_constraint k WHERE k.conrelid = c.oid))
			 FROM pg_catalog.pg_class c WHERE c.oid = d.objid)
		WHEN 'pg_catalog.pg_operator'::pg_catalog.regclass THEN
			(SELECT pg_catalog.concat_ws(' ', o.oprcode, o.oprrest, o.oprjoin,
				o.oprcom::pg_catalog.regoperator, o.oprnegate::pg_catalog.regoperator, o.oprcanhash,
				o.oprcanmerge) FROM pg_catalog.pg_operator o WHERE o.oid = d.objid)
		WHEN 'pg_catalog.pg_cast'::pg_catalog.regclass THEN
			(SELECT pg_catalog.concat_ws(' ', c.castfunc::pg_catalog.regprocedure, c.castcontext, c.castmethod)
			 FROM pg_catalog.pg_cast c WHERE c.oid = d.objid)
		ELSE '' END || ' | ' || coalesce(pg_catalog.obj_description(d.objid, d.classid::pg_catalog.regclass::name),
			'no comment')
	FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
	WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e' AND e.extname = 'clv'
	ORDER BY 1};

# Everything in the database that belongs to no extension.
my $loose = q{
	SELECT count(*) FROM (
		SELECT oid, 'pg_proc'::regclass AS class FROM pg_proc UNION ALL SELECT oid, 'pg_type' FROM pg_type
		UNION ALL SELECT oid, 'pg_class' FROM pg_class UNION ALL SELECT oid, 'pg_operator' FROM pg_operator
		UNION ALL SELECT oid, 'pg_cast' FROM pg_cast UNION ALL SELECT oid, 'pg_opclass' FROM pg_opclass
		UNION ALL SELECT oid, 'pg_namespace' FROM pg_namespace) o};

# none(DATABASE, QUERY, NAME): the query lists offenders, and there are none
sub none
{
	my ($database, $query, $name) = @_;

	is($node->safe_psql($database, $query), '', $name);
	return;
}

# --- an ordinary user, an odd schema, the barest search_path ---
$node->safe_psql('postgres', q{
	CREATE ROLE shopkeeper LOGIN;
	CREATE DATABASE odd;
	GRANT CREATE ON DATABASE odd TO shopkeeper;
	ALTER DATABASE odd SET search_path = pg_catalog;
	ALTER DATABASE odd SET DateStyle = 'SQL, DMY';
	ALTER DATABASE odd SET TimeZone = 'Pacific/Kiritimati';
	ALTER DATABASE odd SET extra_float_digits = -15;
	CREATE DATABASE plain});

my $before = $node->safe_psql('odd', $loose);
$node->safe_psql('odd', 'CREATE SCHEMA "Odd Schema"; CREATE EXTENSION clv SCHEMA "Odd Schema"',
	extra_params => [ '-U', 'shopkeeper' ]);
pass('an ordinary user with CREATE on the database installs it in an odd schema');

none('odd', q{
	SELECT pg_describe_object(d.classid, d.objid, 0)
	FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv',
		 LATERAL pg_identify_object(d.classid, d.objid, 0) i
	WHERE d.deptype = 'e' AND d.classid <> 'pg_cast'::regclass AND d.classid <> 'pg_namespace'::regclass
	  AND i.schema NOT IN ('"Odd Schema"', 'clv_internal')},
	'all of it lies in that schema, and in one for what users do not call');

none('odd', q{
	SELECT pg_describe_object(d.classid, d.objid, 0)
	FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv'
	WHERE d.deptype = 'e' AND obj_description(d.objid, d.classid::regclass::name) IS NULL
	  AND d.classid NOT IN ('pg_opclass'::regclass, 'pg_opfamily'::regclass)
	  -- some versions count the array and row types that come with a type or table
	  AND NOT EXISTS (SELECT FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid
					  WHERE t.oid = d.objid AND d.classid = 'pg_type'::regclass
						AND (t.typcategory = 'A' OR c.relkind IN ('r', 'v')))},
	'every object has a comment');

none('odd', q{
	SELECT p.oid::regprocedure FROM pg_proc p
		WHERE p.pronamespace IN ('"Odd Schema"'::regnamespace, 'clv_internal'::regnamespace)
	  AND length(obj_description(p.oid, 'pg_proc')) < 20
	  AND NOT EXISTS (SELECT FROM pg_amproc a WHERE a.amproc = p.oid)},
	'and no comment is a mere word');

# --- the labels of functions ---
# These run a query of the caller's over their own tables, read the table of segment maps, or make pipelines.
my $reads = q{p.proname IN ('clv_histories', 'rfmtc_score', 'clv_predict', 'segment_assign', 'clv_segment_check')
	OR p.proname ~ '^clv_(pipeline_.*|(create|alter|drop)_pipeline|refresh|forget|schedule|unschedule)$'
	OR p.proname IN ('clv_tracking', 'clv_raise')
		OR p.proname LIKE ANY ('{clv_check%,clv_quick%,clv_source%,clv_segment%,clv_backtest%,clv_validate%,clv_choose%,
			clv_shock%}')};

none('odd', qq{
	SELECT p.oid::regprocedure, p.proparallel FROM pg_proc p
	WHERE p.pronamespace IN ('"Odd Schema"'::regnamespace, 'clv_internal'::regnamespace) AND p.proparallel <> 's'
	  AND NOT ($reads)},
	'everything that reads no table is parallel safe');

none('odd', qq{
	SELECT p.oid::regprocedure, p.provolatile FROM pg_proc p
	WHERE p.pronamespace IN ('"Odd Schema"'::regnamespace, 'clv_internal'::regnamespace) AND p.provolatile <> 'i'
	  AND NOT ($reads)},
	'everything that reads no table is immutable');

# A subtransaction fails in a parallel operation, in the leader as well.
none('odd', q{
	SELECT p.oid::regprocedure, p.proparallel FROM pg_proc p
	WHERE p.pronamespace IN ('"Odd Schema"'::regnamespace, 'clv_internal'::regnamespace) AND p.proparallel <> 'u'
	  AND p.proname <> 'clv_pipeline_assign'	-- which writes the call, and does not make it
	  AND EXISTS (SELECT FROM pg_proc e
				  WHERE e.pronamespace = 'clv_internal'::regnamespace AND e.prosrc ~ '\mEXCEPTION\s+WHEN\M'
		  AND (e.oid = p.oid OR p.prosrc ~ ('\m' || e.proname || '\(')))},
	'nothing that catches an error, or calls what does, is labelled fit for a parallel operation');

# Without a search_path of its own, a body looks up what is not qualified in that of the caller. Sentences are passed
# over.
none('odd', q{
	SELECT p.oid::regprocedure, m[1]
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql'),
		LATERAL regexp_matches(regexp_replace(p.prosrc, '''[^'']*\.''', '', 'g'),
			'(?:^|[^.\w"])([a-z_][a-z0-9_]*)\(', 'g') m
	WHERE p.pronamespace IN ('"Odd Schema"'::regnamespace, 'clv_internal'::regnamespace)
	  AND p.proconfig IS NULL AND p.prosqlbody IS NULL AND m[1] IN (SELECT f.proname FROM pg_proc f)},
	'a body without a search_path of its own qualifies every function that it calls');

none('odd', q{
	SELECT p.oid::regprocedure, m[1]
	FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql'),
		LATERAL regexp_matches(regexp_replace(p.prosrc, '''[^'']*\.''', '', 'g'),
			'(?:::|\m(?:FROM|JOIN)\s+)([a-z_][a-z0-9_]*)(?![a-z0-9_]*[.(])', 'g') m
	WHERE p.pronamespace IN ('"Odd Schema"'::regnamespace, 'clv_internal'::regnamespace)
	  AND p.proconfig IS NULL AND p.prosqlbody IS NULL AND m[1] <> 'lateral'},
	'nor a type or a relation that is not qualified');

# What every call of an aggregate, an index or a type goes through is priced by the aggregate, index or type. The
# accessors named here were measured to take 20 to 60 ns, as much as an operator of PostgreSQL's own.
none('odd', q{
	SELECT p.oid::regprocedure, p.procost FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace IN ('"Odd Schema"'::regnamespace, 'clv_internal'::regnamespace) AND p.prokind IN ('f', 'w')
	  AND (l.lanname = 'c' AND p.procost = 1 OR l.lanname = 'plpgsql' AND p.procost = 100)
	  AND p.proname !~ '^clv_((first|last)_purchase|purchases|total_spend|(purchases|spend)_between)$'
	  AND NOT EXISTS (SELECT FROM pg_type t WHERE p.oid IN (t.typinput, t.typoutput, t.typreceive, t.typsend))
	  AND NOT EXISTS (SELECT FROM pg_amproc a WHERE a.amproc = p.oid)
	  AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid)
	  AND NOT EXISTS (SELECT FROM pg_aggregate a WHERE p.oid IN (a.aggtransfn, a.aggfinalfn, a.aggcombinefn,
		a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn))},
	'no function keeps a default cost');

none('odd', q{
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_aggregate a ON a.aggfnoid = p.oid
	WHERE p.pronamespace IN ('"Odd Schema"'::regnamespace, 'clv_internal'::regnamespace)
	  -- whose states are every row: nothing would be saved
	  AND p.proname NOT IN ('clv_metrics', 'clv_profile', 'clv_pool', 'clv_totals')
	  AND (a.aggcombinefn = 0 OR a.aggtranstype = 'internal'::regtype
		   AND (a.aggserialfn = 0 OR a.aggdeserialfn = 0 OR a.aggtransspace = 0))},
	'every aggregate combines, and says how large its state is');

none('odd', q{
	SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
	WHERE p.pronamespace IN ('"Odd Schema"'::regnamespace, 'clv_internal'::regnamespace) AND p.prosecdef},
	'nothing runs with the rights of its owner');

none('odd', q{
	SELECT t.oid::regtype FROM pg_type t
	WHERE t.typnamespace = '"Odd Schema"'::regnamespace AND t.typtype = 'b' AND t.typcategory <> 'A'
	  AND (t.typreceive = 0 OR t.typsend = 0
		   OR (SELECT count(*) FROM pg_opclass c JOIN pg_am m ON m.oid = c.opcmethod
			   WHERE c.opcintype = t.oid AND c.opcdefault AND m.amname IN ('btree', 'hash')) <> 2
		   OR (SELECT count(*) FROM pg_cast c WHERE c.castsource = t.oid AND c.casttarget = 'jsonb'::regtype
			   OR c.casttarget = t.oid AND c.castsource = 'jsonb'::regtype) <> 2)},
	'every base type has binary I/O, a cast to and from jsonb, and is compared and hashed');

# --- from orders to predictions, with nothing in the search_path ---
my $steps = q{
	CREATE TABLE "Odd Schema".customer AS
	SELECT o.id, "Odd Schema".clv_history(o.at, o.amount) AS history
	FROM (SELECT c AS id, date '2020-01-01' + (c * 7 % 90) + (k * (10 + c % 23)) AS at,
				 ((5 + c % 40) * (8 + k * 7 % 5))::numeric / 10 AS amount
		  FROM generate_series(1, 200) c, generate_series(0, 11) k WHERE k = 0 OR k <= (c * 13 % 29) - 15) o
	GROUP BY o.id;
	CREATE TABLE "Odd Schema".model AS
	SELECT "Odd Schema".clv_fit(c.history, "Odd Schema".clv_options(as_of => '2020-12-31')) AS model
	FROM "Odd Schema".customer c;
	CREATE TABLE "Odd Schema".result AS
	SELECT c.id, "Odd Schema".clv_predict(m.model, c.history, horizon => '1 year') AS prediction,
		   "Odd Schema".rfmtc_score(c.history, m.model) OVER () AS scores
	FROM "Odd Schema".customer c, "Odd Schema".model m};
my $answer = q{
	SELECT count(*), count((r.prediction).clv), count(DISTINCT "Odd Schema".segment_assign(r.scores, 'rfm')) > 1,
		   md5(string_agg(c.history::text || m.model::text, ',' ORDER BY c.id))
	FROM "Odd Schema".result r JOIN "Odd Schema".customer c USING (id), "Odd Schema".model m};
my ($rc, $out, $err) = $node->psql('odd', $steps, extra_params => [ '-U', 'shopkeeper' ], on_error_stop => 1);
is($rc, 0, 'all steps run with search_path = pg_catalog and odd settings') or diag $err;
my $truth = $node->safe_psql('odd', $answer, extra_params => [ '-U', 'shopkeeper' ]);
like($truth, qr/^200\|200\|t\|/, 'and leads somewhere');

# --- dumped and restored, the same ---
$node->command_ok([ 'pg_dump', '-Fc', '-f', $node->basedir . '/odd.dump', $node->connstr('odd') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '-d', $node->connstr('restored'), $node->basedir . '/odd.dump' ], 'pg_restore');
is($node->safe_psql('restored', $answer), $truth, 'histories, models and predictions survive dump and restore');

$node->safe_psql('odd', 'DROP TABLE "Odd Schema".result, "Odd Schema".model, "Odd Schema".customer;
	DROP EXTENSION clv; DROP SCHEMA "Odd Schema"', extra_params => [ '-U', 'shopkeeper' ]);
is($node->safe_psql('odd', $loose), $before, 'dropped, it leaves nothing');

# --- loading changes nothing about arithmetic ---
# A library linked with fast-math would flush denormal numbers to zero in the whole server.
is($node->safe_psql('plain', q{
	LOAD 'clv';
	SELECT x * 0.5 > 0, (1 + x) = 1, 2 / 3::float8 * 3 = 2
	FROM (VALUES ('1e-310'::float8)) v (x)}), 't|t|t', 'denormal numbers survive LOAD');

# --- what has been released stays as it is ---
$node->safe_psql('plain', 'CREATE EXTENSION clv');
my $script = 'clv--' . $node->safe_psql('plain', q{SELECT extversion FROM pg_extension WHERE extname = 'clv'}) . '.sql';
my $released = "$FindBin::Bin/../../upgrade/$script";
SKIP:
{
	skip 'this version has not been released', 1 unless -e $released;
	my $directory = $node->safe_psql('plain', q{SELECT setting FROM pg_config WHERE name = 'SHAREDIR'}) . '/extension';
	ok(slurp_file("$directory/$script") eq slurp_file($released),
		"$script is as it was released: what has changed since is a version of its own");
}

# --- an upgrade gives the objects of a fresh install ---
my $maps = q{SELECT to_jsonb(m) FROM clv_segment_map m ORDER BY map COLLATE "C", position};
my ($fresh, $shipped) = map { $node->safe_psql('plain', $_) } $catalog, $maps;
my @older = split /\n/, $node->safe_psql('plain', q{
	SELECT v.version FROM pg_available_extension_versions v
	JOIN pg_available_extensions e ON e.name = v.name AND e.default_version <> v.version
	WHERE v.name = 'clv' ORDER BY 1});
SKIP:
{
	skip 'there is no earlier version yet', 2 unless @older;
	foreach my $version (@older)
	{
		$node->safe_psql('plain',
			"DROP EXTENSION clv; CREATE EXTENSION clv VERSION '$version'; ALTER EXTENSION clv UPDATE");
		# only what differs is shown, of some ten thousand lines
		my $updated = $node->safe_psql('plain', $catalog);
		my %fresh = map { $_ => 1 } split /\n/, $fresh;
		my %updated = map { $_ => 1 } split /\n/, $updated;
		is(join("\n", grep { !$fresh{$_} } split /\n/, $updated), join("\n", grep { !$updated{$_} } split /\n/, $fresh),
			"updated from $version, the catalog is that of a fresh install");
		is($node->safe_psql('plain', $maps), $shipped, 'and the shipped maps of segments are as well');
	}
}

$node->stop;
done_testing();
