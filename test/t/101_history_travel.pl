# Histories keep their bytes by dump and restore, by binary COPY, between sessions with the oddest settings.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('travel');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off");
$node->start;

my @odd = (
	"DateStyle = 'German, DMY'", "TimeZone = 'Pacific/Kiritimati'", "extra_float_digits = -15",
	"IntervalStyle = 'iso_8601'", "search_path = pg_catalog");
$node->safe_psql('postgres', 'CREATE DATABASE home');
$node->safe_psql('postgres', 'CREATE DATABASE abroad');
$node->safe_psql('postgres', "ALTER DATABASE abroad SET $_") foreach @odd;

# Orders of all kinds: refunds, unknown amounts, sub-cent prices, and two customers beyond 64 bits.
my $orders = q{
	SELECT c AS id, timestamptz '1999-11-20 00:00+00' + make_interval(hours => c * k * 37 % 7000) AS at,
		   CASE (c * k) % 13 WHEN 0 THEN NULL WHEN 1 THEN -7.25 WHEN 2 THEN 0.000125 ELSE (c * k % 977) / 4.0 END
		   * CASE c WHEN 17 THEN 1e25 WHEN 18 THEN 1.0 / 3 ELSE 1 END AS amount
	FROM generate_series(1, 300) c, generate_series(1, 30) k WHERE k <= c % 31};

$node->safe_psql('home', "CREATE EXTENSION clv; CREATE TABLE customer AS
	SELECT id, clv_history(at, amount) AS history, clv_history(at, amount::float8, 7) AS weekly FROM ($orders) o
		GROUP BY id;
	INSERT INTO customer VALUES (0, '{\"occasion\":1,\"days\":[]}', NULL)");
my $digest = q{SELECT count(*) || ' '
					  || md5(string_agg(history::text || coalesce(weekly::text, '-'), ';' ORDER BY id)) || ' '
					  ||
	md5(string_agg(clv_internal.clv_history_send(history)::text, ';' ORDER BY id)) FROM public.customer};
my $truth = $node->safe_psql('home', $digest);
like($truth, qr/^292 /, 'there are customers to speak of');

# --- settings ---
$node->safe_psql('abroad', "CREATE EXTENSION clv SCHEMA public; CREATE TABLE public.customer AS
	SELECT id, public.clv_history(at, amount) AS history, public.clv_history(at, amount::float8, 7) AS weekly
		FROM ($orders) o GROUP BY id;
	INSERT INTO public.customer VALUES (0, '{\"occasion\":1,\"days\":[]}', NULL)");
is($node->safe_psql('abroad', $digest), $truth, 'no setting has a say in a history');
is($node->safe_psql('abroad', q{SELECT bool_and(clv_internal.clv_history_eq(history::text::public.clv_history, history))
	FROM public.customer}), 't', 'nor in reading it');
$node->safe_psql('abroad', 'DROP TABLE public.customer; DROP EXTENSION clv');

# --- dump and restore ---
my $dump = $node->basedir . '/travel.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('home') ], 'dumped');
$node->command_ok([ 'pg_restore', '-d', $node->connstr('abroad'), $dump ], 'restored under other settings');
is($node->safe_psql('abroad', $digest), $truth, 'and the same to the byte');
$node->command_ok([ 'pg_dump', '--inserts', '-t', 'public.customer', '-f', "$dump.sql", $node->connstr('home') ],
	'dumped as statements');
$node->safe_psql('abroad', 'DROP TABLE public.customer');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('abroad'), '-f', "$dump.sql" ],
	'and run again');
is($node->safe_psql('abroad', $digest), $truth, 'the same again');

# --- binary COPY ---
my $file = $node->basedir . '/travel.bin';
$node->safe_psql('home', "COPY customer TO '$file' (FORMAT binary)");
$node->safe_psql('abroad', "TRUNCATE public.customer; COPY public.customer FROM '$file' (FORMAT binary)");
is($node->safe_psql('abroad', $digest), $truth, 'binary COPY carries every byte');

# --- large values are toasted and come back ---
$node->safe_psql('home',
	q{CREATE TABLE large AS SELECT clv_history(date '1990-01-01' + i * (1 + i % 3), i * 1.07) AS history
	FROM generate_series(1, 9000) i});
is($node->safe_psql('home',
	q{SELECT clv_purchases(history) = (SELECT count(DISTINCT i * (1 + i % 3)) FROM generate_series(1, 9000) i)
	AND clv_total_spend(history) = (SELECT sum(i * 1.07) FROM generate_series(1, 9000) i)
	AND (SELECT sum(amount) FROM clv_purchase_log(history)) = clv_total_spend(history) FROM large}),
	't', 'a toasted history answers like any other');

$node->stop;
done_testing();
