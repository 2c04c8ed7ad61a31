# Whatever the bytes of cut points, text or binary: they are read and score, or are refused; the server runs on.
# And a cancel reaches the functions that read a whole population.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $mutations = 2000;
srand(23);

my $node = PostgreSQL::Test::Cluster->new('cuts');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nlog_min_messages = panic");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	CREATE TABLE sound AS
	SELECT rfmtc_cuts(h, '1997-09-30', clv_model('mbg/nbd', '{"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5}', '1 week',
		'1997-09-30')
		|| clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 16}'), 3) AS cuts
	FROM (SELECT clv_history(date '1997-01-01' + i % 7 * k * 5, i * 1.25) AS h
		  FROM generate_series(1, 50) i, generate_series(0, 3) k GROUP BY i) x;
	CREATE TABLE accepted (cuts clv_cuts)});
my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
my $directory = PostgreSQL::Test::Utils::tempdir_short();

# One row of COPY in binary: 19 bytes of header, 2 for the number of fields, 4 for the length; 2 at the end.
$node->safe_psql('postgres', "COPY sound TO '$directory/sound' (FORMAT binary)");
my $sound = slurp_file("$directory/sound", 0);
my $head = substr($sound, 0, 21);
my $value = substr($sound, 25, -2);
is(unpack('N', substr($sound, 21, 4)), length($value), 'the file has the shape this test expects');
my $text = $node->safe_psql('postgres', 'SELECT cuts FROM sound');

# mutated(BYTES, REPLACEMENT): one to three places overwritten, cut or doubled
sub mutated
{
	my ($bytes, $replacement) = @_;

	foreach (1 .. 1 + int(rand(3)))
	{
		my $at = int(rand(length($bytes)));
		my $how = rand();

		if ($how < 0.7) { substr($bytes, $at, 1, $replacement->()); }
		elsif ($how < 0.85) { substr($bytes, $at, 1 + int(rand(9)), ''); }
		else { substr($bytes, $at, 0, substr($bytes, $at, 1 + int(rand(9)))); }
		last if $bytes eq '';
	}
	return $bytes;
}

# One transaction of savepoints per batch: COPY of the damaged value, kept if it was read.
my $batch = '';
foreach my $i (1 .. $mutations)
{
	my $bytes = mutated($value, sub { chr(int(rand(256))) });
	append_to_file("$directory/b$i", $head . pack('N', length($bytes)) . $bytes . "\xff\xff");
	$batch .= "COPY accepted FROM '$directory/b$i' (FORMAT binary);\n";
}
$node->psql('postgres', $batch, on_error_stop => 0);
my $binary = $node->safe_psql('postgres', 'SELECT count(*) FROM accepted');
ok($binary < $mutations, "of $mutations damaged values in binary, " . ($mutations - $binary) . ' were refused');

$batch = '';
my @tokens = (0 .. 9, '-', '.', '"', '[', ']', '{', '}', ',', ':', 'e', 'n', ' ');
foreach my $i (1 .. $mutations)
{
	my $damaged = mutated($text, sub { $tokens[ rand @tokens ] });
	$damaged =~ s/\$/ /g;
	$batch .= "INSERT INTO accepted VALUES (\$x\$$damaged\$x\$);\n";
}
$node->psql('postgres', $batch, on_error_stop => 0);
my $both = $node->safe_psql('postgres', 'SELECT count(*) FROM accepted');
ok($both - $binary < $mutations, "of $mutations damaged texts, " . ($mutations - $both + $binary) . ' were refused');

# What was read is sound: it survives both forms, and scores within its bins (or says why it cannot).
is($node->safe_psql('postgres',
	'SELECT count(*) FROM accepted WHERE cuts::text::clv_cuts <> cuts OR cuts::jsonb::clv_cuts <> cuts'),
	'0', 'what was accepted survives text and jsonb');
is($node->safe_psql('postgres', q{
	CREATE FUNCTION scored(cuts clv_cuts) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE s clv_scores;
	BEGIN
		s := rfmtc_score('{"occasion":1,"days":[["1997-01-01",10],["1997-03-01",20]]}'::clv_history, cuts,
			'1997-09-30');
		IF s IS NULL OR least(s.r, s.f, s.m, s.t, s.c, s.v) < 1
		   OR greatest(s.r, s.f, s.m, s.t, s.c, s.v) > coalesce((cuts::jsonb->>'bins')::int, 100) THEN
			RETURN 'out of range';
		END IF;
		RETURN 'scored';
	EXCEPTION WHEN OTHERS THEN
		RETURN CASE WHEN SQLERRM LIKE '% is not a number%' OR SQLSTATE LIKE '22%' THEN 'refused' ELSE SQLERRM END;
	END $$;
	SELECT count(*) FROM accepted WHERE scored(cuts) NOT IN ('scored', 'refused')}), '0', 'and scores within its bins');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server never went down');

# --- cancel: within a second of a large population ---
$node->safe_psql('postgres', q{
	CREATE TABLE many AS SELECT i, clv_history(date '2020-01-01' + i % 300, i % 97) AS h
		FROM generate_series(1, 300000) i GROUP BY i});
foreach my $query (
	q{SELECT count(s) FROM (SELECT rfmtc_score(a.h, as_of => '2021-01-01') OVER () AS s
		FROM many a, generate_series(1, 40)) x},
	'SELECT rfmtc_cuts(a.h, \'2021-01-01\') FROM many a, generate_series(1, 40)')
{
	my $begun = time;
	my ($rc, $out, $err) = $node->psql('postgres', "SET statement_timeout = '700ms'; $query");
	like($err, qr/canceling statement due to statement timeout/, 'cancelled');
	cmp_ok(time - $begun, '<', 5, 'soon');
}

$node->stop;
done_testing();
