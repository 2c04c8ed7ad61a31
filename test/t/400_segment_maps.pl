# Segment maps are kept by the superuser: the user who installed the extension adds their own, others read them, and
# pg_dump keeps them, though not the shipped ones, which come with the extension.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('maps');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', q{
	CREATE ROLE shopkeeper LOGIN;
	CREATE ROLE clerk LOGIN;
	CREATE DATABASE shop;
	GRANT CREATE ON DATABASE shop TO shopkeeper});

# The output of statements of a role in a database.
sub as
{
	my ($role, $database, $sql) = @_;

	return $node->safe_psql($database, $sql, extra_params => [ '-U', $role ]);
}

# Checks that a statement of a role fails with this error.
sub refused
{
	my ($role, $sql, $pattern, $name) = @_;
	my ($rc, $out, $err) = $node->psql('shop', $sql, extra_params => [ '-U', $role ], on_error_stop => 1);

	isnt($rc, 0, "$name: refused");
	like($err, $pattern, "$name: and says why");
	return;
}

# --- an ordinary user installs it, and may change the rows of the table, not the table ---
as('shopkeeper', 'shop', 'CREATE SCHEMA "Odd Schema"; CREATE EXTENSION clv SCHEMA "Odd Schema"');
is($node->safe_psql('shop', q{SELECT r.rolsuper FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
	WHERE c.oid = '"Odd Schema".clv_segment_map'::regclass}), 't', 'the table belongs to a superuser');
refused('shopkeeper', q{ALTER TABLE "Odd Schema".clv_segment_map ALTER rule DROP NOT NULL},
	qr/must be owner of table clv_segment_map/, 'altering it');
as('shopkeeper', 'shop', q{
	INSERT INTO "Odd Schema".clv_segment_map (map, position, segment, rule, description)
	VALUES ('vip', 10, 'VIP', '{"rfm": ["555"], "attributes": {"channel": ["web", "shop"]}}', 'our best'),
		   ('vip', 20, 'Others', '{}', NULL),
		   ('rf', 1, 'Everybody', '{}', 'instead of the shipped one');
	GRANT USAGE ON SCHEMA "Odd Schema" TO clerk});

# --- others read, and use them, with nothing in the search_path ---
my $answer = q{
	SET search_path = pg_catalog;
	SELECT "Odd Schema".segment_assign(ROW(5, 5, 5, 1, NULL, NULL, NULL)::"Odd Schema".clv_scores, 'vip',
			   '{"channel": "web"}'),
		   "Odd Schema".segment_assign(ROW(5, 5, 4, 1, NULL, NULL, NULL)::"Odd Schema".clv_scores, 'vip',
			   '{"channel": "web"}'),
		   "Odd Schema".segment_assign(ROW(1, 1, 1, 1, NULL, NULL, NULL)::"Odd Schema".clv_scores, 'rf'),
		   "Odd Schema".segment_assign(ROW(1, 1, 1, 1, NULL, NULL, NULL)::"Odd Schema".clv_scores, 'rfm'),
		   (SELECT count(*) FROM "Odd Schema".clv_segment_check('vip') WHERE finding <> 'overlap')};
is(as('clerk', 'shop', $answer), 'VIP|Others|Everybody|Lost|0', 'another role reads the maps');
refused('clerk', q{INSERT INTO "Odd Schema".clv_segment_map (map, position, segment) VALUES ('clerks', 1, 'All')},
	qr/permission denied for table clv_segment_map/, 'a map of a role without rights');
my $maps = 'abc, lifecycle, micro, potential, rf, rfm, rfmtc, value x satisfaction, vip';
refused('clerk',
	q{SELECT "Odd Schema".segment_assign(ROW(1, 1, 1, 1, NULL, NULL, NULL)::"Odd Schema".clv_scores, 'none')},
	qr/segment map "none" does not exist.*Known maps are: \Q$maps\E/s,
	'an unknown map');
refused('shopkeeper', q{DELETE FROM "Odd Schema".clv_segment_map}, qr/shipped segment maps cannot be changed/,
	'deleting all');

# --- another session's change is seen by the next statement of this one ---
my $session = $node->can('background_psql') ? $node->background_psql('shop', on_error_stop => 1) : undef;
SKIP:
{
	skip 'no background sessions in this version', 2 unless $session && $session->can('query_safe');
	my $ask = q{SELECT "Odd Schema".segment_assign(ROW(5, 5, 4, 1, NULL, NULL, NULL)::"Odd Schema".clv_scores, 'rf')};
	$session->query_safe(qq{PREPARE ask AS $ask});
	is($session->query_safe('EXECUTE ask'), 'Everybody', 'prepared');
	as('shopkeeper', 'shop',
		q{UPDATE "Odd Schema".clv_segment_map SET segment = 'All' WHERE map = 'rf' AND NOT builtin});
	is($session->query_safe('EXECUTE ask'), 'All', 'changed elsewhere, seen here');
	$session->quit;
	as('shopkeeper', 'shop', q{UPDATE "Odd Schema".clv_segment_map SET segment = 'Everybody'
		WHERE map = 'rf' AND NOT builtin});
}

# --- dump and restore: the user's rows, once; the shipped ones from the extension ---
my $dump = $node->basedir . '/shop.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('shop') ], 'pg_dump');
my $text = slurp_file($dump);
like($text, qr/^vip\t10\tVIP\t/m, 'the dump holds the rows of the user');
unlike($text, qr/Champions/, 'and none of the shipped ones');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, $node->connstr('restored') ], 'restore');
is(as('clerk', 'restored', $answer), 'VIP|Others|Everybody|Lost|0', 'the maps are there again');
is($node->safe_psql('restored',
	'SELECT count(*), count(*) FILTER (WHERE NOT builtin) FROM "Odd Schema".clv_segment_map'),
	$node->safe_psql('shop', 'SELECT count(*), count(*) FILTER (WHERE NOT builtin) FROM "Odd Schema".clv_segment_map'),
	'each row once');

$node->stop;
done_testing();
