# Every function and aggregate with whatever its types allow: a result or an error that says what is wrong, soon.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $calls = $ENV{CLV_NONSENSE_CALLS} // 2400;
my $seed = $ENV{CLV_NONSENSE_SEED} // 602;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('nonsense');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nlog_min_messages = panic\nlog_min_error_statement = panic");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	CREATE TABLE orders AS
	SELECT i % 40 AS customer_id, date '2020-01-01' + i * 7 % 500 AS ordered_at, (i % 13)::numeric AS amount
	FROM generate_series(1, 200) i;
	CREATE TABLE customer AS SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders GROUP BY 1;
	CREATE TABLE nothing AS SELECT * FROM customer WHERE false;
	CREATE FUNCTION attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		result text;
		why text;
	BEGIN
		EXECUTE call INTO result;
		RETURN '00000';
	EXCEPTION WHEN query_canceled OR assert_failure OR OTHERS THEN
		GET STACKED DIAGNOSTICS why = MESSAGE_TEXT;
		RETURN sqlstate || ' ' || left(replace(why, E'\n', ' '), 150);
	END $$});

my @histories = map { "$_\::clv_history" } (
	q{'{"occasion":1,"days":[]}'}, q{'{"occasion":1,"days":[["2020-01-01",29.33],["2020-03-02",-11.77,"refund"]]}'},
	q{'{"occasion":1,"days":[["2020-01-01",10],["2020-02-01",20],["2021-01-01",0]]}'}, q{'{"occasion":7,"days":[["2020-01-05",1]]}'},
	q{'{"occasion":1,"days":[["2020-03-02",-11.77,"refund"]]}'}, q{'{"occasion":1,"days":[["0001-01-01",1e30],["9999-12-31",1]]}'},
	q{'{"days":3}'});
push @histories, q{(SELECT history FROM customer WHERE customer_id = 7)}, q{(SELECT history FROM nothing)},
	q{(SELECT clv_history(date '2020-01-01' + i, 1e15) FROM generate_series(1, 900) i)};
my %parameters = (
	'mbg/nbd' => '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', 'bg/nbd' => '{"r": 0.24, "alpha": 4.4, "a": 0.8, "b": 2.4}',
	'pareto/nbd' => '{"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}',
	'ggompertz/nbd' => '{"r": 0.55, "alpha": 10.6, "b": 0.0002, "s": 0.6, "beta": 0.03}',
	'bg/bb' => '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.78}', 'sbg' => '{"gamma": 0.7, "delta": 1.2}',
	'gamma/gamma' => '{"p": 6, "q": 4, "gamma": 15}');
my @models = map { "clv_model('$_', '$parameters{$_}'" . ($_ eq 'gamma/gamma' ? ')' : ", '1 week', '2021-06-01')") } sort keys %parameters;
my $spend = q{clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}')};
push @models, (map { "$_ || $spend" } grep { !/gamma\/gamma/ } @models),
	q{clv_model('mbg/nbd', '{"r": 1e-300, "alpha": 1e300, "a": 1e-300, "b": 1e300}', '1 day', '2021-06-01')},
	q{clv_model('pareto/nbd', '{"r": 1e8, "alpha": 1e-8, "s": 1e8, "beta": 1e-8}', '1 day')},
	q{clv_model('bg/nbd', '{"r": 1e6, "alpha": 1e-6, "a": 1e-9, "b": 1e6}', '1000 years', '5000-01-01')},
	q{clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2021-06-01', '[{"name": "g", "transaction": 0.3, "dropout": -900}]')},
	q{'{"version": 1}'::clv_model}, q{(SELECT clv_fit(history) FROM customer)};
my @numbers = ('0', '-0.0', '-1', '1', '2', '3.5', '39', '0.5', '1e300', '1e-300', '5e-324', '-1e300', '1e6', '1e9', '0.999999999999', q{'NaN'}, q{'Infinity'}, q{'-Infinity'});
my @jsonb = (q{'{}'}, q{'[]'}, 'NULL', q{'null'}, '\'""\'', q{'0'}, q{'1e400'}, q{'{"version": 1}'}, q{'[[[[[]]]]]'}, q{'{"model": "pareto/nbd"}'},
	q{'{"r": 1, "alpha": 1, "a": 1, "b": 1}'}, q{'{"trend": 1, "share": "x"}'}, q{'{"occasion":1,"days":[["2020-01-01",29.33]]}'},
	q{clv_options()}, q{clv_options(model => 'bg/bb', time_unit => '1 day')}, q{clv_options(model => 'pareto/nbd', max_iterations => 1)},
	q{clv_options(model => 'rfmtc', clamp => true)}, q{clv_options(model => 'sbg', time_unit => '30 days')}, q{clv_options(model => 'auto', spend => 'none')},
	q{clv_options(covariates => '{g}', penalty => 1e9)}, q{clv_options(as_of => '0001-01-01')},
	q{(SELECT clv_cells(history)::jsonb FROM customer)}, q{(SELECT jsonb_agg(i) FROM generate_series(1, 5000) i)});
my @integers = (0, 1, 2, 5, 7, -1, 100, 32767, 2147483647, '(-2147483647 - 1)');
my @dates = map { "'$_'" } qw(2021-06-01 2020-03-02 2020-01-01 infinity -infinity 0001-01-01 5874897-12-31 9999-12-31), '4713-01-01 BC';
my %constants = (
	'clv_history' => \@histories,
	'clv_model' => \@models,
	'double precision' => \@numbers,
	'real' => [0, 1, -1, q{'NaN'}, q{'Infinity'}, '1e38', '1e-45'],
	'numeric' => [0, 1, -1, '1e100', '1e-100', q{'NaN'}, q{'Infinity'}, '0.1', '12345678901234567890.123456789', '1e20000', '1e-16000'],
	'bigint' => [0, 1, -1, '9223372036854775807', '(-9223372036854775807 - 1)'],
	'bigint[]' => [q{'{1,2,3}'}, q{'{0,0,0}'}, q{'{}'}, q{'{1,2}'}, q{'{1,2,NULL}'}, q{'{{1,2,3}}'}, q{'{-1,0,1}'}, q{'{9223372036854775807,9223372036854775807,1}'}],
	'integer' => \@integers,
	'oid' => [0, 16, 23, 4294967295, q{'clv_history'::regtype}],
	'regclass' => [q{'orders'}, q{'customer'}, 0, 4294967295],
	'boolean' => [qw(true false)],
	'date' => \@dates,
	'timestamp without time zone' => [q{'2020-01-01 23:59:59.999999'}, q{'infinity'}, q{'-infinity'}, q{'294276-12-31'}, q{'4713-01-01 BC'}],
	'timestamp with time zone' => [q{'2020-01-01 23:59:59.999999+14'}, q{'infinity'}, q{'-infinity'}, q{'294276-12-31+0'}, q{'4714-11-24 BC UTC'}],
	'interval' => [map { "'$_'" } '0', '1 year', '1 week', '70 days', '30 days', '-1 day', '1 mon -30 days', '178000000 years', '-178000000 years', '0.000001 s', '1 day 1 us', '2147483647 days', '10000 years'],
	'text' => [map { "'$_'" } '', ' ', 'orders', 'customer', 'nothing', 'no_such', 'history', 'customer_id', 'ordered_at', 'amount', 'rfm', 'rf', 'abc', 'potential', 'lifecycle', 'micro', 'value x satisfaction', '[]', '[',
		'[{"segment": "a", "r": [1, 5]}]', '[{"segment": 3}]', '{"a": 1}', 'pg_class', '"', 'a.b.c.d', '; DROP TABLE orders', 'auto', 'mbg/nbd', 'bg/bb', 'sbg', 'rfmtc', 'none', 'all', 'repeat', 'gamma/gamma', 'SELECT 1', ('x' x 70), ('[' x 9000)],
	'text[]' => [q{'{}'}, q{'{NULL}'}, q{'{a,a}'}, q{'{""}'}, q{'{{a},{b}}'}, q{'{g}'}],
	'double precision[]' => [q{'{}'}, q{'{NULL}'}, q{'{1}'}, q{'{NaN}'}, q{'{Infinity,1}'}, q{'{{1,2},{3,4}}'}, q{'[0:0]={1}'}, q{'{1e300}'}, q{array_fill(1.0::float8, ARRAY[3000])}],
	'jsonb' => \@jsonb,
	'clv_cells' => [q{(SELECT clv_cells(history) FROM customer)}, q{(SELECT clv_cells(history) FROM nothing)}, q{'{"version": 1}'}, q{'x'},
		q{(SELECT clv_cells(1, 2, 3, 4))}, q{(SELECT clv_cells(history, clv_options(model => 'bg/bb', time_unit => '1 day')) FROM customer)},
		q{(SELECT clv_cells(i % 3, i % 3 * 2, 9, 3, i % 2 = 0, clv_options(model => 'rfmtc')) FROM generate_series(1, 50) i)}],
	'clv_cuts' => [q{(SELECT rfmtc_cuts(history, '2021-06-01') FROM customer)}, q{(SELECT rfmtc_cuts(history, '2021-06-01', clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2021-06-01')) FROM customer)}, q{'{}'}, q{'{"version": 1, "bins": 5}'}],
	'clv_scores' => ['(1,1,1,1,1,1)', '(5,5,5,5,NULL,NULL)', '(0,-1,32767,9,9,9)', '(NULL,NULL,NULL,NULL,NULL,NULL)', '(3,2,4,5,1,2)'],
	'cstring' => [map { "'$_'" } '', '{', '{}', 'x', '{"version": 1}', '{"occasion":1,"days":[["2020-01-01",1]]}', ('[' x 9000), '{"occasion":1,"days":[["2020-02-30",1]]}', '{"occasion":0}', '{"version": 99999999999}', '{"a":"\\u0000"}']);

# function: name, kind, returns cstring, types of arguments; pipelines run what they are told, so they are not told nonsense
my @functions = map { [split /\|/, $_, -1] } split /\n/, $node->safe_psql('postgres', q{
	SELECT p.proname, p.prokind, p.prorettype = 'cstring'::regtype,
		   (SELECT string_agg(format_type(t, NULL), ';' ORDER BY n) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a (t, n))
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'clv'
	WHERE 'internal'::regtype <> ALL (p.proargtypes::oid[]) AND p.prorettype NOT IN ('internal'::regtype, 'trigger'::regtype)
	  AND p.prokind <> 'p' AND p.proname NOT LIKE 'clv\_pipeline\_%'
	ORDER BY p.proname, p.oid});
cmp_ok(scalar(@functions), '>', 150, 'there are functions to call');
my %missing = map { $_ => 1 } grep { !$constants{$_} } map { split /;/, $_->[3] } @functions;
is(join(', ', sort keys %missing), '', 'and constants of every type they take');

# argument(TYPE, SANE): a constant; mostly the first ones of a list where SANE
sub argument
{
	my ($type, $sane) = @_;
	my $list = $constants{$type};

	return "NULL::$type" if rand() < ($sane ? 0.02 : 0.08);
	my $value = $list->[int(rand($sane ? (@$list + 2) / 3 : @$list))];
	return $type eq 'clv_scores' ? "'$value'::clv_scores" : $type eq 'cstring' ? "$value\::cstring" : "($value)::$type";
}

my (@queries, %called);
foreach my $i (0 .. $calls - 1)
{
	my ($name, $kind, $cstring, $types) = @{$functions[$i % @functions]};
	my $sane = rand() < 0.5;
	my $call = "$name(" . join(', ', map { argument($_, $sane) } split /;/, $types) . ')';

	$call .= ' OVER ()' if $kind eq 'w';
	my $from = $kind eq 'f' ? '' : ' FROM generate_series(1, ' . (0, 1, 3, 50)[int(rand(4))] . ')';
	push @queries, $cstring eq 't' ? "SELECT $call" : "SELECT pg_catalog.string_agg(r::text, '') FROM (SELECT $call AS r$from LIMIT 500) s";
}

my $started = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
my $script = "SET client_min_messages = error; SET statement_timeout = '5s';\n"
	. join('', map { "SELECT $_ || ' ' || attempt(\$nonsense\$$queries[$_]\$nonsense\$);\n" } 0 .. $#queries);
my ($rc, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);
is($rc, 0, 'the session stands to the end');
my (%answered, %states, @bad);
foreach my $line (split /\n/, $out)
{
	my ($i, $state, $why) = $line =~ /^(\d+) (\w{5})(?: (.*))?$/ or next;
	$answered{$i} = 1;
	$states{$state}++;
	# a name of too many parts is a syntax error by PostgreSQL's own reading of names; any other would be in a statement of ours
	push @bad, "$state $why: $queries[$i]"
		if $state =~ /^(XX|57|53|P0004|42883|42601|58)/ && $why !~ /^improper (relation|qualified) name/;
}
is(scalar(keys %answered), scalar(@queries), 'every call is answered')
	or diag 'first without an answer: ' . join("\n", grep { defined } map { $queries[$_] } (grep { !$answered{$_} } 0 .. $#queries)[0 .. 2]), "\n", substr($err, 0, 2000);
is(scalar(@bad), 0, "none by an internal error, none too late, seed $seed") or diag join("\n", map { substr($_, 0, 900) } @bad[0 .. ($#bad < 14 ? $#bad : 14)]);
cmp_ok($states{'00000'} // 0, '>', $calls / 5, 'many have a result');
note join(', ', map { "$_: $states{$_}" } sort keys %states);
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started, 'the server never went down');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP/, 'and no backend did');

$node->stop;
done_testing();
