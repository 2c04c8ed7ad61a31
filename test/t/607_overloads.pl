# A role that may create functions, operators, types and relations beside ours, and in the schemas of search_path,
# catches none of the calls that the bodies of the extension make, though a superuser makes them: each has the exact
# types.
# What is shadowed is read from the catalog, so that no body is left out.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('overloads');
$node->init;
$node->append_conf('postgresql.conf',
	"fsync = off\ntrack_functions = all\nmax_parallel_workers_per_gather = 0\nlog_min_messages = log\n" .
	'max_locks_per_transaction = 2048');
$node->start;

# Every body of the extension: SQL, PL/pgSQL and views, with the statements that they write.
my $bodies = q{SELECT coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) AS body
	FROM pg_proc p
	JOIN pg_language l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')
	WHERE p.pronamespace IN ('ext'::regnamespace, 'clv_internal'::regnamespace)
	UNION ALL SELECT pg_get_viewdef(c.oid)
	FROM pg_class c WHERE c.relnamespace = 'ext'::regnamespace AND c.relkind = 'v'};

$node->safe_psql('postgres', qq{
	CREATE ROLE mallory LOGIN;
	CREATE SCHEMA ext;
	CREATE EXTENSION clv SCHEMA ext;
	GRANT USAGE, CREATE ON SCHEMA ext, public TO mallory;
	CREATE SCHEMA safe;
	CREATE TABLE safe.body AS $bodies;
	GRANT USAGE ON SCHEMA safe TO mallory;
	CREATE TABLE safe.called AS
	SELECT DISTINCT m[1]::name AS name FROM safe.body, regexp_matches(body, '\\m(\\w+)\\(', 'g') m;
	GRANT SELECT ON safe.body, safe.called TO mallory;
	CREATE TABLE safe.orders AS SELECT c AS customer_id, 'c' || c AS label,
		timestamptz '2022-01-03 12:00+00' + ((c * 7 % 90) + k * (9 + c % 31)) * interval '1 day' AS ordered_at,
		(10 + c % 9 + k)::numeric(12,2) AS amount, (10 + c % 9 + k)::float8 AS price,
		(10 + c % 9 + k)::int4 AS points, now() - c * interval '1 hour' AS changed_at
		FROM generate_series(1, 300) c, generate_series(0, 14) k WHERE k = 0 OR k <= (c * 13 % 29) - 12;
	CREATE TABLE safe.attribute AS
	SELECT c AS customer_id, CASE c % 2 WHEN 0 THEN 'web' ELSE 'shop' END AS channel
	FROM generate_series(1, 300) c;
	CREATE TABLE safe.rating AS
	SELECT c AS customer_id, c % 11 AS rating, date '2022-06-01' AS rated_at
	FROM generate_series(1, 250) c;
	CREATE TABLE safe.step AS
	SELECT day::date AS since, extract(month FROM day) % 3 = 0 AS campaign
	FROM generate_series(timestamp '2020-01-01', '2026-01-01', '1 month') day;
	CREATE TABLE safe.history AS
	SELECT o.customer_id, ext.clv_history(o.ordered_at, o.amount) AS history,
		   ARRAY[o.customer_id % 2]::float8[] AS z
		FROM safe.orders o GROUP BY o.customer_id;
	CREATE TABLE safe.model AS
	SELECT ext.clv_fit(h.history, ext.clv_options(as_of => '2022-09-30')) AS model
	FROM safe.history h});

# A call of the very function, every argument given and cast to the very type: what the test itself says must not be
# caught either.
sub call
{
	my ($function, %given) = @_;
	my $full = $function =~ /^clv_internal\./ ? $function : "ext.$function";
	my @arguments = split /\n/, $node->safe_psql('postgres', qq{
		SELECT concat_ws('|', u.n, format('%I.%I', t.typnamespace::regnamespace, t.typname),
			coalesce(pg_get_function_arg_default(p.oid, u.i::int), 'NULL'))
		FROM pg_proc p, unnest(p.proargtypes, p.proargnames[1:p.pronargs]) WITH ORDINALITY u (t, n, i)
		JOIN pg_type t ON t.oid = u.t
		WHERE p.oid = '$full'::regprocedure
		ORDER BY u.i});
	my ($name) = $full =~ /^([\w.]+)/;

	return "$name(" . join(', ', map {
		my ($argument, $type, $default) = split /\|/, $_, 3;

		$default =~ s/::[\w ."]+(\[\])?$//;
		'(' . ($given{$argument} // $default) . ")::$type" } @arguments) . ')';
}

my $quick = q{text,text,text,text};
my %columns = (source => "'safe.orders'", customer => "'customer_id'", bought_at => "'ordered_at'");
my %past = (source => "'safe.history'", history => "'history'", as_of => "'2022-09-30'", horizon => "'13 weeks'");
my @reads = (
	map({ my $amount = $_; map { 'SELECT * FROM ' . call(@$_, %columns, amount => $amount) }
		[ "clv_check($quick)" ],
		[ "rfmtc_score($quick,text,date,integer)" ],
		[ "rfmtc_score($quick,text,date,integer)", as_of => "'2022-10-01'", model => "'none'" ],
		[ "clv_predict($quick,interval,double precision,double precision,text,date,double precision)", level => 0.9 ],
		map { [ "segment_assign($quick,text,text,date,integer)", map => "'$_'" ] } 'rfm', 'potential', 'abc',
		'lifecycle' }
		"'amount'", "'price'", "'points'", 'NULL'),
	map({ 'SELECT * FROM ' . call(@$_) }
		[ "clv_internal.clv_quick_histories($quick)", %columns, amount => "'amount'" ],
		[ 'clv_backtest(text,text,date,interval,jsonb,ext.clv_model,text)', %past ],
		[ 'clv_backtest_deciles(text,text,date,interval,jsonb,ext.clv_model,text)', %past ],
		[ 'clv_backtest_calibration(text,text,date,interval,jsonb,ext.clv_model,text,integer)', %past ],
		[ 'clv_backtest(text,text,date,interval,jsonb,ext.clv_model,text)', %past, covariates => "'z'",
			options => q{'{"covariates": ["z"]}'} ],
		[ 'clv_backtest(text,text,date,interval,jsonb,ext.clv_model,text)', %past,
			model => '(SELECT m.model FROM safe.model m)' ],
		[ 'clv_choose(text,text,date,interval,jsonb,text)', %past ],
		[ 'clv_shock(text,text,ext.clv_model,date,text)', source => "'safe.history'", history => "'history'",
			model => '(SELECT m.model FROM safe.model m)' ],
		[ 'clv_choose(text,text,date,interval,jsonb,text)', %past, covariates => "'z'",
			options => q{'{"covariates": ["z"]}'} ],
		[ 'clv_tracking(text,text,ext.clv_model,interval,date,date,date,text)', source => "'safe.history'",
			history => "'history'", model => '(SELECT m.model FROM safe.model m)' ]));

# Pipelines: name, what their definition has beyond the columns, and how they are refreshed.
sub signature
{
	my ($name) = @_;

	return $node->safe_psql('postgres',
		qq{SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.proname = '$name'}) =~ s/^ext\.//r;
}
my ($make, $alter, $refresh, $drop) = map { signature($_) } 'clv_create_pipeline', 'clv_alter_pipeline',
	'clv_refresh', 'clv_drop_pipeline';
my %full = (attribute_source => "'safe.attribute'", attributes => "'channel'", rating_source => "'safe.rating'",
	rating => "'rating'", rated_at => "'rated_at'", changed_at => "'changed_at'", level => 0.9, refit => "'drift'",
	map => "'lifecycle'", holdout => "'13 weeks'");
# incremental refreshes: of one customer of "rich", of all of "plain"
my @writes = (
	call($make, %columns, amount => "'amount'", name => "'plain'", changed_at => "'changed_at'",
		overlap => "'30 days'"),
	call($make, %columns, amount => 'NULL', name => "'bare'", model => "'auto'"),
	call($make, %columns, amount => "'price'", name => "'rich'", %full),
	call($make, %columns, amount => "'amount'", name => "'shares'", map => "'abc'", occasion => 7,
		calendar_source => "'safe.step'"),
	call($make, %columns, amount => "'amount'", name => "'groups'", group_by => "'channel'", score_within => "'group'",
		attribute_source => "'safe.attribute'", attributes => "'channel'"),
	call($make, %columns, amount => "'amount'", name => "'among'", group_by => "'channel'", refit => "'drift'",
		attribute_source => "'safe.attribute'", attributes => "'channel'"),
	call($make, %columns, amount => "'amount'", name => "'kept'", changed_at => "'changed_at'", overlap => "'0 days'"),
	map({ call($refresh, name => "'$_'") } 'plain', 'bare', 'rich', 'shares', 'groups', 'among', 'kept'),
	map({ call($refresh, name => "'$_'") } 'among', 'kept'),
	call($refresh, name => "'rich'", mode => "'incremental'"),
	call($refresh, name => "'rich'", mode => "'full'"),
	call($alter, name => "'plain'", margin => 0.3, reset => q{'{level}'}),
	# as if an older version had made it
	'UPDATE plain_data.state SET parts_hash = NULL',
	call($refresh, name => "'plain'"),
	q{ext.clv_forget('plain'::pg_catalog.text, VARIADIC ARRAY[1]::pg_catalog.int4[])},
	map({ call($drop, name => "'$_'") } 'shares', 'among', 'kept'));
my @views = split /\n/, $node->safe_psql('postgres', 'SELECT name FROM clv_internal.clv_pipeline_views()');

# everything(PATH, PRELUDE): runs everything as a superuser in one session, after the statements of the prelude; returns
# what was wrong, and a digest of what came out.
sub everything
{
	my ($path, $prelude) = @_;
	my @statements = (@reads, map({ /^UPDATE / ? $_ : "CALL $_" } @writes),
		'UPDATE ext.clv_segment_map SET description = description WHERE false',
		map({ my $p = $_; map { "TABLE $p.$_" } @views } 'plain', 'rich', 'bare', 'groups'), 'TABLE ext.clv_pipelines',
		map({ 'SELECT ' . call('clv_internal.clv_pipeline_unusable_rows(text)', name => "'$_'") } 'rich', 'bare'),
		map({ 'CALL ' . call($drop, name => "'$_'", cascade => 'true') } 'plain', 'bare', 'rich', 'groups'));
	my ($rc, $out, $err) = $node->psql('postgres', join("\n", 'SET client_min_messages = error;', $prelude // '',
		"SET search_path = $path;", map { "\\echo ~~~\n$_;" } @statements), on_error_stop => 0);
	my ($before, @out) = split /~~~\n?/, $out, -1;

	cmp_ok(($before =~ /(\d+)\s*\z/)[0] // 0, '>', 100, 'the temporary schema has many names') if defined $prelude;
	# rows come in any order; those of pipelines are counted, as runs have their times
	return ($err, join("\n", map { $statements[$_] =~ /^SELECT/ ? join("\n", sort split /\n/, $out[$_])
		: ($out[$_] // '') =~ tr/\n// } 0 .. $#statements));
}

my ($wrong, $truth) = everything('pg_catalog');
is(join("\n", map { substr(s{^.*?(?=ERROR)}{}r, 0, 300) } grep { /ERROR|HINT/ } split(/\n/, $wrong)), "",
	'without strangers everything works');
is($node->safe_psql('postgres',
	q{SELECT string_agg(p.oid::regprocedure::text, ' ' ORDER BY 1)
	  FROM pg_proc p
	  JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
	  WHERE p.pronamespace IN ('ext'::regnamespace, 'clv_internal'::regnamespace)
	    AND p.proname !~ '(schedule|cron|fail|busy|waits|refuse|guard|unseen|drift|pipeline_segment$)'
	    AND NOT EXISTS (SELECT FROM pg_stat_user_functions s WHERE s.funcid = p.oid AND s.calls > 0)}), '',
	'and every body has run, but those about errors, drift and pg_cron');

# ---- mallory's: each writes to the log, from which no transaction takes it back, and is an error ----

my $trap = q{LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'caught'; RAISE EXCEPTION 'caught'; END $$};

# Lets mallory make what the statements say, and checks that there are many of them.
sub traps
{
	my ($what, $statements) = @_;

	# what cannot be made, as ours are there already, is passed over
	$node->psql('postgres',
		"SET check_function_bodies = off; SET client_min_messages = fatal;\n$statements\n\\gexec\n",
		extra_params => [ '-U', 'mallory', '-q' ], on_error_stop => 0);
	my $made = $node->safe_psql('postgres',
		q{SELECT (SELECT count(*) FROM pg_proc WHERE proowner = 'mallory'::regrole)
				 + (SELECT count(*) FROM pg_operator WHERE oprowner = 'mallory'::regrole)});

	cmp_ok($made, '>', 100, "mallory makes $what: $made");
	return;
}

# A name of ours with the types of ours but one, which a literal, a NULL or a near type might be taken for; shorter by
# what has a default; and with more or variadic ends.
traps('overloads of our functions', qq{
	SELECT DISTINCT format('CREATE %s ext.%I(%s) %s \%s',
			   CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END, p.proname, q.types,
		CASE p.prokind WHEN 'p' THEN '' ELSE 'RETURNS text' END, \$trap\$$trap \$trap\$)
	FROM pg_proc p, generate_series(greatest(1, p.pronargs - p.pronargdefaults), p.pronargs) len,
		LATERAL (SELECT array_agg(format_type(u.t, NULL) ORDER BY u.i) AS base
				 FROM unnest(p.proargtypes) WITH ORDINALITY u (t, i)
				 WHERE u.i <= len) b,
		LATERAL (SELECT array_to_string(b.base, ',') || e
				 FROM unnest('{"",",VARIADIC text[]",",text",",text,text"}'::text[]) e
			UNION ALL SELECT array_to_string(b.base[1:i - 1] || t || b.base[i + 1:], ',')
			FROM generate_series(1, len) i,
			unnest('{text,varchar,name,int2,int4,int8,numeric,float8,date,timestamp,timestamptz,interval,bool,jsonb,oid,
				regclass,text[],name[],varchar[],numeric[],anyelement}'::text[]) t) q (types)
	WHERE p.pronamespace IN ('ext'::regnamespace, 'clv_internal'::regnamespace)
	  AND p.proowner <> 'mallory'::regrole AND b.base::text !~ 'internal|cstring|trigger|record'
	  AND p.proname IN (SELECT name FROM safe.called)});

($wrong, my $same) = everything('pg_catalog');
is(join("\n", map { substr(s{^.*?(?=ERROR)}{}r, 0, 300) } grep { /ERROR|HINT/ } split(/\n/, $wrong)), "",
	'overloads in our schema catch nothing');
ok($same eq $truth, "and everything is as it was");

# Operators and functions of pg_catalog that our bodies name, and types, in public before pg_catalog.
my $types = q{'{text,name,int4,int8,numeric,float8,bool,date,timestamp,timestamptz,interval,jsonb,oid,regtype,text[]}'}
	. '::text[]';
my $like_postgres = qq{
	SELECT format('CREATE FUNCTION public.trap(%s, %s) RETURNS bool \%s', a, b, \$trap\$$trap \$trap\$)
	FROM unnest($types) a,
		unnest($types) b
	UNION ALL SELECT format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.trap)', o, a, b)
	FROM (SELECT DISTINCT o.oprname AS o
		  FROM pg_operator o
		  WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0
			AND (o.oprname IN ('=', '<>', '~~', '>=', '<=')
				OR EXISTS (SELECT FROM safe.body b
						   WHERE strpos(b.body, 'OPERATOR(pg_catalog.' || o.oprname || ')') > 0
				OR strpos(b.body, ' ' || o.oprname || ' ') > 0))) x,
		unnest($types) a,
		unnest($types) b
	UNION ALL SELECT DISTINCT format('CREATE FUNCTION public.%I(%s) RETURNS text \%s', p.proname,
		(SELECT string_agg(format_type(u.t, NULL), ',' ORDER BY u.i)
		FROM unnest(p.proargtypes) WITH ORDINALITY u (t, i)), \$trap\$$trap \$trap\$)
	FROM pg_proc p
	WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.provariadic = 0
	  AND p.proname IN (SELECT name FROM safe.called)};
my $planted = $node->safe_psql('postgres', $like_postgres) =~ s/\bpublic\./ext./gr;
traps('operators and functions like those of PostgreSQL', $like_postgres);
($wrong, $same) = everything('public, pg_catalog');
is(join("\n", map { substr(s{^.*?(?=ERROR)}{}r, 0, 300) } grep { /ERROR|HINT/ } split(/\n/, $wrong)), "",
	'nor do functions and operators before those of PostgreSQL');
ok($same eq $truth, "and everything is as it was");
# What the session's own temporary schema shadows: relations and types are looked up there first, whatever the path
# says, and functions never. Every relation and type that is visible has a table of its name there, which is a type too;
# every function of ours that a body calls has its double.
my $shadows = q{
	SELECT format('CREATE TABLE pg_temp.%I (caught int4)', s.name)
	FROM (
		SELECT c.relname AS name FROM pg_catalog.pg_class c
		WHERE c.relnamespace IN ('pg_catalog'::regnamespace, 'ext'::regnamespace) AND c.relkind IN ('r', 'v')
		UNION SELECT t.typname FROM pg_catalog.pg_type t
		WHERE t.typnamespace IN ('pg_catalog'::regnamespace, 'ext'::regnamespace, 'clv_internal'::regnamespace)
		  AND t.typcategory <> 'A' AND t.typname !~ '^_'
		UNION SELECT unnest(
			'{orders,history,model,attribute,rating,pipeline,customer,customers,run,runs,step,state,touched,
			cells,segment,segments,cohort,forecast,sample,source,sums,scored}'::name[])
	) s
	UNION ALL
	SELECT DISTINCT format('CREATE FUNCTION pg_temp.%I(%s) RETURNS pg_catalog.text %s', p.proname,
		(SELECT string_agg(format('%I.%I', t.typnamespace::regnamespace, t.typname), ',' ORDER BY u.i)
		 FROM unnest(p.proargtypes) WITH ORDINALITY u (t, i)
		 JOIN pg_catalog.pg_type t ON t.oid = u.t), $trap$} . $trap . q{$trap$)
	FROM pg_catalog.pg_proc p
	WHERE p.pronamespace IN ('ext'::regnamespace, 'clv_internal'::regnamespace)
	  AND p.proowner <> 'mallory'::regrole
	  AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) a (t) WHERE a.t::regtype::text ~ 'internal|cstring|^"?any')
	  AND p.proname IN (SELECT name FROM safe.called)
	\gexec
	SELECT pg_catalog.count(*) FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.pg_my_temp_schema();};
foreach my $path ('pg_temp, pg_catalog, public', 'public, pg_temp')
{
	($wrong, $same) = everything($path, "SET search_path = pg_catalog; SET check_function_bodies = off;\n$shadows");
	is(join("\n", map { substr(s{^.*?(?=ERROR)}{}r, 0, 300) } grep { /ERROR|HINT/ } split(/\n/, $wrong)), '',
		"nor does what a session has in its temporary schema, under $path");
	ok($same eq $truth, 'and everything is as it was');
}
is($node->safe_psql('postgres', q{SELECT has_schema_privilege('mallory', 'clv_internal', 'CREATE')}), 'f',
	'and where our internal functions are, no other role makes any');
ok(!$node->log_contains('LOG:  caught'), 'none of them was ever called');

# ---- and those that are in the schema before the extension is created in it ----

# What is looked up at creation, in bodies in standard SQL and in views, depends on what was found.
$node->safe_psql('postgres', 'CREATE DATABASE planted');
$node->safe_psql('planted', 'CREATE SCHEMA ext; GRANT USAGE, CREATE ON SCHEMA ext TO mallory');
$node->psql('planted', "SET client_min_messages = fatal;\n" . join("\n", map { "$_;" } split /\n/, $planted),
	extra_params => [ '-U', 'mallory', '-q' ], on_error_stop => 0);
$node->safe_psql('planted', 'CREATE EXTENSION clv SCHEMA ext');
is($node->safe_psql('planted', q{
	WITH mallory AS (SELECT 'pg_proc'::regclass AS class, oid FROM pg_proc WHERE proowner = 'mallory'::regrole
			UNION ALL SELECT 'pg_operator', oid FROM pg_operator WHERE oprowner = 'mallory'::regrole)
	SELECT (SELECT count(*) > 1000 FROM mallory),
		   (SELECT string_agg(DISTINCT pg_describe_object(d.classid, d.objid, 0), ', ') FROM pg_depend d
		JOIN mallory m ON m.class = d.refclassid AND m.oid = d.refobjid
		WHERE NOT EXISTS (SELECT FROM mallory o WHERE o.class = d.classid AND o.oid = d.objid))}), 't|',
		  'nothing of ours is bound to what mallory has planted');

$node->stop;
done_testing();
