# Whatever takes long stops at once when it is told to, and the session works on.
#
# What counts is the processor time that the backend takes after the signal (Stopping.pm): it is the same on a machine
# under load.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use Stopping;

# A second of work after the signal is too much; a hundredth is what it takes.
my $too_late = 1;
my $calls = $ENV{CLV_CANCEL_CALLS} // 900;
my $seed = $ENV{CLV_CANCEL_SEED} // 600;
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('cancel');
$node->init;
$node->append_conf('postgresql.conf', "search_path = 'public, clv_internal'\n" .
	"jit = off\nfsync = off\nmax_parallel_workers_per_gather = 0\nwork_mem = '256MB'");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	CREATE TABLE customer AS
	SELECT i AS customer_id,
		   clv_history(date '2020-01-01' + (i * 7919 + k * (1 + i % 90)) % 700,
			   5 + (i * 31 + k) % 50) AS history
	FROM generate_series(1, 2000) i, generate_series(0, 5) k WHERE k <= i % 6 GROUP BY i;
	CREATE TABLE many AS SELECT c.history FROM customer c, generate_series(1, 200);
	CREATE TABLE model AS
	SELECT clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2022-06-01')
		   || clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}') AS model;
	CREATE TABLE answer AS
	SELECT (SELECT clv_history_rollup(history) FROM customer) AS history,
		   (SELECT clv_fit(history) FROM customer) AS model,
		   (SELECT rfmtc_cuts(history, '2022-06-01') FROM customer) AS cuts;
	ANALYZE});
my $session = Stopping->new('psql', '-d', $node->connstr('postgres'));
$session->run('SET client_min_messages = error');

# ---- work that is long because there is much of it ----

# what is canceled, the query, and the processor time (s) it is given first
my @long = (
	['history of many rows',
		q{SELECT count(h)
		  FROM (SELECT clv_history(date '1900-01-01' + i % 5000, 1) AS h
				FROM generate_series(1, 60000000) i GROUP BY i % 97) g}, 0.7],
	['history: the order of one customer',
		q{SELECT clv_purchases(clv_history(date '1000-01-01' + (i * 611953::bigint % 3000017)::int, 1))
		  FROM generate_series(1, 30000000) i}, 2.5],
	['histories of a query: rows coming in',
		q{SELECT count(*)
		  FROM clv_histories('SELECT i, date ''1900-01-01'' + i % 5000
							  FROM generate_series(1, 60000000) i') AS h (customer int, history clv_history)},
		2.5],
	# the rows are in by then, and lie in one partition
	['histories of a query: the making',
		q{SELECT count(*)
		  FROM clv_histories('SELECT 1, date ''1000-01-01'' + (i * 611953::bigint % 3000017)::int, 1
							  FROM generate_series(1, 4000000) i') AS h (customer int, history clv_history)},
		'70 %'],
	['merge of histories', q{SELECT clv_history_rollup(m.history) FROM many m, generate_series(1, 1000)}, 0.5],
	['fit: cells coming in',
		q{SELECT clv_fit(i % 7, 1 + i % 7 + (i % 1000003) / 1e6, 20 + (i % 900001) / 1e6, 3)
		  FROM generate_series(1, 60000000) i}, 1.5],
	# the rows are in by then: these two stop in the fit itself
	['fit: the steps',
		q{SELECT clv_fit(i % 7, (i % 7 > 0)::int * (1 + i % 7 + i / 1e6), 20 + i / 1e6, 3)
		  FROM generate_series(1, 600000) i}, '70 %'],
	['fit: the steps of a heavy model',
		q{SELECT clv_fit(i % 7, (i % 7 > 0)::int * (1 + i % 7 + i / 1e6), 20 + i / 1e6, 3,
					 clv_options(model => 'pareto/nbd'))
		  FROM generate_series(1, 60000) i}, '50 %'],
	['predict',
		q{SELECT sum(p.clv)
		  FROM model m, many c, generate_series(1, 100),
			   clv_predict(m.model, c.history, discount_rate => 0.1, level => 0.9) p}, 0.5],
	['predict: far quantiles',
		q{SELECT sum(clv_value_quantile(m.model, c.history, '900 years', 0.999999))
		  FROM model m, many c, generate_series(1, 100)}, 0.5],
	['purchase curve: many horizons',
		q{SELECT count(clv_purchase_curve(m.model, c.history, h))
		  FROM model m, many c,
			   (SELECT array_agg(i * interval '1 day') AS h FROM generate_series(1, 100000) i) q}, 0.5],
	['calendars',
		q{SELECT count(c)
		  FROM (SELECT clv_calendar(date '2000-01-01' + i, ARRAY[i % 7], '{a}') AS c
				FROM generate_series(1, 90000) i, generate_series(1, 1000) g GROUP BY g) q}, 1.5],
	['fit by paths',
		q{SELECT clv_fit(history, clv_options(model => 'pareto/nbd', spend => 'none', as_of => '2021-12-01'), path)
		  FROM (SELECT clv_calendar(date '2020-01-01' + 7 * w, ARRAY[(hashint4(i * 101 + w) & 7) / 8.0], '{n}') AS path,
					   clv_history(date '2020-01-01' + 7 * w + i % 7) FILTER (
						   WHERE w = 0 OR (hashint4(i * 101 + w) & 31) < 1 + i % 3) AS history
				FROM generate_series(1, 3000) i, generate_series(0, 99) w GROUP BY i) q}, '60 %'],
	# the pairs are in by then: this one stops in their order
	['metrics',
		q{SELECT clv_metrics(i * 611953::bigint % 3000017, i * 7919::bigint % 3000017)
		  FROM generate_series(1, 1500000) i}, '75 %'],
	['score',
		q{SELECT count(s)
		  FROM (SELECT rfmtc_score(c.history, m.model, '2022-06-01') OVER () AS s
				FROM model m, many c) t}, '60 %'],
	['cuts', q{SELECT rfmtc_cuts(c.history, '2022-06-01', m.model) FROM model m, many c, generate_series(1, 100)}, 1.0],
	['total',
		q{SELECT clv_predict_total(m.model, c.history, '1 year', 0.1, 1, '2022-06-01', 0.9)
		  FROM model m, many c, generate_series(1, 100)}, 0.7],
	['back-test',
		q{SELECT count(*)
		  FROM generate_series(1, 1000) i,
			   clv_backtest('many', 'history', date '2021-02-01' + i * 0, '6 months')}, 0.7]);

foreach (@long)
{
	my ($name, $query, $after) = @$_;
	my $stop;

	# a part of the work that it takes to the end, since machines are not equally fast, nor is one at all times: one
	# that has got faster may have come to the end before
	foreach (1 .. 3)
	{
		my $wait = $after =~ /^(\d+) %$/ ? $1 / 100 * $session->stop($query, 'inf')->{before} : $after;

		$stop = $session->stop($query, $wait);
		last if $stop->{state} ne '00000';
	}
	my $right = $session->run(q{
		SELECT (SELECT clv_history_rollup(history) FROM customer) = history
			   AND (SELECT clv_fit(history) FROM customer) = model
			   AND (SELECT rfmtc_cuts(history, '2022-06-01') FROM customer) = cuts FROM answer});

	is($stop->{state}, '57014', "$name: canceled");
	cmp_ok($stop->{after} // 99, '<', $too_late, sprintf('%s: at once (%.2f s of work)', $name, $stop->{after} // 99));
	is($right, 't', "$name: and the answers afterwards are right");
}

# ---- work that is long because of what is asked ----

# ends_or_stops(QUERY, AFTER): it may have an answer, an error that says why not, or be canceled; soon
my @late;
sub ends_or_stops
{
	my ($query, $after) = @_;
	my $stop = $session->stop($query, $after);

	push @late, sprintf('%.2f s: %s', $stop->{after}, $query) if ($stop->{after} // 0) >= $too_late;
	push @late, "$stop->{state} $stop->{message}: $query" if $stop->{state} =~ /^(XX|42|53|58)/;
	return $stop;
}

my %family = (
	'mbg/nbd' => [qw(r alpha a b)], 'bg/nbd' => [qw(r alpha a b)], 'mbg/cnbd-k' => [qw(k r alpha a b)],
	'pareto/nbd' => [qw(r alpha s beta)],
	'pareto/nbd/cor' => [qw(r alpha s beta m)], 'ggompertz/nbd' => [qw(r alpha b s beta)],
	'bg/bb' => [qw(alpha beta gamma delta)],
	'sbg' => [qw(alpha beta)], 'bdw' => [qw(alpha beta c)], 'rfmtc' => [qw(Q g b)]);
my %hostile = ('k' => [1, 2, 8, 32], 'm' => [0, 0.1, -0.1, '1e-8'], 'Q' => ['1e-300', '1e-8', '0.5', '0.999999999']);
my @parameter = ('1e-300', '1e-8', '1e8', '1e300', '1e-8', '1e8', '0.01', '0.5', '2', '1000');
my %by_name = (
	'n' => [0, 7, '1e6', '1e8', '2e9', 2147483647], 'level' => ['0.999999999', '0.5', '1e-9', '0.9'],
	'x' => [0, 5, 1000, 2147483647],
	't_x' => [0, '1e-300', 5, 1000, '1e6'], 't_cal' => [5, 1000, 100000, '1e300'],
	'delta' => [0, '1e-9', '0.1', '1e300', '-1e-9', '-0.1'],
	'discount_rate' => [0, '1e-12', '0.1', '1e300', '-0.5'], 'margin' => [1, '1e300'], 'rate' => [0, '1e-12', '0.1'],
	't' => [1, 100000, '1e9', '1e300'], 'ahead' => [0, 100000, '1e300'], 'mean_spend' => [1, '1e-300', '1e300'],
	'periods' => [1, 100, 100000],
	'bins' => [5, 2147483647], 'p_alive' => ['0.5', '1e-300', '1e-9', '0.999999999'],
	'covariates' => ['NULL'], 'as_of' => ['NULL', q{'2022-06-01'}, q{'5874897-12-31'}],
	'horizon' => { 'interval' => [map { "'$_'" } '1 day', '1 year', '1000 years', '100000 years', '1000000 years'],
				   'double precision' => [1, 1000, 100000, '1e9', '1e300', q{'Infinity'}] });
my %by_type = (
	'clv_history' => [
		q{(SELECT clv_history(date '2020-01-01', 1))},
		q{(SELECT clv_history(date '2000-01-01' + i, 1) FROM generate_series(1, 8000) i)},
		q{(SELECT clv_history(date '2020-01-01' + i * 30, 1e3) FROM generate_series(1, 20) i)},
		q{(SELECT clv_history(date '2020-01-01' + i * 365, 1e3) FROM generate_series(0, 2) i)},
		q{(SELECT clv_history(d, 1) FROM unnest('{4713-01-01 BC,5874897-12-31}'::date[]) d)}],
	'interval' => [map { "'$_'" } '1 day', '1 year', '1000 years', '100000 years'],
	'interval[]' => [q{'{1000 years,1 day}'},
		q{(SELECT array_agg(i * interval '1 day') FROM generate_series(1, 100000) i)}],
	'date' => [q{'2022-06-01'}, q{'5874897-12-31'}], 'boolean' => ['true', 'false'],
	'double precision' => [0, 1, '1e300', '1e-300'], 'integer' => [1, 2147483647], 'bigint' => [1, 1000000000],
	'double precision[]' => ['NULL', q{'{1,2}'}, q{'{-Infinity,0,1e300}'}, q{'{}'},
		q{(SELECT array_agg(i::float8) FROM generate_series(1, 100000) i)}],
	'clv_cuts' => [q{(SELECT cuts FROM answer)}]);

# One of the arguments, by chance.
sub pick
{
	return $_[int(rand(@_))];
}

# A call of clv_model for a family with extreme parameters, in half of the cases joined to a spend model.
sub model
{
	my $name = shift;
	my $parameters = sub { join(', ', map { "\"$_\": " . pick(@{ $hostile{$_} // \@parameter }) } @_) };
	my $unit = pick('1 day', '1 week', '1 year', '1000 years');
	my $model = "clv_model('$name', '{" . $parameters->(@{ $family{$name} }) . "}', '$unit', '2022-06-01')";

	return rand() < 0.5 ? $model : "($model || clv_model('gamma/gamma', '{" . $parameters->(qw(p q gamma)) . "}'))";
}

# An argument of this type and name, cast to the type; the model where it is one.
sub argument
{
	my ($type, $name, $model) = @_;
	my $list = $type =~ /\[\]$/ ? $by_type{$type} : $by_name{$name} // $by_type{$type};

	return $model if $type eq 'clv_model';
	$list = $list->{$type} if ref $list eq 'HASH';
	return pick(@{ $list // ['NULL'] }) . "::$type";
}

# every function that takes a model: name, kind, types and names of arguments
my @functions = map { [split /\|/, $_, -1] } split /\n/, $node->safe_psql('postgres', q{
	SELECT p.proname, p.prokind,
		   (SELECT string_agg(format_type(t, NULL), ';' ORDER BY n)
			FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a (t, n)),
		   array_to_string(p.proargnames, ';')
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'clv'
	WHERE 'clv_model'::regtype = ANY (p.proargtypes::oid[]) AND 'text'::regtype <> ALL (p.proargtypes::oid[])
	  AND 'internal'::regtype <> ALL (p.proargtypes::oid[]) AND p.prokind <> 'p'
		  AND p.proname !~ '^clv_(pipeline|model)_'
	ORDER BY p.proname, p.oid});
cmp_ok(scalar(@functions), '>', 40, 'there are functions that take a model');

my @families = sort keys %family;
my %stopped;
foreach my $i (0 .. $calls - 1)
{
	my ($name, $kind, $types, $names) = @{ $functions[$i % @functions] };
	my $family = $families[int($i / @functions) % @families];
	my $model = model($family);
	my @types = split /;/, $types;
	my @names = split /;/, $names // '';
	my $call = "$name(" . join(', ', map { argument($types[$_], $names[$_] // '', $model) } 0 .. $#types) . ')';

	$call .= ' OVER ()' if $kind eq 'w';
	$stopped{$family}++ if defined ends_or_stops("SELECT $call", 0.1)->{after};
}
is(join("\n", @late), '', "hostile parameters and arguments: an end or a stop at once, $calls calls, seed $seed");
note 'canceled: ', join(', ', map { "$_ $stopped{$_}" } sort keys %stopped);

# ---- the same of statements that take no model, or rows ----

@late = ();
my $extreme = q{(i % 5) * (i % 5 > 0)::int, (i % 5 > 0)::int * 10 ^ (i % 300), 10 ^ (i % 300) * (1 + i % 7),
	10 ^ (i % 600 - 300)};
my @ends = (
	(map { qq{SELECT clv_fit($extreme, clv_options(model => '$_')) FROM generate_series(1, 3000) i} } 'mbg/nbd',
		'bg/nbd', 'mbg/cnbd-k', 'pareto/nbd', 'ggompertz/nbd', 'auto'),
	q{SELECT clv_fit(i % 3, (i % 3) * (1 + i), 100000, 1, clv_options(model => 'bg/bb'))
		FROM generate_series(1, 3000) i},
	q{SELECT clv_fit(i % 100000, i % 100000, 100000, 1, clv_options(model => 'sbg')) FROM generate_series(1, 100000) i},
	q{SELECT clv_fit(i % 10000, i % 10000, 10000, 1, clv_options(model => 'bdw')) FROM generate_series(1, 10000) i},
	q{SELECT count(*)
	  FROM clv_tracking('customer', 'history', (SELECT model FROM model), '1 day', date '2021-06-01',
			   date '5000-01-01')},
	q{SELECT count(*)
	  FROM clv_tracking('customer', 'history', (SELECT model FROM model), '1 day', date '4000-01-01 BC',
			   date '5874897-12-31')},
	q{SELECT count(*) FROM clv_backtest('customer', 'history', date '2021-06-01', '100000 years')},
	q{SELECT count(*)
	  FROM generate_series(1, 100) i,
		   clv_purchase_log(
			   (SELECT clv_history(date '4000-01-01 BC' + i, 1) FROM generate_series(1, 1000000) i))},
	q{SELECT clv_summary(h, '5874897-12-31', '1 day')
		FROM (SELECT clv_history(d, 1) AS h FROM unnest('{4713-01-01 BC,5874897-12-31}'::date[]) d) s},
	q{SELECT clv_purchases_between(h, '4713-01-01 BC', '5874897-12-31')
		FROM (SELECT clv_history(d, 1) AS h FROM unnest('{4713-01-01 BC,5874897-12-31}'::date[]) d) s},
	q{SELECT clv_nps(r) FROM unnest('{2147483647,-2147483648,1e300,10,0}'::float8[]) r},
	q{SELECT clv_internal.clv_nps_final('{9223372036854775807,9223372036854775807,9223372036854775807}')},
	q{SELECT clv_segment_check('micro', 2147483647)},
	q{SELECT clv_segment_check('rfm', 32767)},
	q{SELECT rfmtc_cuts(history, '5874897-12-31', NULL, 2147483647) FROM customer});
ends_or_stops($_, 0.3) foreach @ends;
is(join("\n", @late), '', 'and whatever else is asked at the ends of its types');

$session->close;
$node->stop;
done_testing();
