# Text, JSON and bytes of a type hold the same values: whatever is taken in in one form comes back through all of
# them, to the byte, and bytes that are not the one form of their value are refused.
#
#   CLV_FUZZ_ROUNDS   mutations of each form of each type (default 1500)      CLV_FUZZ_SEED   to repeat a run

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use Fuzzing qw(fuzzed_server stop_standing);
use Mutants qw(make_sound sound_texts sound_bytes mutated try_bytes try_texts forms_agree);
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{CLV_FUZZ_ROUNDS} // 1500;
my $seed = $ENV{CLV_FUZZ_SEED} // 4711;
srand($seed);
note "CLV_FUZZ_ROUNDS=$rounds CLV_FUZZ_SEED=$seed";

my $node = fuzzed_server('forms', "log_min_messages = log\nlog_error_verbosity = verbose\n");
my $directory = PostgreSQL::Test::Utils::tempdir_short();
my @types = make_sound($node);

is("@types", 'clv_calendar clv_cells clv_cuts clv_history clv_model clv_population clv_sums', 'the types');
foreach my $type (@types)
{
	my @texts = sound_texts($node, $type);
	my @values = sound_bytes($node, $type);
	my $refused;

	# the first are as they should be
	$refused = () = try_bytes($node, $type, $directory, @values,
		map { mutated($values[ $_ % @values ], 0) } 1 .. $rounds) =~ /ERROR: /g;
	is($node->safe_psql('postgres', "SELECT count(*) FROM taken_$type") + $refused, $rounds + @values,
		"$type: bytes are taken in or refused ($refused)");
	is($node->safe_psql('postgres', "SELECT count(*) FROM taken_$type WHERE id < " . @values), scalar @values,
		"$type: sound bytes are taken in");
	cmp_ok($refused, '>', $rounds / 3, "$type: damaged bytes are often refused");
	$refused = () = try_texts($node, $type, @texts,
		map { mutated($texts[ $_ % @texts ], 1) } 1 .. $rounds) =~ /ERROR: /g;
	is($node->safe_psql('postgres', "SELECT count(*) FROM texts_$type") + $refused, $rounds + @texts,
		"$type: texts are taken in or refused ($refused)");
	cmp_ok($refused, '>', $rounds / 3, "$type: damaged texts are often refused");
	is(forms_agree($node, $type, $directory), '', "$type: what was taken in is the same in every form");
}
unlike(slurp_file($node->logfile), qr/ERROR:  XX/, 'no internal error');

# bytes that mean a value without being its form: other NaNs, negative zeros, fields of parts that are not there
my %other = (
	clv_model => [[ 'log-likelihood -0', 'c0c2b74000000000' => '8000000000000000' ],
		[ 'a NaN of its own', 'c0c2b74000000000' => '7ff8000000000001' ],
		[ 'an infinite log-likelihood', 'c0c2b74000000000' => 'fff0000000000000' ],
		[ 'a covariance of -0', '3fa47ae147ae147b0000000000000000' => '3fa47ae147ae147b8000000000000000' ],
		[ 'centres that are all 0', '4014000000000000' => '0000000000000000' ],
		[ 'a centre of -0', '4014000000000000' => '8000000000000000' ] ],
	clv_calendar => [ [ 'a value of -0', '00000000000000003ff0000000000000' => '80000000000000003ff0000000000000' ],
		[ 'an end that is not there', '00000007000000000000000002' => '00000007000000000100000002' ],
		[ 'two steps of one value', '00000000000000003ff0000000000000' => '00000000000000000000000000000000' ] ],
	clv_cuts => [ [ 'a cut of -0', '00000000000000004000000000000000' => '80000000000000004000000000000000' ] ]);
$node->safe_psql('postgres',
	q{CREATE TABLE other_clv_cuts AS
	  SELECT '{"version":1,"as_of":"2020-03-01","bins":3,"customers":5,"skipped":0,
		  "recency":[0,2],"frequency":[0,2],"monetary":[0,9],"tenure":[3,4]}'::clv_cuts
			 AS value;
	CREATE TABLE other_clv_calendar AS
	SELECT '{"version":1,"names":["n"],"steps":[["2020-01-01",0],["2020-01-08",1]]}'::clv_calendar AS value;
	CREATE TABLE kept_clv_calendar (value clv_calendar);
	CREATE TABLE other_clv_model AS
	SELECT value FROM sound_clv_model WHERE value::jsonb #>> '{purchase,customers}' = '2358';
	CREATE TABLE kept_clv_model (value clv_model);
	CREATE TABLE kept_clv_cuts (value clv_cuts)});
foreach my $type (sort keys %other)
{
	my $sound = $node->safe_psql('postgres', "SELECT encode(clv_internal.${type}_send(value), 'hex') FROM other_$type");

	foreach my $case (@{ $other{$type} })
	{
		my ($name, $from, $to) = @$case;
		my $at = index $sound, $from;
		my $changed = $sound;

		ok($at > 0 && $at % 2 == 0, "$type: there is a place for $name");
		substr($changed, $at, length $from) = $to;
		open my $file, '>:raw', "$directory/other" or die $!;
		print $file "PGCOPY\n\xff\r\n\0", pack('NN', 0, 0), pack('n', 1), pack('N', length($changed) / 2),
			pack('H*', $changed), pack('n', 0xffff);
		close $file;
		my ($rc, $out, $err) = $node->psql('postgres', "COPY kept_$type FROM '$directory/other' (FORMAT binary)");
		like($err, qr/ERROR:  the bytes of a $type are not in canonical form/, "$type: $name is refused");
	}
}

stop_standing($node);
done_testing();
