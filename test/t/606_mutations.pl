# Damaged values of every type, as text, on the wire and as jsonb: each is refused with an error of its own, or is a
# value like any other, whatever the form it came in.
#
#   CLV_FUZZ_ROUNDS   mutations of each type and form (default 400)      CLV_FUZZ_SEED   to repeat a run

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use Fuzzing qw(fuzzed_server stop_standing);
use Mutants qw(make_sound sound_texts sound_bytes mutated);
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{CLV_FUZZ_ROUNDS} // 400;
my $seed = $ENV{CLV_FUZZ_SEED} // 606;
my $batch = 2000;
srand($seed);
note "CLV_FUZZ_ROUNDS=$rounds CLV_FUZZ_SEED=$seed";

my $node = fuzzed_server('mutations');
my @types = make_sound($node);

cmp_ok(scalar(@types), '>=', 4, 'there are types');
$node->safe_psql('postgres', q{
	-- what reading text gives: the value as text, or why not; and what the jsonb of it gives, and the text of that
	-- jsonb
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
my $directory = PostgreSQL::Test::Utils::tempdir_short();

my $total = 0;

foreach my $type (@types)
{
	my @sound = sound_texts($node, $type);

	cmp_ok(scalar(@sound), '>', 1, "$type: there are sound values");

	# --- text, and where it is jsonb, that ---
	$node->safe_psql('postgres', "CREATE TABLE given (i int, input text);
		CREATE TABLE text_$type (i int, input text, read text, read_jsonb text, read_plain text)");
	for (my $done = 0; $done < $rounds; $done += $batch)
	{
		my $many = $rounds - $done < $batch ? $rounds - $done : $batch;
		my $script = "COPY given FROM stdin (FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02');\n";

		foreach my $i (1 .. $many)
		{
			my $input = mutated($sound[ rand @sound ], 1);
			$input =~ s/[\x00-\x1f\x80-\xff]/?/g;
			$script .= "$i\x01\x02$input\x02\n";
		}
		my ($rc, $out, $err) = $node->psql('postgres', "$script\\.\n"
			. "INSERT INTO text_$type SELECT i, input, read(input, '$type'), read_jsonb(input, '$type'),
				read_plain(input, '$type') FROM given; TRUNCATE given");
		is($rc, 0, "$type: damaged text is read or refused") or diag substr($err, 0, 500);
		$total += 2 * $many;
		# one that was lost is worth more than the rest
		last if $rc;
	}
	my $where = "FROM text_$type WHERE read NOT LIKE 'refused%'";
	note $node->safe_psql('postgres', "SELECT '$type', substr(read, 1, 13), count(*) FROM text_$type
		WHERE read LIKE 'refused%' GROUP BY 2 ORDER BY 2");
	is($node->safe_psql('postgres',
		"SELECT string_agg(input || ' ' || read || ' ' || read_jsonb, E'\\n')
		 FROM (SELECT *
			   FROM text_$type
			   WHERE read ~ '^refused (XX|57|53|P0|42|58)' OR read_jsonb ~ '^refused (XX|57|53|P0|42|58)'
			   LIMIT 5) q"),
		'', "$type: no internal error");
	is($node->safe_psql('postgres',
		"SELECT string_agg(input || ' ' || read || ' ' || read_jsonb, E'\\n') FROM (SELECT * FROM text_$type
		WHERE CASE WHEN read_plain LIKE 'refused%' THEN read_jsonb NOT LIKE 'refused%' ELSE read_jsonb <> read_plain END
			LIMIT 5) q"),
		'', "$type: jsonb is read as its text is");
	is($node->safe_psql('postgres',
		"SELECT string_agg(read, E'\\n') FROM (SELECT read $where AND read::$type\::text <> read LIMIT 5) q"),
		'', "$type: what was read as text is written as it is read");
	if ($node->pg_version >= 16)
	{
		is($node->safe_psql('postgres',
			"SELECT string_agg(input, E'\\n')
			 FROM (SELECT input
				   FROM text_$type
				   WHERE pg_input_is_valid(input, '$type') <> (read NOT LIKE 'refused%') LIMIT 5) q"), '',
			"$type: and pg_input_is_valid says so");
	}
	is($node->safe_psql('postgres',
		"COPY (SELECT read::$type $where) TO '$directory/$type' (FORMAT binary);
		CREATE TABLE again_$type (v $type);
		COPY again_$type FROM '$directory/$type' (FORMAT binary);
		SELECT count(*) - (SELECT count(*) FROM again_$type) $where; SELECT count(*)
			FROM (SELECT read $where EXCEPT SELECT v::text FROM again_$type) q"), "0\n0",
			"$type: and is taken from the wire");

	# --- the wire: one COPY each, in one session a batch ---
	@sound = sound_bytes($node, $type);
	$node->safe_psql('postgres', "CREATE TABLE wire_$type (v $type)");
	my $refused = 0;
	my %errors;
	for (my $done = 0; $done < $rounds; $done += $batch)
	{
		my $many = $rounds - $done < $batch ? $rounds - $done : $batch;
		my $script = '';

		foreach my $i (1 .. $many)
		{
			my $bytes = mutated($sound[ rand @sound ], 0);

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
	is($node->safe_psql('postgres', "SELECT count(*) FROM wire_$type"), $rounds - $refused,
		"$type: each was taken or refused ($refused refused)");
	is($node->safe_psql('postgres',
		"SELECT string_agg(v || ' ' || again, E'\\n')
		 FROM (SELECT v::text, read(v::text, '$type') AS again FROM wire_$type) q
		 WHERE v <> again"), '', "$type: what was taken is read as text");
	# send, equality and hash know one form alone
	is($node->safe_psql('postgres',
		"SELECT count(*) FROM wire_$type WHERE CASE WHEN read(v::text, '$type') LIKE 'refused%' THEN false
		ELSE clv_internal.$type\_send(v) <> clv_internal.$type\_send(v::text::$type) OR v <> v::text::$type
			OR clv_internal.$type\_hash(v) <> clv_internal.$type\_hash(v::text::$type)
			OR v::jsonb::$type <> v END"), '0', "$type: and is the same value");
	$node->safe_psql('postgres', 'DROP TABLE given');
}
note "$total mutations";
stop_standing($node);
done_testing();
