# Whatever the bytes of a model, text or binary: it is read and predicts, or it is refused; the server runs on.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $mutations = 3000;
srand(20);

my $node = PostgreSQL::Test::Cluster->new('mutations');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nlog_min_messages = panic");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	CREATE TABLE sound (model clv_model);
	INSERT INTO sound VALUES ('{"version": 1, "time_unit": "7 days", "as_of": "1997-09-30", "occasion": 1,
		"purchase": {"family": "mbg/nbd", "parameters": {"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5},
			"customers": 2357, "skipped": 3, "converged": true, "log_likelihood": -9582.5,
				"gradient_norm": 1e-9, "iterations": 6,
			"covariance": [[0.0025], [0.001, 0.01], [0, 0, 0.04], [0, 0, 0.03, 0.0625]]},
		"spend": {"family": "gamma/gamma", "parameters": {"p": 6, "q": 4, "gamma": 16}, "basis": "all",
			"customers": 946,
			"skipped": 2, "converged": true, "log_likelihood": -4056.25, "iterations": 9,
				"frequency_spend_correlation": 0.125}}');
	CREATE TABLE accepted (model clv_model);
	CREATE TABLE history AS SELECT clv_history(day, amount) AS history
	FROM (VALUES (date '1997-01-01', 29.33), ('1997-01-18', 29.73), ('1997-08-02', 14.96)) v (day, amount)});
my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
my $directory = PostgreSQL::Test::Utils::tempdir_short();
$node->safe_psql('postgres', "COPY sound TO '$directory/sound' (FORMAT binary)");
my $sound = slurp_file("$directory/sound", 0);

# COPY's header is 19 bytes, then come the number of fields and the length of the one; its trailer is 2 bytes.
my $head = substr($sound, 0, 21);
my $value = substr($sound, 25, -2);
is(length($sound), 21 + 4 + length($value) + 2, 'the file has the shape this test expects');
is(unpack('N', substr($sound, 21, 4)), length($value), 'and one field');

# mutated(BYTES, REPLACEMENT): one to three places cut, doubled, swapped or overwritten
sub mutated
{
	my ($bytes, $replacement) = @_;

	foreach (1 .. 1 + int(rand(3)))
	{
		my $at = int(rand(length($bytes)));
		my $how = rand();

		if ($how < 0.6) { substr($bytes, $at, 1, $replacement->()); }
		elsif ($how < 0.7) { substr($bytes, $at, 1 + int(rand(16)), ''); }
		elsif ($how < 0.8) { $bytes = substr($bytes, 0, $at) }
		elsif ($how < 0.9) { substr($bytes, $at, 0, substr($bytes, int(rand(length($bytes))), 1 + int(rand(16)))); }
		else { substr($bytes, $at, 8, join('', map { $replacement->() } 1 .. 8)); }
		$bytes = $replacement->() if $bytes eq '';
	}
	return $bytes;
}

# serves(NAME): every model that was taken in is canonical, can be compared, and predicts or says why not
sub serves
{
	my ($name) = @_;

	my ($rc, $out, $err) = $node->psql('postgres', q{
		CREATE FUNCTION pg_temp.predicts(clv_model) RETURNS bool LANGUAGE plpgsql AS $$
		BEGIN
			PERFORM p.*, clv_log_likelihood($1, h.history, '1997-09-30'), clv_p_alive($1, 3, 2, 4),
				clv_expected_purchases($1, 3, 2, 4, 10)
			FROM history h, clv_predict($1, h.history, discount_rate => 0.1, as_of => '1997-09-30', level => 0.9) p;
			RETURN true;
		EXCEPTION WHEN invalid_parameter_value OR numeric_value_out_of_range THEN
			RETURN true;
		END $$;
		SELECT count(*), count(*) FILTER (WHERE model::text::clv_model = model AND model::jsonb::clv_model = model
			AND NOT clv_diagnostics(model) IS NULL AND pg_temp.predicts(model)) FROM accepted});
	is($rc, 0, "$name: the models taken in can be read") or diag $err;
	my ($taken, $good) = split /\|/, $out;
	is($good, $taken, "$name: and serve");
	$node->safe_psql('postgres', 'TRUNCATE accepted');
	return $taken;
}

my $script = '';
foreach my $i (1 .. $mutations)
{
	my $bytes = mutated($value, sub { chr(int(rand(256))) });

	open my $file, '>:raw', "$directory/m$i" or die "$directory/m$i: $!";
	print $file $head, pack('N', length($bytes)), $bytes, pack('n', 0xffff);
	close $file;
	$script .= "COPY accepted FROM '$directory/m$i' (FORMAT binary);\n";
}
my ($rc, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);
is($rc, 0, 'binary: the session lives on');
my @refused = $err =~ /^psql.*ERROR:/mg;
my $taken = serves('binary');
is($taken + @refused, $mutations, "binary: each is taken in or refused ($taken and " . @refused . ')');

my $text = $node->safe_psql('postgres', 'SELECT model FROM sound');
$script = '';
foreach my $i (1 .. $mutations)
{
	my $bytes = mutated($text, sub { substr('0123456789{}[],:."eE+-abnrtu/ \\', int(rand(31)), 1) });

	$script .= "INSERT INTO accepted SELECT \$m\$$bytes\$m\$;\n";
}
($rc, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);
is($rc, 0, 'text: the session lives on');
@refused = $err =~ /^psql.*ERROR:/mg;
$taken = serves('text');
is($taken + @refused, $mutations, "text: each is taken in or refused ($taken and " . @refused . ')');

# all there is to say of a sound one
is($node->safe_psql('postgres', "COPY accepted FROM '$directory/sound' (FORMAT binary);
	SELECT a.model = s.model FROM accepted a, sound s"), 't', 'unchanged, it is read');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server never went down');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP/, 'and no backend did');

$node->stop;
done_testing();
