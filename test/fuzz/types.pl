# Damaged values of every type, as text and in binary form, many thousand a second: each is refused with an error of its
# own, or is a value whose forms agree. test/t/606_mutations.pl does the same by statements, and jsonb besides.
#
#   ROUNDS   mutations of each sound value and form (default 1000)      SEED   to repeat a run

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use Fuzzing qw(fuzzed_server stop_standing);
use Mutants qw(make_sound);
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{ROUNDS} || 1000;
my $seed = $ENV{SEED} || 1;
my $node = fuzzed_server('types');
my @types = make_sound($node);
my $library = PostgreSQL::Test::Utils::tempdir() . '/types.so';
my $include = $node->config_data('--includedir-server');
my $total = 0;

note "ROUNDS=$rounds SEED=$seed";
system_or_bail($ENV{CC} // 'cc', qw(-O1 -g -shared -fPIC -I), $include, '-o', $library,
	"$FindBin::RealBin/types.c");
$node->safe_psql('postgres', "CREATE FUNCTION fuzz(regtype, bytea, boolean, bigint, int) RETURNS text
	LANGUAGE c STRICT AS '$library', 'clv_fuzz_type'");

foreach my $type (@types)
{
	my %form = (text => "convert_to(value::text, 'UTF8')", bytes => "clv_internal.${type}_send(value)");

	foreach my $form (sort keys %form)
	{
		my $is_text = $form eq 'text' ? 'true' : 'false';
		my ($rc, $out, $err) = $node->psql('postgres', "SELECT fuzz('$type', $form{$form}, $is_text,
			$seed + row_number() OVER (ORDER BY value::text), $rounds) FROM sound_$type");
		my @said = split /\n/, $out;
		my $taken = 0;

		is($rc, 0, "$type, $form: the server lives") or diag substr($err, -500);
		is(join("\n", grep { !/^\d+$/ } @said), '', "$type, $form: each is refused, or its forms agree");
		$taken += $_ foreach grep { /^\d+$/ } @said;
		note "$type, $form: ", @said * $rounds, " mutations, $taken taken";
		$total += @said * $rounds;
	}
}
note "$total mutations";
stop_standing($node);
done_testing();
