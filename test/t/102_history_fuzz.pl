# Damaged bytes and texts: each is refused with an error of its own, or is a history like any other;
# the server never crashes.
#
#   CLV_FUZZ_ROUNDS   mutations of each kind (default 1500)      CLV_FUZZ_SEED   to repeat a run

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{CLV_FUZZ_ROUNDS} // 1500;
my $seed = $ENV{CLV_FUZZ_SEED} // 4711;
srand($seed);
note "CLV_FUZZ_ROUNDS=$rounds CLV_FUZZ_SEED=$seed";

my $node = PostgreSQL::Test::Cluster->new('fuzz');
$node->init;
$node->append_conf('postgresql.conf',
	"jit = off\nfsync = off\nlog_min_error_statement = panic\nlog_min_messages = log");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv; CREATE TABLE caught (h clv_history)');

# Seeds: plain, occasions, refunds, unknown amounts, wide, empty, and one with many days.
my @texts = (
	'{"occasion":1,"days":[["1997-01-01",29.33],["1997-03-02",-11.77,"refund"],["1997-03-05",null]]}',
	'{"occasion":7,"days":[["1996-12-30",29.33],["1997-03-03",5.5,"unknown",300],["2024-12-30",1]]}',
	'{"occasion":1,"days":[["1997-01-01",0.30000000000000004],["1997-01-02",-10.5,"refund"],'
	. '["1997-01-03",null],["1997-01-04",2,"unknown",3]]}',
	'{"occasion":1,"days":[["0044-03-15 BC",9223372036854775806],["2001-01-01",1]]}',
	'{"occasion":1,"days":[]}',
	'{"occasion":1,"days":[' . join(',',
		map { sprintf '["20%02d-%02d-11",%d.%02d]', 10 + $_ / 12, 1 + $_ % 12, $_, $_ } 0 .. 40) . ']}');
my @values = map {
	my $hex = $node->safe_psql('postgres', "SELECT encode(clv_internal.clv_history_send('$_'), 'hex')");
	pack('H*', $hex)
} @texts;

my @tokens = (']', '[', '"', ',', '9', '-', 'e', '.', 'null', '"refund"', '"unknown"', '0', "\xff", "\x80",
	"\x17", "\x00");

# mutate(BYTES): some of them changed, put in, taken out, or cut off
sub mutate
{
	my ($bytes) = @_;

	foreach (0 .. int rand 3)
	{
		my $at = int rand(length($bytes) + 1);
		my $how = int rand 6;

		if ($how == 0) { substr($bytes, $at, 0) = chr int rand 256 }
		elsif ($at >= length $bytes) { next }
		elsif ($how == 1) { substr($bytes, $at, 1) = chr int rand 256 }
		elsif ($how == 2) { substr($bytes, $at, 1) ^= chr(1 << int rand 8) }
		elsif ($how == 3) { substr($bytes, $at, 1 + int rand 3) = '' }
		elsif ($how == 4) { $bytes = substr($bytes, 0, $at) }
		else { substr($bytes, $at, 1) = $tokens[ rand @tokens ] }
	}
	return $bytes;
}

# survived(NAME): the server runs, and has never crashed
sub survived
{
	my ($name) = @_;
	my $log = slurp_file($node->logfile);

	is($node->safe_psql('postgres', 'SELECT 1'), '1', "$name: the server answers");
	unlike($log, qr/terminated by signal|PANIC|server process .* was terminated|TRAP/, "$name: and never fell");
	unlike($log, qr/ERROR:  (XX000|.*invalid memory alloc|.*cache lookup)/, "$name: no internal error");
	return;
}

# --- binary: one COPY a mutation, all in one session ---
my $dir = $node->basedir;
my $script = '';
foreach my $i (1 .. $rounds)
{
	my $bytes = mutate($values[ rand @values ]);
	$bytes = pack('C*', 0x10 + int rand 16, map { int rand 256 } 1 .. int rand 30) if $i % 10 == 0;
	open my $out, '>:raw', "$dir/$i.bin" or die $!;
	print $out "PGCOPY\n\xff\r\n\0", pack('NN', 0, 0), pack('n', 1), pack('N', length $bytes), $bytes,
		pack('n', 0xffff);
	close $out;
	$script .= "\\copy caught FROM '$dir/$i.bin' (FORMAT binary)\n";
}
my ($rc, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);
my $refused = () = $err =~ /ERROR: /g;
my $taken = $node->safe_psql('postgres', 'SELECT count(*) FROM caught');
note "binary: $refused refused, $taken taken";
is($refused + $taken, $rounds, 'binary: every mutation was either refused or taken');
cmp_ok($refused, '>', $rounds / 2, 'binary: most of them refused');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM caught WHERE h::text::clv_history <> h
		OR clv_internal.clv_history_send(h::text::clv_history) <> clv_internal.clv_history_send(h)
		OR clv_purchases(h) < 0 OR clv_first_purchase(h) > clv_last_purchase(h)
		OR (SELECT sum(amount) FROM clv_purchase_log(h)) IS DISTINCT FROM clv_total_spend(h)
		OR (SELECT coalesce(sum(purchase::int), 0) FROM clv_purchase_log(h)) <> clv_purchases(h)
		OR h || ('{"occasion":' || (h::jsonb ->> 'occasion') || ',"days":[]}')::clv_history <> h}),
	'0', 'binary: what was taken is a history like any other');
survived('binary');

# --- text ---
$node->safe_psql('postgres', q{
	CREATE TABLE fuzz (input bytea);
	CREATE FUNCTION read(input bytea) RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		RETURN convert_from(input, 'UTF8')::clv_history::text;
	EXCEPTION WHEN data_exception OR program_limit_exceeded OR invalid_parameter_value THEN
		RETURN NULL;
	END $$});
foreach my $batch (1 .. 10)
{
	$node->safe_psql('postgres', 'INSERT INTO fuzz VALUES ' . join(',',
		map { "('\\x" . unpack('H*', mutate($texts[ rand @texts ])) . "')" } 1 .. $rounds / 10));
}
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM (SELECT read(input) AS h FROM fuzz OFFSET 0) r
		WHERE h IS NOT NULL AND h::clv_history::text <> h}),
	'0', 'text: what was taken is written as it was read');
is($node->safe_psql('postgres', 'SELECT count(read(input)) BETWEEN 1 AND count(*) - 1 FROM fuzz'), 't',
	'text: some were taken and some refused');
survived('text');

$node->stop;
done_testing();
