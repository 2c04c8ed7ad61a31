# What BI tools get of a pipeline: plain types and comments in the catalog, and the same by ODBC and JDBC, which
# describe and read every view for a role that may use the schema of views and select from them, and nothing else.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('drivers');
$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
# drivers of Java know no sockets
$node->append_conf('postgresql.conf', "fsync = off\njit = off\nlisten_addresses = '127.0.0.1'");
$node->start;

# One with everything, names that need quoting, and a key of two columns; and one of bare dates with a key of its own
# kind.
my @pipelines = (q{Ben's "Schöne" Läden_%}, 'visits');
my @schemas = map { '"' . s/"/""/gr . '"' } @pipelines;

$node->safe_psql('postgres', qq{
	CREATE ROLE keeper LOGIN;
	CREATE ROLE bi LOGIN;
	GRANT CREATE ON DATABASE postgres TO keeper;
	CREATE SCHEMA "Odd Schema";
	GRANT USAGE ON SCHEMA "Odd Schema" TO keeper;
	GRANT USAGE, CREATE ON SCHEMA public TO keeper;
	CREATE EXTENSION clv SCHEMA "Odd Schema"});
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-U', 'keeper', '-d', $node->connstr('postgres'),
		'-c', 'SET search_path = public, "Odd Schema"', '-f', "$FindBin::Bin/../../examples/shop.sql" ],
	'the simulated shop loads');
$node->safe_psql('postgres', qq{
	SET client_min_messages = warning;
	SET search_path = public, "Odd Schema";
	CREATE TABLE "Käufe" AS
	SELECT customer_id + 9007199254740992 AS "Kunden ""Nr""", 'Größe ' || customer_id % 3 AS "it's größer",
		ordered_at AS "at", amount
	FROM orders WHERE customer_id <= 500;
	CREATE TABLE people AS
	SELECT DISTINCT "Kunden ""Nr""", "it's größer", ('{north,south}'::text[])[1 + "Kunden ""Nr""" % 2] AS region,
		   ("Kunden ""Nr""" * 7 % 11)::int AS rating FROM "Käufe";
	CREATE TABLE visit AS SELECT md5("Kunden ""Nr"""::text)::uuid AS visitor, "at"::date AS day FROM "Käufe";
	CALL clv_create_pipeline(\$\$$pipelines[0]\$\$, '"Käufe"', '"Kunden ""Nr""", "it''s größer"', 'at', 'amount',
		discount_rate => 0.1, level => 0.9,
		attribute_source => 'people', attributes => 'region', rating_source => 'people', rating => 'rating',
		group_by => 'region');
	CALL clv_create_pipeline('visits', 'visit', 'visitor', 'day');
	CALL clv_refresh(\$\$$pipelines[0]\$\$, 'full', '2017-09-30');
	CALL clv_refresh(\$\$$pipelines[0]\$\$);
	CALL clv_refresh('visits');
	GRANT USAGE ON SCHEMA $schemas[0], $schemas[1] TO bi;
	GRANT SELECT ON ALL TABLES IN SCHEMA $schemas[0], $schemas[1] TO bi}, extra_params => [ '-U', 'keeper' ]);

# Every column of the views as the catalog has it, with whether it is the customer's own key.
my $columns = qq{
	SELECT n.nspname, c.relname, a.attname, t.typname, format_type(a.atttypid, a.atttypmod), a.atttypmod,
		   col_description(c.oid, a.attnum),
		   a.attname IN ('Kunden "Nr"', 'it''s größer', 'visitor') AS of_key
	FROM pg_class c
	JOIN pg_namespace n ON n.oid = c.relnamespace
	JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
	JOIN pg_type t ON t.oid = a.atttypid
	WHERE n.nspname IN (\$q\$$pipelines[0]\$q\$, 'visits')};

# Checks that a query returns nothing.
sub none
{
	my ($query, $name) = @_;

	is($node->safe_psql('postgres', $query), '', $name);
	return;
}

# --- the catalog ---
my $wanted = $node->safe_psql('postgres', 'SELECT name FROM clv_internal.clv_pipeline_views() ORDER BY 1');
foreach my $pipeline (@pipelines)
{
	is($node->safe_psql('postgres',
		"SELECT c.relname || CASE c.relkind WHEN 'v' THEN '' ELSE c.relkind::text END FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = \$q\$$pipeline\$q\$ ORDER BY 1"), $wanted,
		"$pipeline: the schema holds the views, and nothing but views");
}
none("SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname IN (\$q\$$pipelines[0]\$q\$, 'visits')
	AND coalesce(obj_description(c.oid, 'pg_class'), '') !~ '\\w{3}'",
		'every view has a comment');
none("SELECT * FROM ($columns) c WHERE coalesce(col_description, '') !~ '\\w{3}'", 'and so has every column');
none("SELECT * FROM ($columns) c WHERE NOT of_key
	AND format_type !~ ('^(smallint|integer|bigint|double precision|numeric\\(\\d+,2\\)|boolean'
		|| '|character varying\\(\\d+\\)|date|timestamp with time zone)\$')",
	'but for the key, types are plain, texts of known length and decimals with two digits');
none("SELECT *
	FROM ($columns) c
	WHERE NOT of_key
	AND typname = 'varchar'
	AND atttypmod - 4 > 255
	AND attname !~ '^(description|reason|advice|note|error|error_detail|error_hint)\$'",
	'only what is there to be read is longer than the 255 letters that ODBC sorts and groups by');
none("SELECT * FROM ($columns) c WHERE attname !~ '^[a-z][a-z0-9_]*\$' AND NOT of_key", 'names are in lower case');
none("SELECT * FROM ($columns) c WHERE attname ~ '_month\$|^month\$|^period_(start|end)\$|_on\$' AND typname <> 'date'",
	'parts of the calendar are dates');
is($node->safe_psql('postgres', "SELECT DISTINCT format_type FROM ($columns) c WHERE of_key ORDER BY 1"),
	"bigint\ntext\nuuid", 'keys keep their types');
none("SELECT relname
	FROM ($columns) c
	GROUP BY 1, nspname
	HAVING bool_or(of_key) AND NOT bool_or(attname = 'customer_key')",
	'a key has a text beside it, for tools that cannot hold it');
is($node->safe_psql('postgres',
	qq{SELECT min(customer_key), min(split_part(customer_key, '/', 1)::bigint - "Kunden ""Nr"""),
	max(length(customer_key))
	FROM $schemas[0].customers}),
	'9007199254740993/Größe 1|0|24', 'which tells numbers apart that JavaScript does not');
is($node->safe_psql('postgres',
	"SELECT count(*) FILTER (WHERE data_type IN ('USER-DEFINED', 'ARRAY')),
	count(*) = (SELECT count(*) FROM ($columns) c)
	FROM information_schema.columns
	WHERE table_schema IN (\$q\$$pipelines[0]\$q\$, 'visits')", extra_params => [ '-U', 'bi' ]), '0|t',
		'information_schema shows them all to the reader, as plain types');
is($node->safe_psql('postgres', "SELECT count(*) FROM information_schema.tables WHERE table_schema LIKE '%\\_data'",
	extra_params => [ '-U', 'bi' ]),
	'0', 'but none of the tables behind');

# --- the values, as the server has them ---
my %rows;
foreach my $i (0, 1)
{
	my $counts = $node->safe_psql('postgres',
		join(' UNION ALL ', map { "SELECT '$_', count(*) FROM $schemas[$i].$_" } split /\n/, $wanted),
		extra_params => [ '-U', 'bi' ]);
	$rows{$pipelines[$i]} = { split /[|\n]/, $counts };
}
is(join(' ', grep { !$rows{$pipelines[0]}{$_} } sort keys %{ $rows{$pipelines[0]} }), '',
	'no view of a pipeline with everything is empty');
is($node->safe_psql('postgres', qq{
	CREATE FUNCTION pg_temp.odd() RETURNS SETOF text LANGUAGE plpgsql AS \$\$
	DECLARE field record; n int;
	BEGIN
		FOR field IN SELECT * FROM ($columns) v WHERE typname IN ('float8', 'numeric', 'date', 'timestamptz') LOOP
			EXECUTE format('SELECT count(*) FROM %I.%I WHERE %I IN (%s)', field.nspname, field.relname, field.attname,
				CASE WHEN field.typname IN ('float8', 'numeric') THEN \$v\$'NaN', 'Infinity', '-Infinity'\$v\$
					ELSE \$v\$'infinity', '-infinity'\$v\$ END)
					INTO n;
			IF n > 0 THEN RETURN NEXT field.relname || '.' || field.attname; END IF;
		END LOOP;
	END \$\$;
	SELECT pg_temp.odd()}), '', 'nothing is infinite, or no number');

# --- by drivers ---
# What the driver calls each type of ours; over ODBC as it is set by default: booleans as texts, and
# texts above 255 letters as long ones.
my %odbc = (int2 => 'SMALLINT', int4 => 'INTEGER', int8 => 'BIGINT', float8 => 'FLOAT', numeric => 'NUMERIC',
	bool => 'VARCHAR',
	varchar => 'WVARCHAR', text => 'WLONGVARCHAR', date => 'TYPE_DATE', timestamptz => 'TYPE_TIMESTAMP',
		uuid => 'GUID');
my %jdbc = (int2 => 'SMALLINT', int4 => 'INTEGER', int8 => 'BIGINT', float8 => 'DOUBLE', numeric => 'NUMERIC',
	bool => 'BIT',
	varchar => 'VARCHAR', text => 'VARCHAR', date => 'DATE', timestamptz => 'TIMESTAMP', uuid => 'OTHER');
my @catalog = map { [ split /\|/ ] } split /\n/,
	$node->safe_psql('postgres',
	"SELECT nspname, relname, attname, typname, atttypmod, col_description FROM ($columns) c");

# check(DRIVER, TYPES, COMMENTS, COMMAND): runs a program of test/lib and compares what it saw with the catalog
sub check
{
	my ($driver, $types, $comments, @command) = @_;
	my ($out, $err) = ('', '');
	my (%seen, %kinds, %behind, @bad);

	# names go to and from the programs as UTF-8
	local $ENV{LC_ALL} = 'C.UTF-8';
	my $ran = IPC::Run::run([ @command, @pipelines ], '>', \$out, '2>', \$err);
	ok($ran, "$driver: the program runs to its end") or diag $err;
	foreach (split /\n/, $out)
	{
		my ($what, $schema, $relation, @rest) = split /\t/, $_, -1;
		if ($what eq 'relation') { $seen{relations}{$schema} .= "$relation\n"; $kinds{ $rest[0] } = 1; }
		if ($what eq 'column') { $seen{columns}{"$schema.$relation.$rest[0]"} = [ @rest[1 .. 4] ]; }
		if ($what eq 'rows') { $seen{rows}{$schema}{$relation} = $rest[0]; }
		if ($what eq 'bad') { push @bad, "$relation.$rest[0] $rest[1]"; }
		if ($what eq 'behind') { $behind{$schema}{ $rest[0] }++; }
	}
	is(join("\n", sort split /\n/, $seen{relations}{$_} // ''), $wanted, "$driver: $_ lists exactly its views")
		foreach @pipelines;
	is(join(' ', keys %kinds), 'VIEW', "$driver: as views");
	is(scalar(keys %{ $seen{columns} }), scalar(@catalog), "$driver: all columns are described");
	my (@otherwise, @mute);
	foreach my $column (@catalog)
	{
		my ($schema, $view, $name, $type, $typmod, $comment) = @$column;
		my ($said, $size, $scale, $remarks) = @{ $seen{columns}{"$schema.$view.$name"} // [ '', '', '', '' ] };
		my $length = $type eq 'numeric' ? (($typmod - 4) >> 16) . ',2' : $type eq 'varchar' ? $typmod - 4 : '';
		my $told = $type eq 'numeric' ? "$size,$scale" : $type eq 'varchar' ? $size : '';
		my $right = $types->{ $type eq 'varchar' && $length > 255 ? 'text' : $type };
		push @otherwise, "$view.$name: $said $told, not $right $length" if $said ne $right || $told ne $length;
		push @mute, "$view.$name" if $comments && $remarks ne $comment;
	}
	is(join("\n", @otherwise), '', "$driver: with the types that the catalog promises");
	is(join("\n", @mute), '', "$driver: and their comments") if $comments;
	is_deeply($seen{rows}, \%rows, "$driver: every row of every view is read");
	is(join("\n", @bad), '', "$driver: and every value");
	is(join(' ', map { "$_" } sort map { keys %$_ } values %behind), '42501 42501',
		"$driver: all tables behind are refused");
	return;
}

# unavailable(WHAT, PACKAGES): skips in front of a user, and fails where everything must be there
sub unavailable
{
	my ($what, $packages) = @_;

	$ENV{CLV_COMPLETE} ? fail("$what is here (Debian's packages $packages)")
		: skip "no $what (Debian's packages $packages)", 1;
	return;
}

my $python = '/usr/bin/python3';
my ($driver)
	= glob '/usr/lib/*/odbc/psqlodbcw.so /usr/lib/psqlodbcw.so /usr/lib64/psqlodbcw.so /usr/local/lib/psqlodbcw.so';
SKIP:
{
	if (-x $python && system("$python -c 'import pyodbc' 2>/dev/null") == 0 && $driver)
	{
		# Comments of columns are not what this driver tells
		check('ODBC', \%odbc, 0, $python, "$FindBin::Bin/../lib/read_views.py",
			"Driver=$driver;Servername=127.0.0.1;Port=" . $node->port . ';Database=postgres;UID=bi');
	}
	else
	{
		unavailable('ODBC with Python', 'odbc-postgresql, python3-pyodbc');
	}
}

my ($jar) = grep { -e } '/usr/share/java/postgresql.jar';
SKIP:
{
	# a program of one file is compiled as it starts, which needs a compiler
	if ($jar && system('javac -version >/dev/null 2>&1') == 0)
	{
		check('JDBC', \%jdbc, 1, 'java', '-XX:TieredStopAtLevel=1', '-cp', $jar, "$FindBin::Bin/../lib/ReadViews.java",
			'jdbc:postgresql://127.0.0.1:' . $node->port . '/postgres?user=bi');
	}
	else
	{
		unavailable('JDBC with a Java compiler', 'libpostgresql-jdbc-java, default-jdk-headless');
	}
}

$node->stop;
done_testing();
