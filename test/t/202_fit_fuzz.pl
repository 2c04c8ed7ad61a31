# Damaged cells, as text and on the wire, are refused or are sound: never a crash, and never a value that does not
# come back as it is.

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
	"jit = off\nfsync = off\nlog_min_messages = log\nlog_min_error_statement = panic");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION clv;
CREATE TABLE sound AS
SELECT 1 AS id, clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0) AS c
	FROM generate_series(1, 40) x
UNION ALL
SELECT 2, clv_cells(h, clv_options(as_of => '2020-06-30', model => 'bg/nbd', start =>
                       clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week')))
  FROM (SELECT clv_history(date '2020-01-01' + i * (1 + c % 5), c + i / 7.0::numeric(5,2)) AS h
          FROM generate_series(1, 40) c, generate_series(0, 3) i WHERE i <= c % 4 GROUP BY c) q
UNION ALL
SELECT 3,
	   clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0,
		   clv_options(covariates => '{z,longer name}', penalty => 0.01, start =>
					   clv_model('mbg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week',
						   covariates => '[{"name": "z", "churn": 0.5}]')),
                    ARRAY[x % 3, x / 8.0]) FROM generate_series(1, 40) x
UNION ALL
SELECT 4, clv_cells(h, clv_options(model => 'sbg', as_of => '2020-01-20', time_unit => '3 days', grace => '1 day'))
  FROM (SELECT clv_history(date '2020-01-01' + i * (1 + c % 5), c + i / 7.0::numeric(5,2)) AS h
          FROM generate_series(1, 40) c, generate_series(0, 3) i WHERE i <= c % 4 GROUP BY c) q
UNION ALL
SELECT 6,
	   clv_cells(h,
		   clv_options(model => 'sbg', as_of => '2021-01-20', time_unit => '1 month', periods => 'calendar'))
  FROM (SELECT clv_history(date '2020-01-01' + 31 * i * (1 + c % 5), c + i / 7.0::numeric(5,2)) AS h
          FROM generate_series(1, 40) c, generate_series(0, 3) i WHERE i <= c % 4 GROUP BY c) q
UNION ALL
SELECT 7, clv_cells(h, clv_options(model => 'bdw', as_of => '2020-02-20', time_unit => '3 days'))
  FROM (SELECT clv_history(date '2020-01-01' + i * (1 + c % 5), c + i / 7.0::numeric(5,2)) AS h
          FROM generate_series(1, 40) c, generate_series(0, 3) i WHERE i <= c % 4 GROUP BY c) q
UNION ALL
SELECT 8, clv_cells(h, clv_options(covariates => '{z}', as_of => '2020-03-01'), ARRAY[c % 2]::float8[], path)
  FROM (SELECT c, clv_history(date '2020-01-01' + i * (1 + c % 5), c + i / 7.0::numeric(5,2)) AS h
          FROM generate_series(1, 40) c, generate_series(0, 3) i WHERE i <= c % 4 GROUP BY c) q
       JOIN (SELECT c, clv_calendar(date '2020-01-01' + 20 * i, ARRAY[c * i % 3], '{n}') AS path
               FROM generate_series(1, 40) c, generate_series(0, 3) i GROUP BY c) p USING (c)
UNION ALL
SELECT 5,
	   clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0, x % 3 = 0,
		   clv_options(model => 'rfmtc'))
  FROM generate_series(1, 40) x;
CREATE FUNCTION use(c clv_cells) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		IF c::text::clv_cells <> c OR c::jsonb::clv_cells <> c OR (c - c)::text::clv_cells <> c - c THEN
			RETURN 'comes back different';
		END IF;
	EXCEPTION WHEN OTHERS THEN
		RETURN 'comes back as a different error: ' || SQLERRM;
	END;
	PERFORM clv_fit(c),
		clv_fit(c, jsonb_build_object('model', c::jsonb #>> '{options,model}', 'max_iterations', 5)),
		clv_internal.clv_cells_merge(c, c);
	RETURN 'fitted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION try(damaged text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	c clv_cells;
BEGIN
	c := damaged;
	RETURN use(c);
EXCEPTION WHEN OTHERS THEN
	RETURN 'refused ' || SQLSTATE;
END $$;
CREATE TABLE verdict (how text, verdict text);
SQL
$node->safe_psql('postgres',
	"COPY (SELECT c
			 FROM sound
			WHERE id = $_) TO '" . $node->data_dir . "/sound$_' (FORMAT binary)") foreach 1 .. 7;

# Change something: flip a bit, write an interesting byte, drop, repeat or swap a stretch.
sub damage
{
	my ($value, @interesting) = @_;

	for (1 .. 1 + int(rand 3))
	{
		my $at = int(rand length $value);
		my $length = 1 + int(rand 12);
		my $kind = int(rand 5);

		last if $value eq '';
		if ($kind == 0) { substr($value, $at, 1) = chr(ord(substr($value, $at, 1)) ^ (1 << int(rand 8))); }
		elsif ($kind == 1) { my $new = $interesting[ rand @interesting ]; substr($value, $at, length $new) = $new; }
		elsif ($kind == 2) { substr($value, $at, $length) = ''; }
		elsif ($kind == 3) { substr($value, $at, 0) = substr($value, $at, $length); }
		else { substr($value, $at, $length) = $interesting[ rand @interesting ]; }
	}
	return $value;
}

# ---- text ----
my @numbers = split / /,
	'0 -1 1 2147483647 2147483648 -2147483648 4294967295 9223372036854775807 1e308 1e-320 -0.0 NaN Infinity '
  . 'null true 0x1 1. .5 "" {} [] [[ ]] , : "';
my @sound = map { $node->safe_psql('postgres', "SELECT c FROM sound WHERE id = $_") } 1 .. 7;
my $script = '';
foreach my $round (1 .. $rounds)
{
	my $damaged = damage($sound[ $round % @sound ], @numbers);

	$damaged =~ s/[\0\x80-\xff]/?/g;
	$damaged =~ s/\$/S/g;
	$script .= "INSERT INTO verdict SELECT 'text', try(\$damaged\$$damaged\$damaged\$);\n";
}
my ($rc, $out, $err) = $node->psql('postgres', "SET client_min_messages = error;\n$script");
is($rc, 0, 'the session with damaged text comes to its end') or diag substr($err, 0, 2000);

# ---- wire ----
my @bytes = ("\0", "\xff", "\x7f", "\x80", "\0\0\0\0", "\xff\xff\xff\xff", "\x7f\xff\xff\xff",
	"\x7f\xf0\0\0\0\0\0\0", "\x7f\xf8\0\0\0\0\0\0", "\x80\0\0\0\0\0\0\0");
$script = '';
mkdir $node->data_dir . '/damaged' or die $!;
foreach my $round (1 .. $rounds)
{
	my $whole = slurp_file($node->data_dir . '/sound' . (1 + $round % @sound));
	my $head = 11 + 4 + 4 + 2 + 4;	# signature, flags, extension, fields, length of the value
	my $value = substr($whole, $head, length($whole) - $head - 2);
	# the head and the options are where the damage is worth most
	my $part = $round % 3 == 0 ? length $value : 340;
	my $damaged = damage(substr($value, 0, $part), @bytes) . substr($value, $part);
	my $file = $node->data_dir . "/damaged/$round";

	open my $out, '>:raw', $file or die "$file: $!";
	print $out substr($whole, 0, $head - 4), pack('N', length $damaged), $damaged, "\xff\xff";
	close $out;
	$script .= "COPY damaged FROM '$file' (FORMAT binary);\n";
}
$node->safe_psql('postgres', 'CREATE TABLE damaged (c clv_cells)');
($rc, $out, $err) = $node->psql('postgres', "SET client_min_messages = error;\n$script", on_error_stop => 0);
unlike($err, qr/server closed|terminat|lost/, 'the session with damaged bytes comes to its end');
my $refused = () = $err =~ /ERROR:/g;
is($node->safe_psql('postgres', 'SELECT count(*) FROM damaged'), $rounds - $refused,
	"each is refused or taken ($refused refused)");
$node->safe_psql('postgres', "SET client_min_messages = error; INSERT INTO verdict SELECT 'wire', use(c) FROM damaged");

note $node->safe_psql('postgres', 'SELECT how, verdict, count(*) FROM verdict GROUP BY 1, 2 ORDER BY 1, 2');
is($node->safe_psql('postgres', "SELECT count(*) FROM verdict WHERE verdict LIKE '%different%'"), '0',
	'what was taken comes back as it is');
is($node->safe_psql('postgres', "SELECT count(*) FROM verdict WHERE verdict LIKE '%XX%'"), 0, 'no internal errors');
cmp_ok($node->safe_psql('postgres',
	"SELECT count(*) FROM verdict WHERE how = 'text' AND verdict LIKE 'refused%'"), '>', $rounds / 3,
	'damaged text is mostly refused');
cmp_ok($refused, '>', $rounds / 10, 'damaged bytes are often refused');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'no backend died');

$node->stop;
done_testing();
