# Damaged values of every type, as text, on the wire and as jsonb: each is refused with an error of its own, or is a
# value like any other, whatever the form it came in.
#
#   CLV_FUZZ_ROUNDS   mutations of each type and form (default 400)      CLV_FUZZ_SEED   to repeat a run

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{CLV_FUZZ_ROUNDS} // 400;
my $seed = $ENV{CLV_FUZZ_SEED} // 606;
my $batch = 2000;
srand($seed);
note "CLV_FUZZ_ROUNDS=$rounds CLV_FUZZ_SEED=$seed";

my $node = PostgreSQL::Test::Cluster->new('mutations');
$node->init;
$node->append_conf('postgresql.conf',
	"jit = off\nfsync = off\nrestart_after_crash = on\nlog_min_messages = panic\nlog_min_error_statement = panic");
$node->start;
$node->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE EXTENSION clv;
	CREATE TABLE customer AS
	SELECT i AS customer_id, clv_history(date '2020-01-01' + i % 7 * 9 * k, i * 1.25) AS history
	FROM generate_series(1, 50) i, generate_series(0, 3) k GROUP BY i;

	-- sound values to damage: every shape that a type has
	CREATE TABLE sound_clv_history (v clv_history);
	INSERT INTO sound_clv_history VALUES
		('{"occasion":1,"days":[["1997-01-01",29.33],["1997-03-02",-11.77,"refund"],["1997-03-05",null]]}'),
		('{"occasion":7,"days":[["1996-12-30",29.33],["1997-03-03",5.5,"unknown",300],["2024-12-30",1]]}'),
		('{"occasion":1,"days":[["1997-01-01",0.30000000000000004],["1997-01-02",-10.5,"refund"],["1997-01-03",null],["1997-01-04",2,"unknown",3]]}'),
		('{"occasion":1,"days":[["0044-03-15 BC",9223372036854775806],["2001-01-01",1]]}'), ('{"occasion":1,"days":[]}');
	INSERT INTO sound_clv_history SELECT clv_history(date '2010-01-11' + 31 * i, i + i / 100.0) FROM generate_series(0, 40) i;

	CREATE TABLE sound_clv_model AS SELECT
		clv_model('mbg/nbd', '{"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5}', '1 week', '1997-09-30') || clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 16}') AS v;
	INSERT INTO sound_clv_model VALUES (clv_model('pareto/nbd/cor', '{"r": 0.5, "alpha": 10, "s": 0.6, "beta": 12, "m": 0.01}', '1 month')),
		(clv_model('mbg/cnbd-k', '{"k": 2, "r": 0.5, "alpha": 10, "a": 0.6, "b": 1.2}', '1 day', '2020-12-31')), (clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 16}')),
		(clv_model('pareto/nbd', '{"r": 1.8, "alpha": 93, "s": 0.6, "beta": 50}', '1 week', covariates => '[{"name": "g", "purchase": 0.3, "churn": -0.6}, {"name": "h", "purchase": 0.6}]'));
	INSERT INTO sound_clv_model SELECT clv_fit(history, clv_options(as_of => '2020-12-31', model => m, time_unit => u, spend => s))
	FROM customer, (VALUES ('auto', interval '1 week', 'gamma/gamma'), ('bg/bb', '30 days', 'none')) o (m, u, s) GROUP BY m;
	INSERT INTO sound_clv_model SELECT clv_fit(history, clv_options(as_of => '2020-12-31', covariates => '{g}', penalty => 1), ARRAY[customer_id % 2]) FROM customer;

	CREATE TABLE sound_clv_cells AS SELECT clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0) AS v FROM generate_series(1, 40) x;
	INSERT INTO sound_clv_cells SELECT clv_cells(history, clv_options(as_of => '2020-12-31', model => m, time_unit => u, grace => g, start => s))
	FROM customer, (VALUES ('mbg/nbd', interval '1 week', NULL::interval, (SELECT v FROM sound_clv_model LIMIT 1)), ('sbg', '30 days', '1 day', NULL), ('mbg/cnbd-k', '1 week', NULL, NULL)) o (m, u, g, s)
	GROUP BY m;
	INSERT INTO sound_clv_cells SELECT clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0, clv_options(covariates => '{z,longer name}', penalty => 0.01), ARRAY[x % 3, x / 8.0])
	FROM generate_series(1, 40) x;
	INSERT INTO sound_clv_cells SELECT clv_cells(i % 3, i % 3 * 2, 9, 3, i % 2 = 0, clv_options(model => 'rfmtc')) FROM generate_series(1, 50) i;
	INSERT INTO sound_clv_cells SELECT clv_cells(history) FROM customer WHERE false;

	CREATE TABLE sound_clv_cuts AS SELECT rfmtc_cuts(history, '2020-12-31') AS v FROM customer;
	INSERT INTO sound_clv_cuts SELECT rfmtc_cuts(history, '2020-12-31', v, 3) FROM customer, (SELECT v FROM sound_clv_model LIMIT 1) m;

	-- what reading text gives: the value as text, or why not; and what the jsonb of it gives, and the text of that jsonb
	CREATE FUNCTION read(input text, type regtype) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		result text;
	BEGIN
		EXECUTE format('SELECT $1::%s::text', type) USING input INTO result;
		RETURN result;
	EXCEPTION WHEN OTHERS THEN
		RETURN 'refused ' || sqlstate || ' ' || sqlerrm;
	END $$;
	CREATE FUNCTION read_jsonb(input text, type regtype) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		result text;
		value jsonb;
	BEGIN
		BEGIN
			value := input::jsonb;
		EXCEPTION WHEN OTHERS THEN
			RETURN 'no jsonb';
		END;
		EXECUTE format('SELECT $1::%s::text', type) USING value INTO result;
		RETURN result;
	EXCEPTION WHEN OTHERS THEN
		RETURN 'refused ' || sqlstate || ' ' || sqlerrm;
	END $$;
	CREATE FUNCTION read_plain(input text, type regtype) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN read(input::jsonb::text, type);
	EXCEPTION WHEN OTHERS THEN
		RETURN 'no jsonb';
	END $$});
my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
my @types = split /\n/, $node->safe_psql('postgres', q{
	SELECT t.typname FROM pg_type t JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'clv'
	WHERE t.typtype = 'b' AND t.typelem = 0 ORDER BY 1});
cmp_ok(scalar(@types), '>=', 4, 'there are types');
my $directory = PostgreSQL::Test::Utils::tempdir_short();

# damaged(BYTES, PIECE ...): one to three places overwritten, flipped, cut out, doubled, or all that follows cut off
sub damaged
{
	my ($bytes, @pieces) = @_;

	foreach (0 .. int rand 3)
	{
		last if $bytes eq '';
		my $at = int rand length $bytes;
		my $how = int rand 14;

		if ($how < 4) { substr($bytes, $at, 1) = $pieces[ rand @pieces ] }
		elsif ($how < 7) { my $new = $pieces[ rand @pieces ]; substr($bytes, $at, length $new) = $new }
		elsif ($how < 10) { substr($bytes, $at, 1) ^= chr(1 << int rand 8) }
		elsif ($how < 11) { substr($bytes, $at, 1 + int rand 12) = '' }
		elsif ($how < 12) { substr($bytes, $at, 0) = substr($bytes, $at, 1 + int rand 24) }
		elsif ($how < 13) { my $length = 1 + int rand 24; substr($bytes, $at, 0) = substr($bytes, rand length $bytes, $length) }
		else { $bytes = substr($bytes, 0, $at) }
	}
	return $bytes;
}

my @pieces = ((map { chr } 0, 1, 2, 0x7f, 0x80, 0xff), "\0\0\0\0", "\xff\xff\xff\xff", "\x7f\xff\xff\xff", "\x80\0\0\0", "\x7f\xf0\0\0\0\0\0\0", "\x7f\xf8\0\0\0\0\0\0",
	"\x80\0\0\0\0\0\0\0", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\0\0\0\0\0\0\0\x01");
my @words = ((0 .. 9), split(/ /, '- . e E + , : " [ ] { } [] {} [[ ]] null true 0 -1 1 2147483647 2147483648 -2147483648 4294967295 9223372036854775807 '
	. '9223372036854775808 1e308 1e400 1e-320 -0.0 -0 NaN Infinity "NaN" "Infinity" "2020-02-30" "" 0x1 1. .5 \\ \\u0000'), ' ');

# sound_values(TYPE, FORM): the sound values as text or on the wire
sub sound_values
{
	my ($type, $form) = @_;

	return map { pack 'H*', $_ } split /\n/, $node->safe_psql('postgres', 'SELECT encode(' . ($form eq 'wire' ? "$type\_send(v)" : "convert_to(v::text, 'UTF8')") . ", 'hex') FROM sound_$type");
}

my $total = 0;

foreach my $type (@types)
{
	my @sound = sound_values($type, 'text');

	cmp_ok(scalar(@sound), '>', 1, "$type: there are sound values");

	# --- text, and where it is jsonb, that ---
	$node->safe_psql('postgres', "CREATE TABLE given (i int, input text); CREATE TABLE text_$type (i int, input text, read text, read_jsonb text, read_plain text)");
	for (my $done = 0; $done < $rounds; $done += $batch)
	{
		my $many = $rounds - $done < $batch ? $rounds - $done : $batch;
		my $script = "COPY given FROM stdin (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02');\n";

		foreach my $i (1 .. $many)
		{
			my $input = damaged($sound[ rand @sound ], @words);
			$input =~ s/[\x00-\x1f\x80-\xff]/?/g;
			$script .= "$i\x01\x02$input\x02\n";
		}
		my ($rc, $out, $err) = $node->psql('postgres', "$script\\.\n"
			. "INSERT INTO text_$type SELECT i, input, read(input, '$type'), read_jsonb(input, '$type'), read_plain(input, '$type') FROM given; TRUNCATE given");
		is($rc, 0, "$type: damaged text is read or refused") or diag substr($err, 0, 500);
		$total += 2 * $many;
		# one that was lost is worth more than the rest
		last if $rc;
	}
	my $where = "FROM text_$type WHERE read NOT LIKE 'refused%'";
	note $node->safe_psql('postgres', "SELECT '$type', substr(read, 1, 13), count(*) FROM text_$type WHERE read LIKE 'refused%' GROUP BY 2 ORDER BY 2");
	is($node->safe_psql('postgres', "SELECT string_agg(input || ' ' || read || ' ' || read_jsonb, E'\\n') FROM (SELECT * FROM text_$type WHERE read ~ '^refused (XX|57|53|P0|42|58)' OR read_jsonb ~ '^refused (XX|57|53|P0|42|58)' LIMIT 5) q"),
		'', "$type: no internal error");
	is($node->safe_psql('postgres', "SELECT string_agg(input || ' ' || read || ' ' || read_jsonb, E'\\n') FROM (SELECT * FROM text_$type
		WHERE CASE WHEN read_plain LIKE 'refused%' THEN read_jsonb NOT LIKE 'refused%' ELSE read_jsonb <> read_plain END LIMIT 5) q"),
		'', "$type: jsonb is read as its text is");
	is($node->safe_psql('postgres', "SELECT string_agg(read, E'\\n') FROM (SELECT read $where AND read::$type\::text <> read LIMIT 5) q"), '', "$type: what was read as text is written as it is read");
	if ($node->pg_version >= 16)
	{
		is($node->safe_psql('postgres', "SELECT string_agg(input, E'\\n') FROM (SELECT input FROM text_$type WHERE pg_input_is_valid(input, '$type') <> (read NOT LIKE 'refused%') LIMIT 5) q"), '', "$type: and pg_input_is_valid says so");
	}
	is($node->safe_psql('postgres', "COPY (SELECT read::$type $where) TO '$directory/$type' (FORMAT binary); CREATE TABLE again_$type (v $type); COPY again_$type FROM '$directory/$type' (FORMAT binary);
		SELECT count(*) - (SELECT count(*) FROM again_$type) $where; SELECT count(*) FROM (SELECT read $where EXCEPT SELECT v::text FROM again_$type) q"), "0\n0", "$type: and is taken from the wire");

	# --- the wire: one COPY each, in one session a batch ---
	@sound = sound_values($type, 'wire');
	$node->safe_psql('postgres', "CREATE TABLE wire_$type (v $type)");
	my $refused = 0;
	my %errors;
	for (my $done = 0; $done < $rounds; $done += $batch)
	{
		my $many = $rounds - $done < $batch ? $rounds - $done : $batch;
		my $script = '';

		foreach my $i (1 .. $many)
		{
			my $bytes = damaged($sound[ rand @sound ], rand() < 0.3 ? chr int rand 256 : (), @pieces);

			open my $file, '>:raw', "$directory/$i" or die "$directory/$i: $!";
			print $file "PGCOPY\n\xff\r\n\0", pack('NNnN', 0, 0, 1, length $bytes), $bytes, "\xff\xff";
			close $file;
			$script .= "COPY wire_$type FROM '$directory/$i' (FORMAT binary);\n";
		}
		my ($rc, $out, $err) = $node->psql('postgres', "\\set VERBOSITY sqlstate\n$script", on_error_stop => 0);
		is($rc, 0, "$type: damaged bytes are taken or refused") or diag substr($err, -500);
		$errors{$_}++ foreach $err =~ /ERROR:  (\w{5})/g;
		$refused += () = $err =~ /ERROR: /g;
		$total += $many;
		last if $rc;
	}
	note "$type, wire: ", join(', ', map { "$_: $errors{$_}" } sort keys %errors);
	is(join(', ', grep { /^(XX|57|53|P0|42|58)/ } sort keys %errors), '', "$type: no internal error on the wire");
	is($node->safe_psql('postgres', "SELECT count(*) FROM wire_$type"), $rounds - $refused, "$type: each was taken or refused ($refused refused)");
	is($node->safe_psql('postgres', "SELECT string_agg(v || ' ' || again, E'\\n') FROM (SELECT v::text, read(v::text, '$type') AS again FROM wire_$type) q WHERE v <> again"), '', "$type: what was taken is read as text");
	# send, equality and hash know one form alone
	is($node->safe_psql('postgres', "SELECT count(*) FROM wire_$type WHERE CASE WHEN read(v::text, '$type') LIKE 'refused%' THEN false
		ELSE $type\_send(v) <> $type\_send(v::text::$type) OR v <> v::text::$type OR $type\_hash(v) <> $type\_hash(v::text::$type) OR v::jsonb::$type <> v END"), '0', "$type: and is the same value");
	$node->safe_psql('postgres', 'DROP TABLE given');
}
note "$total mutations";
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server never went down');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP|Sanitizer|runtime error/, 'and no backend did');

$node->stop;
done_testing();
