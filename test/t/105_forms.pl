# Text, JSON and bytes of a type hold the same values: whatever is taken in in one form comes back through all of them, to
# the byte, and bytes that are not the one form of their value are refused.
#
#   CLV_FUZZ_ROUNDS   mutations of each form of each type (default 1500)      CLV_FUZZ_SEED   to repeat a run

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use Mutants qw(mutated try_bytes try_texts forms_agree);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rounds = $ENV{CLV_FUZZ_ROUNDS} // 1500;
my $seed = $ENV{CLV_FUZZ_SEED} // 4711;
srand($seed);
note "CLV_FUZZ_ROUNDS=$rounds CLV_FUZZ_SEED=$seed";

my $node = PostgreSQL::Test::Cluster->new('forms');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nlog_min_messages = log\nlog_min_error_statement = panic");
$node->start;
my $directory = PostgreSQL::Test::Utils::tempdir_short();

# values of every type, with every part that a form has
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION clv;
CREATE TABLE customer AS
SELECT c, clv_history(date '2020-01-01' + i * (1 + c % 5), c + i / 7.0::numeric(5,2)) AS h FROM generate_series(1, 30) c, generate_series(0, 3) i WHERE i <= c % 4 GROUP BY c;
CREATE TABLE sound_clv_history AS
SELECT t::clv_history AS value FROM (VALUES
	('{"occasion":1,"days":[["1997-01-01",29.33],["1997-03-02",-11.77,"refund"],["1997-03-05",null]]}'),
	('{"occasion":7,"days":[["1996-12-30",29.33],["1997-03-03",5.5,"unknown",300],["2024-12-30",1]]}'),
	('{"occasion":1,"days":[["1997-01-01",0.30000000000000004],["1997-01-02",-10.5,"refund"],["1997-01-03",null],["1997-01-04",2,"unknown",3]]}'),
	('{"occasion":1,"days":[["0044-03-15 BC",9223372036854775806],["2001-01-01",1]]}'), ('{"occasion":1,"days":[]}')) v (t);
CREATE TABLE sound_clv_model AS
SELECT '{"version": 1, "time_unit": "7 days", "as_of": "1997-09-30", "occasion": 1,
	"purchase": {"family": "mbg/nbd", "parameters": {"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5}, "customers": 2357, "skipped": 3, "converged": true,
		"log_likelihood": -9582.5, "gradient_norm": 1e-9, "iterations": 6, "covariance": [[0.0025], [0.001, 0.01], [0, 0, 0.04], [0, 0, 0.03, 0.0625]]},
	"spend": {"family": "gamma/gamma", "parameters": {"p": 6, "q": 4, "gamma": 16}, "basis": "all", "customers": 946, "skipped": 2, "converged": true,
		"log_likelihood": -4056.25, "iterations": 9, "frequency_spend_correlation": 0.125},
	"candidates": [{"family": "bg/nbd", "log_likelihood": -9582.75, "bic": 19195.9, "converged": true}, {"family": "pareto/nbd", "converged": false}]}'::clv_model AS value
UNION ALL SELECT clv_model('mbg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 month', covariates => '[{"name": "z", "churn": 0.5}, {"name": "Ünit", "purchase": -0.25}]')
UNION ALL SELECT '{"version": 1, "time_unit": "1 mon", "grace": "3 days", "spend_skipped": 7, "purchase": {"family": "sbg", "parameters": {"alpha": 0.7, "beta": 1.2}}}'
UNION ALL SELECT clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}');
CREATE TABLE sound_clv_cells AS
SELECT clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0) AS value FROM generate_series(1, 9) x
UNION ALL SELECT clv_cells(h, clv_options(as_of => '2020-06-30', model => 'bg/nbd', start => clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week'))) FROM customer
UNION ALL SELECT clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0, clv_options(covariates => '{z,longer name}', penalty => 0.01, start =>
	clv_model('mbg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week', covariates => '[{"name": "z", "churn": 0.5}]')), ARRAY[x % 3, x / 8.0]) FROM generate_series(1, 9) x
UNION ALL SELECT clv_cells(h, clv_options(model => 'sbg', as_of => '2020-01-20', time_unit => '3 days', grace => '1 day')) FROM customer
UNION ALL SELECT clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0, x % 3 = 0, clv_options(model => 'rfmtc')) FROM generate_series(1, 9) x
UNION ALL SELECT clv_cells(h, clv_options(model => 'mbg/cnbd-k', shape_penalty => 0.5, time_unit => '1 month', max_iterations => 9)) FROM customer;
CREATE TABLE sound_clv_cuts AS
SELECT rfmtc_cuts(h, '2020-03-01') AS value FROM customer
UNION ALL SELECT rfmtc_cuts(h, '2020-03-01', clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week') || clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}'), 3) FROM customer;
SQL

# every base type of the extension that has a binary form is among them
is($node->safe_psql('postgres', q{SELECT string_agg(t.typname, ' ' ORDER BY t.typname) FROM pg_type t JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv' WHERE t.typtype = 'b' AND t.typelem = 0}), 'clv_cells clv_cuts clv_history clv_model', 'the types');

foreach my $type (qw(clv_history clv_model clv_cells clv_cuts))
{
	my @texts = split /\n/, $node->safe_psql('postgres', "SELECT value FROM sound_$type");
	my @values = map { pack 'H*', $_ } split /\n/, $node->safe_psql('postgres', "SELECT encode(${type}_send(value), 'hex') FROM sound_$type");
	my $refused;

	# the first are as they should be
	$refused = () = try_bytes($node, $type, $directory, @values, map { mutated($values[ $_ % @values ], 0) } 1 .. $rounds) =~ /ERROR: /g;
	is($node->safe_psql('postgres', "SELECT count(*) FROM taken_$type") + $refused, $rounds + @values, "$type: bytes are taken in or refused ($refused)");
	is($node->safe_psql('postgres', "SELECT count(*) FROM taken_$type WHERE id < " . @values), scalar @values, "$type: sound bytes are taken in");
	cmp_ok($refused, '>', $rounds / 3, "$type: damaged bytes are often refused");
	$refused = () = try_texts($node, $type, @texts, map { mutated($texts[ $_ % @texts ], 1) } 1 .. $rounds) =~ /ERROR: /g;
	is($node->safe_psql('postgres', "SELECT count(*) FROM texts_$type") + $refused, $rounds + @texts, "$type: texts are taken in or refused ($refused)");
	cmp_ok($refused, '>', $rounds / 3, "$type: damaged texts are often refused");
	is(forms_agree($node, $type, $directory), '', "$type: what was taken in is the same in every form");
}
my $log = slurp_file($node->logfile);
unlike($log, qr/terminated by signal|PANIC|TRAP/, 'the server never fell');
unlike($log, qr/ERROR:  (XX|.*invalid memory alloc|.*cache lookup)/, 'no internal error');

# bytes that mean a value without being its form: other NaNs, negative zeros, fields of parts that are not there
my %other = (
	clv_model => [ [ 'log-likelihood -0', 'c0c2b74000000000' => '8000000000000000' ], [ 'a NaN of its own', 'c0c2b74000000000' => '7ff8000000000001' ],
		[ 'an infinite log-likelihood', 'c0c2b74000000000' => 'fff0000000000000' ], [ 'a covariance of -0', '3fa47ae147ae147b0000000000000000' => '3fa47ae147ae147b8000000000000000' ] ],
	clv_cuts => [ [ 'a cut of -0', '00000000000000004000000000000000' => '80000000000000004000000000000000' ] ]);
$node->safe_psql('postgres', q{CREATE TABLE other_clv_cuts AS SELECT '{"version":1,"as_of":"2020-03-01","bins":3,"customers":5,"skipped":0,"recency":[0,2],"frequency":[0,2],"monetary":[0,9],"tenure":[3,4]}'::clv_cuts AS value;
	CREATE TABLE other_clv_model AS SELECT value FROM sound_clv_model LIMIT 1; CREATE TABLE kept_clv_model (value clv_model); CREATE TABLE kept_clv_cuts (value clv_cuts)});
foreach my $type (sort keys %other)
{
	my $sound = $node->safe_psql('postgres', "SELECT encode(${type}_send(value), 'hex') FROM other_$type");

	foreach my $case (@{ $other{$type} })
	{
		my ($name, $from, $to) = @$case;
		my $at = index $sound, $from;
		my $changed = $sound;

		ok($at > 0 && $at % 2 == 0, "$type: there is a place for $name");
		substr($changed, $at, length $from) = $to;
		open my $file, '>:raw', "$directory/other" or die $!;
		print $file "PGCOPY\n\xff\r\n\0", pack('NN', 0, 0), pack('n', 1), pack('N', length($changed) / 2), pack('H*', $changed), pack('n', 0xffff);
		close $file;
		my ($rc, $out, $err) = $node->psql('postgres', "COPY kept_$type FROM '$directory/other' (FORMAT binary)");
		like($err, qr/ERROR:  the bytes of a $type are not in their one valid form/, "$type: $name is refused");
	}
}

$node->stop;
done_testing();
