# Jobs: pg_cron refreshes pipelines by itself, in workers of the server and over connections of its own; whose jobs
# they are and who may end them; and what is seen of a job that fails.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

chomp(my $libraries = `"$ENV{PG_CONFIG}" --pkglibdir`);
my ($major) = `"$ENV{PG_CONFIG}" --version` =~ /(\d+)/;
unless (-e "$libraries/pg_cron.so")
{
	# Debian has it for the PostgreSQL of its own
	die "pg_cron is not installed: Debian's package is postgresql-$major-cron\n" if $ENV{CLV_COMPLETE} && $major == 15;
	plan skip_all => "pg_cron is not installed (Debian's package is postgresql-$major-cron)";
}

my $shop = q{
	CREATE TABLE orders AS
	SELECT c AS customer_id,
		timestamptz '2020-01-01 12:00+00' + make_interval(days => c * 7 % 90 + k * (10 + c % 23)) AS ordered_at,
		   ((5 + c % 40) * (8 + k * 7 % 5))::numeric(10,1) / 10 AS amount
	FROM generate_series(1, 200) c, generate_series(0, 11) k WHERE k = 0 OR k <= (c * 13 % 29) - 15;
	ALTER TABLE orders OWNER TO shopkeeper};
my $odd = q{Ben's "Schöne" Läden};
my $long = 'a pipeline whose name is of the length that names may have';	# 58 bytes

# start(NAME, SETTINGS): a server with pg_cron in database postgres, pipelines in it and one in database elsewhere
sub start
{
	my ($name, $settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ]);
	$node->append_conf('postgresql.conf', "fsync = off\njit = off\nshared_preload_libraries = 'pg_cron'\n"
		. "cron.database_name = 'postgres'\n" . $settings->($node));
	$node->start;
	$node->safe_psql('postgres', q{
		CREATE ROLE shopkeeper NOLOGIN;
		CREATE ROLE anna LOGIN IN ROLE shopkeeper;
		CREATE ROLE ben LOGIN IN ROLE shopkeeper;
		CREATE ROLE eve LOGIN;
		CREATE DATABASE elsewhere;
		GRANT CREATE ON DATABASE postgres, elsewhere TO shopkeeper;
		CREATE EXTENSION pg_cron});
	foreach my $database ('postgres', 'elsewhere')
	{
		$node->safe_psql($database, qq{
			CREATE EXTENSION clv; $shop;
			CREATE VIEW mended AS SELECT * FROM orders;
			ALTER VIEW mended OWNER TO shopkeeper;
			SET ROLE shopkeeper;
			CALL clv_create_pipeline(\$\$$odd\$\$, 'orders', 'customer_id', 'ordered_at', 'amount');
			CALL clv_create_pipeline('broken', 'mended', 'customer_id', 'ordered_at', 'amount');
			CALL clv_create_pipeline('$long', 'orders', 'customer_id', 'ordered_at', 'amount');
			RESET ROLE;
			-- refused when read, not when looked at
			CREATE OR REPLACE VIEW mended AS
				SELECT customer_id, ordered_at, amount / (customer_id - 1) AS amount
				FROM orders});
	}
	# eve makes procedures that would fit a call of clv_refresh, and types of the names that it casts to; anna's path
	# leads to them first
	$node->safe_psql('postgres', q{
		CREATE SCHEMA evil AUTHORIZATION eve;
		GRANT USAGE ON SCHEMA evil TO PUBLIC;
		GRANT CREATE ON SCHEMA public TO eve;
		SET ROLE eve;
		CREATE DOMAIN evil.text AS pg_catalog.varchar CHECK (VALUE = 'caught');
		CREATE DOMAIN evil.date AS pg_catalog.varchar CHECK (VALUE = 'caught');
		CREATE PROCEDURE evil.clv_refresh(pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.text)
			LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'caught'; RAISE EXCEPTION 'caught'; END $$;
		CREATE PROCEDURE public.clv_refresh(varchar, varchar, pg_catalog.date, varchar)
			LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'caught'; RAISE EXCEPTION 'caught'; END $$;
		CREATE PROCEDURE public.clv_refresh(name, name, pg_catalog.date, name)
			LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'caught'; RAISE EXCEPTION 'caught'; END $$;
		RESET ROLE;
		ALTER ROLE anna SET search_path = evil, pg_temp, public, pg_catalog});
	return $node;
}

# asks(NODE, ROLE, QUERY [, DATABASE]): the answer, or what is said of the error
sub asks
{
	my ($node, $role, $query, $database) = @_;
	my ($rc, $out, $err) = $node->psql($database // 'postgres', $query, extra_params => [ '-U', $role, '-q' ],
		on_error_stop => 1);

	return $rc == 0 ? $out : $err;
}

my $workers = start('workers', sub { "cron.use_background_workers = on\n" });
my $connections = start('connections', sub { "cron.host = '" . $_[0]->host . "'\n" });
my $quoted = "\$\$$odd\$\$";
my $mine = 'SELECT count(*) FROM cron.job';

# --- rights ---
like(asks($workers, 'eve', "SELECT clv_schedule('broken', '* * * * *')"),
	qr/permission denied for pipeline "broken"\n.*"shopkeeper", of which "eve" is not a member/,
		'a role that is no member cannot schedule');
like(asks($workers, 'anna', "SELECT clv_schedule('broken', '* * * * *')"),
	qr/ERROR:  permission denied for pg_cron\n.*GRANT USAGE ON SCHEMA cron TO anna;/,
	'nor a role that may not use pg_cron');
is(asks($workers, 'anna', 'SELECT name, schedule FROM clv_pipelines ORDER BY name COLLATE "C"'),
	"$odd|\n$long|\nbroken|",
	'which does not keep her from looking at the pipelines');
my $call = q{'CALL public.clv_refresh(''broken''::pg_catalog.text, ''auto''::pg_catalog.text, }
	. q{NULL::pg_catalog.date, ''error''::pg_catalog.text)', 'elsewhere', 'anna')};
like(asks($workers, 'anna', "SELECT clv_schedule('broken', '0 3 * * *')", 'elsewhere'),
	qr/not installed in this database\n.*works from database.*\n.*cron\.schedule_in_database\(.*, \Q$call\E/,
	'from another database, the error shows the way')
		if $workers->safe_psql('postgres', 'GRANT pg_read_all_settings TO anna; SELECT 1');
like(asks($workers, 'ben', "SELECT clv_schedule('broken', '0 3 * * *')", 'elsewhere'),
	qr/not installed in this database\n.*CREATE EXTENSION pg_cron/,
	'a role that may not read the setting gets another hint');

foreach my $node ($workers, $connections)
{
	$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA cron TO shopkeeper, eve');
	foreach my $pipeline ($quoted, "'broken'")
	{
		like(asks($node, 'anna', "SELECT clv_schedule($pipeline, '* * * * *')"), qr/^\d+$/,
			$node->name . ": a member schedules $pipeline, every minute");
	}
	# what the page of the documentation says for other databases
	$node->safe_psql('postgres',
		qq{SELECT cron.schedule_in_database('elsewhere', '* * * * *', 'CALL clv_refresh(''broken'')', 'elsewhere',
		'anna')});
}

# --- what is said of it, until the minute is over ---
is(asks($workers, 'anna', 'SELECT schedule FROM clv_pipelines ORDER BY name COLLATE "C"'), "* * * * *\n\n* * * * *",
	'clv_pipelines shows it');
is(asks($workers, 'ben', 'SELECT schedule FROM clv_pipelines ORDER BY name COLLATE "C"'), "\n\n",
	'and to a role that may see the job');
is(asks($workers, 'postgres', 'SELECT schedule FROM clv_pipelines ORDER BY name COLLATE "C"'), "* * * * *\n\n* * * * *",
	'as a superuser may');
is($workers->safe_psql('postgres', "SELECT schedule, command, username FROM cron.job WHERE jobname LIKE '%Ben%'"),
	"* * * * *|CALL public.clv_refresh('" . $odd =~ s/'/''/gr
		. "'::pg_catalog.text, 'auto'::pg_catalog.text, NULL::pg_catalog.date, 'error'::pg_catalog.text)|anna",
		'the job is one of hers');
like(asks($workers, 'anna', "SET ROLE shopkeeper; SELECT clv_schedule('broken', '* * * * *')"),
	qr/role "shopkeeper" cannot log in\n.*\n.*RESET ROLE/,
	'a role that cannot log in cannot have a job');
like(asks($workers, 'anna', "SELECT clv_schedule('broken', 'nightly')"), qr/ERROR:.*nightly/,
	'a schedule must be one of cron');
like(asks($workers, 'anna', "SELECT clv_schedule('broken', '0 3 * * *', 'wholly')"), qr/invalid mode "wholly"/,
	'a mode must be one of clv_refresh');
is(asks($workers, 'anna', "SELECT schedule FROM clv_pipelines WHERE name = 'broken'"), '* * * * *',
	'and what was scheduled before stays');

asks($workers, 'ben', "SELECT clv_schedule('$long', '0 3 * * *'); SELECT clv_schedule('$long', '0 4 * * 0', 'full')");
is(asks($workers, 'ben', 'SELECT schedule, active FROM cron.job'), '0 4 * * 0|t',
	'a new schedule takes the place of the old one, of a long name as well');
is(asks($workers, 'ben', "SELECT schedule FROM clv_pipelines WHERE name = '$long'"), '0 4 * * 0', 'and is shown');
is(asks($workers, 'anna', "SELECT clv_unschedule('$long')"), 'f', 'another member has no schedule that she could end');
is(asks($workers, 'ben', $mine), '1', 'so the job is left');
# a job of that name for another database is not ours
$workers->safe_psql('postgres',
	qq{SELECT cron.schedule_in_database('clv pipeline broken', '0 5 * * *', 'SELECT 1', 'elsewhere', 'ben')});
is(asks($workers, 'ben', "SELECT schedule FROM clv_pipelines WHERE name = 'broken'"), '',
	'a job in another database is not shown');
is(asks($workers, 'ben', "SELECT clv_unschedule('broken')"), 'f', 'nor ended');
is($workers->safe_psql('postgres', "SELECT clv_unschedule('$long')"), 't', 'a superuser ends the schedules of others');
like(asks($workers, 'eve', "SELECT clv_unschedule('broken')"), qr/permission denied for pipeline/,
	'a role that is no member and has no job ends none');

# --- it runs ---
my $ended = "SELECT (SELECT count(*) FROM broken.runs WHERE finished_at IS NOT NULL), (SELECT count(*) FROM \""
	. $odd =~ s/"/""/gr . "\".runs WHERE finished_at IS NOT NULL)";
my $began = time;
my %seen;
foreach my $node ($workers, $connections)
{
	until (time - $began > 100)
	{
		$seen{$node->name} = $node->safe_psql('postgres', $ended);
		$seen{$node->name} .= '|'
			. $node->safe_psql('elsewhere', 'SELECT count(*) FROM broken.runs WHERE finished_at IS NOT NULL');
		last if $seen{$node->name} !~ /\b0\b/;
		sleep 0.3;
	}
}
foreach my $node ($workers, $connections)
{
	my $name = $node->name;
	my $views = '"' . $odd =~ s/"/""/gr . '"';

	unlike($seen{$name}, qr/\b0\b/, "$name: the jobs have run");
	is($node->safe_psql('postgres',
		"SELECT status, called_by, is_current, error IS NULL, customers FROM $views.runs ORDER BY run LIMIT 1"),
		'done|anna|t|t|200', "$name: the view runs shows it");
	is($node->safe_psql('postgres', "SELECT count(*) FROM $views.customers WHERE clv IS NOT NULL"), '200',
		"$name: and the views are filled");
	is($node->safe_psql('postgres',
		'SELECT status, error, error_code, step, called_by, is_current, finished_at IS NOT NULL
		FROM broken.runs
		ORDER BY run LIMIT 1'),
		'failed|division by zero|22012|histories|anna|f|t', "$name: a job that fails leaves its error in runs");
	is(asks($node, 'ben', "SELECT last_status, last_error FROM clv_pipelines WHERE name = 'broken'"),
		'failed|division by zero',
		"$name: and in clv_pipelines");
	is(asks($node, 'anna',
		q{SELECT status, return_message ~ 'division by zero'
		FROM cron.job_run_details d JOIN cron.job j USING (jobid)
		WHERE j.jobname = 'clv pipeline broken'
		ORDER BY runid LIMIT 1}),
		'failed|t', "$name: and with pg_cron");
	is($node->safe_psql('elsewhere', 'SELECT status, error, called_by FROM broken.runs ORDER BY run LIMIT 1'),
		'failed|division by zero|anna',
		"$name: a job for another database ran there");
	is(asks($node, 'anna', "SELECT clv_unschedule('broken'); SELECT schedule FROM clv_pipelines WHERE name = 'broken'"),
		"t\n",
		"$name: unscheduled, it is scheduled no more");
	asks($node, 'anna', "SELECT clv_schedule($quoted, '0 3 1 1 *')");

	# --- the text of the job, in a session that has a procedure and types of its own in front of all ---
	my $job = $node->safe_psql('postgres',
		"SELECT command FROM cron.job WHERE jobname LIKE '%Ben%' AND username = 'anna'");
	$node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM $views.runs WHERE status = 'running')");
	is(asks($node, 'anna', qq{
			SET client_min_messages = warning;
			CREATE DOMAIN pg_temp.text AS varchar CHECK (VALUE = 'caught');
			CREATE PROCEDURE pg_temp.clv_refresh(pg_catalog.text, pg_catalog.text, pg_catalog.date, pg_catalog.text)
				LANGUAGE plpgsql AS \$\$ BEGIN RAISE LOG 'caught'; RAISE EXCEPTION 'caught'; END \$\$;
			CREATE TEMP TABLE runs (status int);
			$job;
			SELECT status, error IS NULL, is_current FROM $views.runs ORDER BY run DESC LIMIT 1}),
		'done|t|t', "$name: what pg_cron runs calls ours, whatever the session has in front");

	# --- the next run, should a slow machine have come to another minute after it is over ---
	$node->poll_query_until('postgres',
		"SELECT NOT EXISTS (SELECT FROM $views.runs WHERE status = 'running')
		AND NOT EXISTS (SELECT FROM broken.runs WHERE status = 'running')");
	$node->safe_psql('postgres', 'CREATE OR REPLACE VIEW mended AS SELECT * FROM orders');
	is(asks($node, 'anna', q{SET client_min_messages = warning; CALL clv_refresh('broken');
			SELECT status, error IS NULL, customers, is_current FROM broken.runs ORDER BY run DESC LIMIT 1}),
				'done|t|200|t',
		"$name: the next run starts clean");
}

# --- what is left ---
is(asks($workers, 'ben', "SELECT clv_schedule($quoted, '0 4 * * *') > 0"), 't',
	'another member has a schedule of the same pipeline');
is(asks($workers, 'postgres', "SELECT schedule FROM clv_pipelines WHERE name = $quoted"), '0 3 1 1 *; 0 4 * * *',
	'a role with both memberships sees both pipelines');
asks($workers, 'anna', "CALL clv_drop_pipeline($quoted)");
is(asks($workers, 'anna', q{SELECT count(*) FROM cron.job WHERE jobname LIKE 'clv pipeline%'}), '0',
	'dropping a pipeline ends the schedule of the caller');
is(asks($workers, 'ben', "SELECT clv_unschedule($quoted)"), 't', 'another member ends their own, pipeline or none');
like(asks($workers, 'ben', "SELECT clv_unschedule($quoted)"),
	qr/pipeline .* does not exist\n.*Pipelines of this database are: /, 'once');
is(asks($connections, 'ben', "SELECT clv_schedule($quoted, '0 4 * * *') > 0"), 't', 'two members have schedules');
$connections->safe_psql('postgres', "CALL clv_drop_pipeline($quoted)");
is($connections->safe_psql('postgres', "SELECT count(*) FROM cron.job WHERE jobname LIKE 'clv pipeline%'"), '0',
	'which go both where a superuser drops the pipeline');
unlike(slurp_file($_->logfile), qr/LOG:  caught/, $_->name . ': no procedure of a stranger was called')
	foreach $workers, $connections;
unlike(slurp_file($_->logfile), qr/TRAP|PANIC|terminated by signal/, $_->name . ': the server has not crashed')
	foreach $workers, $connections;

$_->stop foreach $workers, $connections;
done_testing();
