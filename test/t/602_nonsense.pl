# Every function, procedure and aggregate with whatever its types allow: a result or an error that says what is wrong.
#
#   CLV_FUZZ_CALLS   how many calls (default 2400)     CLV_FUZZ_SEED    to repeat a run
#   CLV_FUZZ_FIRST   the number of the first one       CLV_FUZZ_LIMIT   milliseconds that one may take (default 2000)
#
# Each call has its number; the seed and the number alone decide what it is, and nothing of it stays. A finding is an
# internal error, an error in a statement of ours, a connection that is lost, a report of a sanitizer, a NaN that
# that was not put in, or a call that was told to stop and worked on for a second of processor time.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use Fuzzing qw(fuzzed_server stop_standing);
use Test::More;

my $calls = $ENV{CLV_FUZZ_CALLS} // 2400;
my $seed = $ENV{CLV_FUZZ_SEED} // 602;
my $first = $ENV{CLV_FUZZ_FIRST} // 0;
my $limit = $ENV{CLV_FUZZ_LIMIT} // 2000;
my $batch = 600;
note "CLV_FUZZ_CALLS=$calls CLV_FUZZ_SEED=$seed CLV_FUZZ_FIRST=$first CLV_FUZZ_LIMIT=$limit";

my @families = ('mbg/nbd', 'bg/nbd', 'mbg/cnbd-k', 'pareto/nbd', 'pareto/nbd/cor', 'ggompertz/nbd', 'bg/bb', 'sbg',
	'bdw', 'rfmtc', 'rfmtc/unclamped');
my %parameters = (
	'mbg/nbd' => [qw(r alpha a b)], 'bg/nbd' => [qw(r alpha a b)], 'mbg/cnbd-k' => [qw(k r alpha a b)],
	'pareto/nbd' => [qw(r alpha s beta)], 'pareto/nbd/cor' => [qw(r alpha s beta m)],
		'ggompertz/nbd' => [qw(r alpha b s beta)],
	'bg/bb' => [qw(alpha beta gamma delta)], 'sbg' => [qw(alpha beta)], 'bdw' => [qw(alpha beta c)],
	'rfmtc' => [qw(Q g b)],
		'rfmtc/unclamped' => [qw(Q g b)],
	'gamma/gamma' => [qw(p q gamma)]);

# what users do not call is called by its bare name, too
my $node = fuzzed_server('nonsense', "search_path = 'public, clv_internal'\n");
$node->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE TABLE orders AS
	SELECT i % 40 AS customer_id, date '2020-01-01' + i * 7 % 500 AS ordered_at, (i % 13)::numeric AS amount
	FROM generate_series(1, 200) i;
	CREATE TABLE customer AS SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders GROUP BY 1;
	CREATE TABLE nothing AS SELECT * FROM customer WHERE false;
	CALL clv_create_pipeline('base', 'orders', 'customer_id', 'ordered_at', 'amount', '1 year');

	-- what each family makes of them, with and without spend and a covariate
	CREATE TABLE made (family text, options jsonb, cells clv_cells, fitted clv_model, cuts clv_cuts);
	DO $$
	DECLARE
		f text;
		o jsonb;
	BEGIN
		FOREACH f IN ARRAY '{mbg/nbd,bg/nbd,mbg/cnbd-k,pareto/nbd,pareto/nbd/cor,ggompertz/nbd,bg/bb,sbg,bdw,
			rfmtc}'::text[] LOOP
			o := clv_options(model => f,
							 spend => CASE WHEN f IN ('bg/nbd', 'sbg', 'bdw') THEN 'none' ELSE 'gamma/gamma' END,
							 time_unit => CASE
								WHEN f IN ('bg/bb', 'sbg', 'bdw', 'rfmtc') THEN interval '30 days'
								ELSE '1 week' END, as_of => '2021-06-01');
			INSERT INTO made SELECT f, o, (SELECT clv_cells(history, o) FROM customer), NULL, NULL;
			BEGIN
				UPDATE made SET fitted = clv_fit FROM (SELECT clv_fit(history, o) FROM customer) q WHERE family = f;
			EXCEPTION WHEN data_exception THEN
			END;
		END LOOP;
		o := clv_options(covariates => '{g}', as_of => '2021-06-01');
		INSERT INTO made
		SELECT 'covariates', o, clv_cells(history, o, ARRAY[(customer_id % 2)::float8]),
			clv_fit(history, o, ARRAY[(customer_id % 2)::float8]), NULL
			FROM customer;
		o := clv_options(season => '1', as_of => '2021-06-01');
		INSERT INTO made SELECT 'season', o, clv_cells(history, o), clv_fit(history, o), NULL FROM customer;
		o := clv_options(model => 'pareto/nbd', as_of => '2021-06-01', calendar =>
			(SELECT clv_calendar(date '2019-12-30' + 7 * i, ARRAY[(i % 9 < 2)::int], '{promotion}')
			 FROM generate_series(0, 120) i));
		INSERT INTO made SELECT 'calendar', o, clv_cells(history, o), clv_fit(history, o), NULL FROM customer;
		o := clv_options(as_of => '2021-06-01', path_covariates => '{n}');
		INSERT INTO made
		SELECT 'path', o, clv_cells(history, o, path), clv_fit(history, o, path), NULL
			FROM customer JOIN (
				SELECT c AS customer_id, clv_calendar(date '2020-01-01' + 200 * i, ARRAY[c * i % 3], '{n}') AS path
				FROM generate_series(0, 39) c, generate_series(0, 3) i GROUP BY c) p USING (customer_id);
		o := clv_options(model => 'rfmtc');
		INSERT INTO made
			SELECT 'flags', o, clv_cells(i % 3, i % 3 * 2, 9, 3, i % 2 = 0, o), NULL, NULL
			FROM generate_series(1, 50) i;
		INSERT INTO made SELECT 'cuts' || bins, NULL, NULL, NULL,
			(SELECT rfmtc_cuts(history, '2021-06-01', (SELECT fitted FROM made WHERE family = 'mbg/nbd'), bins)
				FROM customer)
				FROM unnest('{2,5,10}'::int[]) bins;
		INSERT INTO made SELECT 'cuts', NULL, NULL, NULL, rfmtc_cuts(history, '2021-06-01') FROM customer;
	END $$;

	CREATE FUNCTION cpu() RETURNS float8 LANGUAGE plpgsql AS $$
	DECLARE
		field text[] := string_to_array(regexp_replace(pg_read_file('/proc/self/stat'), '^.*\) ', ''), ' ');
	BEGIN
		RETURN (field[12]::float8 + field[13]::float8) * 10;
	EXCEPTION WHEN OTHERS THEN
		RETURN 0;
	END $$;

	-- state, milliseconds of processor time, "NaN" where the result says so, and the message; undone in any case
	CREATE FUNCTION attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		began float8 := cpu();
		result text;
		why text;
	BEGIN
		IF call LIKE 'CALL %' THEN
			EXECUTE call;
		ELSE
			EXECUTE call INTO result;
		END IF;
		RAISE SQLSTATE 'CLV00';
	EXCEPTION WHEN SQLSTATE 'CLV00' THEN
		-- a sum of clv_sums may be none, as that of a spend without a mean: the total is NULL then
		result := regexp_replace(result, '"sums":\[[^]]*\]', '', 'g');
		RETURN format('00000 %s %s ', cpu() - began, CASE WHEN result ~* '\mnan\M' THEN 'NaN' ELSE '-' END);
	WHEN query_canceled OR assert_failure OR OTHERS THEN
		GET STACKED DIAGNOSTICS why = MESSAGE_TEXT;
		RETURN format('%s %s - %s', sqlstate, cpu() - began, left(replace(why, E'\n', ' '), 150));
	END $$});

# One of the arguments, by chance.
sub pick { return $_[ rand @_ ] }

# a number of up to so many decades on either side of 1
sub scaled { return sprintf '%.6g', 10**((2 * rand() - 1) * $_[0]) }

my @ends = ('0', '-0.0', '-1', '1e300', '1e-300', '5e-324', '-1e300', '1.7e308', '1e6', '1e9', '1e15', '4294967296',
	'0.999999999999', '1.0000000001');
my @not_finite = (q{'NaN'}, q{'Infinity'}, q{'-Infinity'});

# A literal of a number: usual, or extreme or not finite.
sub number
{
	my ($sane) = @_;

	return pick(0, 0, 1, 1, 2, 3, 5, 12, 39, 0.1, 0.5, 0.9, 0.95, 3.5, 365, scaled(3)) if $sane;
	return pick(@ends, @not_finite, scaled(300), scaled(20), scaled(8), -scaled(5));
}

# A literal of a date: of 2019 to 2022, or extreme.
sub day
{
	my ($sane) = @_;

	return sprintf "'20%02d-%02d-%02d'", 19 + int(rand 4), 1 + int(rand 12), 1 + int(rand 28) if $sane;
	return pick((map { "'$_'" } qw(infinity -infinity 0001-01-01 5874897-12-31 9999-12-31 2021-06-01 1900-02-28
		2000-02-29)),
		"'4713-01-01 BC'");
}

# A literal of an interval: usual, or without meaning as a length of time.
sub span
{
	my ($sane) = @_;

	return "'"
		. pick('1 year', '1 week', '30 days', '90 days', '6 months', '1 month', '1 day', '2 years', '70 days',
		'10 years')
		. "'"
		if $sane;
	return "'"
		. pick('0', '-1 day', '1 mon -30 days', '178000000 years', '-178000000 years', '0.000001 s', '1 day 1 us',
		'2147483647 days',
		'10000 years', '1000 years', '90', '-2147483648 days', '2147483647 mons', '1 year -1 day 23:59:59.999999')
			. "'";
}

# a history as text, of up to a dozen days
sub history
{
	my ($sane) = @_;
	my ($year, $julian) = (2020, int(rand 300));
	my $step = $sane ? pick(1, 7, 7, 30, 91, 365) : pick(1, 400, 36500, 700000);
	my (@days, $next);

	return pick(q{(SELECT history FROM customer WHERE customer_id = 7)},
		q{(SELECT history FROM customer WHERE customer_id = 12)})
		if $sane && rand() < 0.3;
	return pick(q{'{"occasion":1,"days":[]}'}, q{(SELECT history FROM nothing)},
		q{(SELECT clv_history(date '2020-01-01' + i, 1e15) FROM generate_series(1, 900) i)},
		q{'{"occasion":1,"days":[["0001-01-01",1e30],["9999-12-31",1]]}'},
			q{'{"occasion":7,"days":[["2020-01-05",1]]}'},
		q{'{"occasion":1,"days":[["2020-03-02",-11.77,"refund"]]}'},
			q{'{"occasion":1,"days":[["4713-11-24 BC",1],["5874897-12-31",null]]}'}, q{'{"days":3}'})
		if !$sane && rand() < 0.5;
	foreach (0 .. int rand 12)
	{
		my $amount = $sane ? pick(0, 10, 29.99, scaled(3))
			: pick(0, 1e15, 0.01, scaled(20), '9223372036854775806', '0.30000000000000004');

		push @days, "date '2018-01-01' + $julian, '" . (rand() < 0.05 ? "-$amount" : $amount) . "'::numeric";
		$julian += $step * (rand() < 0.5 ? 1 : 1 + int rand 5);
	}
	return '(SELECT clv_history(d, a) FROM (VALUES ' . join(', ', map { "($_)" } @days) . ') v (d, a))';
}

# A JSON object of the parameters of a family: usual, or over many powers of ten.
sub parameters
{
	my ($family, $sane) = @_;
	my $decades = $sane ? 1.2 : pick(2, 6, 9, 20, 300);

	return '{' . join(', ', map {
		my $value = $_ eq 'k' ? pick(1, 2, 3, $sane ? 4 : 1000) : $_ eq 'm'
			? pick(0, 0.1, -0.1, $sane ? 0.01 : scaled(2))
			: !$sane && rand() < 0.1 ? pick(0, -1, 1, '1e308', '5e-324') : scaled($decades);
		qq{"$_": $value} } @{$parameters{$family}}) . '}';
}

# An expression for a model: usual, or with extreme parameters.
sub model
{
	my ($sane) = @_;
	my $family = pick(@families);
	my $covariates = rand() < 0.15
		? ', '
		. pick(map { "'$_'" } '[{"name": "g", "purchase": 0.3, "churn": -0.5}]', '[{"name": "g", "purchase": 0.3}]',
		'[{"name": "g", "purchase": 0.3, "churn": -900}, {"name": "h", "purchase": 700}]') : '';
	my $spend = rand() < 0.7 ? " || clv_model('gamma/gamma', '" . parameters('gamma/gamma', $sane) . "')" : '';

	return '(SELECT fitted FROM made WHERE family = '
		. pick(map { "'$_'" } @families[0 .. 8], 'covariates', 'season', 'calendar') . ')'
		if $sane && rand() < 0.3;
	return pick(q{
		clv_model('mbg/nbd', '{"r": 1e-300, "alpha": 1e300, "a": 1e-300, "b": 1e300}', '1 day', '2021-06-01')},
		q{clv_model('pareto/nbd', '{"r": 1e8, "alpha": 1e-8, "s": 1e8, "beta": 1e-8}', '1 day')},
		q{clv_model('bg/nbd', '{"r": 1e6, "alpha": 1e-6, "a": 1e-9, "b": 1e6}', '1000 years', '5000-01-01')},
		q{clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}')}, q{'{"version": 1}'},
			q{(SELECT clv_fit(history) FROM customer)})
			if !$sane && rand() < 0.2;
	return "clv_model('$family', '" . parameters($family, $sane) . "', "
		. ($sane ? pick(qw('1_week' '1_day' '30_days' '1_year' '1_month')) =~ s/_/ /r : span(0)) . ', '
		. ($sane ? "'2021-06-01'" : pick(day(0), 'NULL')) . "$covariates)$spend";
}

# A call of clv_options with arguments by chance.
sub options
{
	my ($sane) = @_;
	my @set = ("model => '" . pick(@families[0 .. 8], 'auto') . "'");

	push @set, 'time_unit => ' . span($sane) if rand() < 0.7;
	push @set, 'as_of => ' . day($sane) if rand() < 0.5;
	push @set, 'spend => ' . pick(q{'none'}, q{'gamma/gamma'}) if rand() < 0.3;
	push @set, 'max_iterations => ' . pick(0, 1, 3, 50) if rand() < 0.2;
	push @set, 'penalty => ' . number($sane) if rand() < 0.1;
	push @set, 'k => ' . pick(1, 2, 3, 12, 1000) if rand() < 0.1;
	push @set, q{covariates => '{g}'} if rand() < 0.1;
	push @set, 'start => ' . model($sane) if rand() < 0.1;
	return 'clv_options(' . join(', ', @set) . ')';
}

my %constants = (
	'double precision' => \&number,
	'date' => \&day,
	'interval' => \&span,
	'clv_history' => \&history,
	'clv_model' => \&model,
	'jsonb' => sub {
		return options($_[0]) if $_[0] || rand() < 0.4;
		return pick(q{'{}'}, q{'[]'}, 'NULL', q{'null'}, '\'""\'', q{'0'}, q{'1e400'}, q{'{"version": 1}'},
			q{'[[[[[]]]]]'}, q{'{"model": "pareto/nbd"}'},
			q{'{"trend": 1, "share": "x"}'}, q{'{"occasion":1,"days":[["2020-01-01",29.33]]}'},
				q{(SELECT cells::jsonb FROM made LIMIT 1)},
			q{(SELECT fitted::jsonb FROM made LIMIT 1)}, q{(SELECT jsonb_agg(i) FROM generate_series(1, 5000) i)});
	},
	'clv_cells' => sub {
		my $one = '(SELECT cells FROM made WHERE family = '
			. pick(map { "'$_'" } @families[0 .. 8], 'covariates', 'season', 'calendar', 'flags') . ')';

		return $one if $_[0];
		return pick($one, "$one - $one", "$one + $one", q{(SELECT clv_cells(history) FROM nothing)},
			q{(SELECT clv_cells(history) FROM customer)}, q{'{"version": 1}'}, q{'x'},
			q{(SELECT clv_cells(1, 2, 3, 4))}, '(SELECT clv_cells(h, ' . options(0) . ')
				FROM (VALUES (' . history(0) . '), (' . history(1) . ')) v (h))',
			q{(SELECT clv_cells(i, i / 2, i, 1) FROM generate_series(1, 400) i)},
				q{(SELECT clv_cells(1e9 * i, 1, 1, 1e300) FROM generate_series(1, 3) i)});
	},
	'clv_calendar' => sub {
		my $one = q{(SELECT clv_calendar(date '2019-01-01' + 7 * i, ARRAY[i % 2], '{n}')
					 FROM generate_series(0, 60) i)};

		return $one if $_[0];
		return pick($one, q{'{}'}, q{(SELECT clv_calendar('2030-01-01', '{1}', '{n}'))},
			"($one || (SELECT clv_calendar('2030-01-01', '{1}', '{n}')))");
	},
	'clv_cuts' => sub {
		return '(SELECT cuts FROM made WHERE family = ' . pick(qw('cuts' 'cuts2' 'cuts5' 'cuts10')) . ')' if $_[0];
		return pick(q{'{}'}, q{'{"version": 1, "bins": 5}'},
			'(SELECT rfmtc_cuts(' . history(0) . ', ' . day(1) . ', ' . model(0) . '))');
	},
	'clv_population' => sub {
		my $one = "(SELECT clv_population(history, '2021-06-01'" . ($_[0] ? '' : pick('', ', NULL, 7')) . ') FROM ';

		return $one . 'customer)' if $_[0];
		return pick("${one}customer)", "${one}nothing)", q{'{}'}, q{'{"version": 1}'}, 'NULL',
			'(SELECT clv_population(' . join(', ', history(1), day(1), model(1)) . '))');
	},
	'clv_sums' => sub {
		my $one = '(SELECT clv_sums((SELECT fitted FROM made WHERE family = ' . "'mbg/nbd'), history, '1 year') FROM ";

		return $one . 'customer)' if $_[0];
		return pick("${one}customer)", "${one}nothing)", q{'{}'}, q{'{"version": 1}'}, 'NULL', '(SELECT clv_sums('
			. join(', ', model(1), history(1), span(1), number(1), number(1)) . '))');
	},
	'clv_total' => sub {
		return q{(SELECT clv_predict_total((SELECT fitted FROM made WHERE family = 'mbg/nbd'), history, '1 year')
			FROM customer)} if $_[0];
		return 'ROW(' . join(', ', pick(0, 1, 300, -1, 'NULL'), map { number(rand() < 0.5) } 1 .. 16) . ')';
	},
	'clv_common_shock' => sub {
		return 'ROW(100, 0.1, 0.6, 0.5, 7, 0.02, 0.1)' if $_[0];
		return 'ROW(' . join(', ', pick(0, 1, 52, -1, 'NULL'), map { number(rand() < 0.5) } 1 .. 6) . ')';
	},
	'clv_choice' => sub {
		return $_[0] ? "'2'" : pick(q{''}, q{'auto'}, q{'month'}, q{'true'}, q{'7'}, q{'-1'}, q{'x'});
	},
	'bytea' => sub { return q{'\\x} . join('', map { sprintf '%02x', rand 256 } 1 .. rand 60) . q{'} },
	'"any"' => sub { return pick('1', q{'a'::text}, 'NULL::bigint', q{date '2020-01-01'}, '1.50::numeric') },
	'clv_pipeline_run' => sub {
		return q{jsonb_populate_record(NULL::clv_internal.clv_pipeline_run, jsonb_build_object(}
			. join(', ', "'run'", pick(1, 2, -1, 'NULL'), "'previous'", pick(1, 'NULL'), "'as_of'", day($_[0]),
			"'generation'", pick(1, 0, 'NULL'), "'model_run'", pick(1, 'NULL'), "'model'", model($_[0]),
			"'has_spend'", pick(qw(true false))) . '))';
	},
	'clv_scores' => sub { return "'("
		. join(',', map { rand() < 0.1 ? 'NULL' : $_[0] ? 1 + int rand 5 : pick(-1, 0, 1, 6, 32767, -32768) } 1 .. 6)
		. ',' . ($_[0] ? rand : pick('', 0.5, -1, 2, 'NaN', 'Infinity')) . ")'" },
	'clv_pipeline_definition' => sub {
		return 'clv_internal.clv_pipeline_read(\'base\')' if $_[0];
		return 'jsonb_populate_record(clv_internal.clv_pipeline_read(\'base\'), jsonb_build_object('
			. join(', ', map { @$_ } pick(
			["'map'", pick('NULL', "'x'", '17')], ["'horizon'", span(0)], ["'bins'", pick(0, -1, 2147483647, 3)],
				["'source'", "'no_such'"], ["'customer'", "'{}'::text[]"],
			["'options'", options(0)], ["'overlap'", span(0)], ["'name'", pick('NULL', "''", "'base'", "'other'")],
				["'occasion'", pick(0, 7, -1)],
			["'as_of'", pick("'tomorrow'", 'NULL', "'2020-06-01'")],
				["'filter'", pick("'true) or (true'", "'amount > 3'", "''")]))
				. '))';
	},
	'record' => sub { return pick('ROW(1)', 'ROW()', q{ROW('a', now(), NULL)}) },
	'real' => sub { return pick(0, 1, $_[0] ? 12.5 : (-1, q{'NaN'}, q{'Infinity'}, '1e38', '1e-45')) },
	'numeric' => sub { return pick(0, 1, 29.99,
		$_[0] ? 100
		: (-1, '1e100', '1e-100', q{'NaN'}, q{'Infinity'}, '12345678901234567890.123456789', '1e20000', '1e-16000')) },
	'bigint' => sub { return pick(0, 1, 5,
		$_[0] ? 10 : (-1, '9223372036854775807', '(-9223372036854775807 - 1)', '4294967296')) },
	'bigint[]' => sub { return pick(q{'{1,2,3}'}, q{'{0,0,0}'}, $_[0] ? () : map { "'{$_}'" } '', '1,2', '1,2,NULL',
		'{1,2,3}', '-1,0,1', '9223372036854775807,9223372036854775807,1') },
	'integer' => sub { return pick(1, 5, 7, 10,
		$_[0] ? 12 : (0, -1, 100, 32767, 2147483647, '(-2147483647 - 1)', 1000000)) },
	'oid' => sub { return pick(16, 23, q{'orders'::regclass},
		$_[0] ? 10 : (0, 4294967295, q{'clv_history'::regtype})) },
	'regclass' => sub { return pick(q{'orders'}, q{'customer'}, $_[0] ? () : (0, 4294967295, q{'pg_class'})) },
	'regtype' => sub { return pick(q{'date'}, q{'numeric'}, $_[0] ? () : (0, 4294967295, q{'clv_history'})) },
	'regtype[]' => sub { return pick(q{'{date,timestamptz}'}, q{'{}'}, q{'{NULL,0}'}) },
	'anycompatiblearray' => sub { return 'VARIADIC ' . pick('ARRAY[7]', q{ARRAY['7']}, q{ARRAY['7', '8']},
		$_[0] ? () : (q{'{}'::int[]}, 'NULL::int[]', 'ARRAY[NULL::int]', q{'{{1,2},{3,4}}'::int[]}, 'ARRAY[1e300]',
		'array_fill(1, ARRAY[3000])')) },
	'name' => sub { return pick(q{'base'}, q{'postgres'}, q{''}) },
	'xid' => sub { return pick(q{'0'}, q{'3'}, q{'4294967295'}) },
	'boolean' => sub { return pick(qw(true false)) },
	'timestamp without time zone' => sub { return pick(q{'2020-01-01 23:59:59.999999'},
		$_[0] ? () : (q{'infinity'}, q{'-infinity'}, q{'294276-12-31'}, q{'4713-01-01 BC'})) },
	'timestamp with time zone' => sub { return pick(q{'2020-01-01 23:59:59.999999+14'},
		$_[0] ? () : (q{'infinity'}, q{'-infinity'}, q{'294276-12-31+0'}, q{'4714-11-24 BC UTC'})) },
	'text' => sub {
		return "'" . pick('orders', 'customer', 'history', 'base', 'rfm') . "'" if $_[0];
		return "'"
			. pick('', ' ', 'nothing', 'no_such', 'customer_id', 'rf', 'abc', 'potential', 'lifecycle', 'micro',
			'value x satisfaction', '[]', '[',
			'[{"segment": "a", "r": [1, 5]}]', '[{"segment": 3}]', '{"a": 1}', 'pg_class', '"', 'a.b.c.d',
				'; DROP TABLE orders', 'auto', 'mbg/nbd', 'bg/bb', 'sbg', 'bdw',
			'rfmtc', 'none', 'all', 'repeat', 'gamma/gamma', 'SELECT 1', '{1:I} %s %1$I', ('x' x 70), ('[' x 9000))
				. "'";
	},
	'text[]' => sub { return pick(q{'{}'}, q{'{NULL}'}, q{'{a,a}'}, q{'{""}'}, q{'{{a},{b}}'}, q{'{g}'}) },
	'double precision[]' => sub { return pick(q{'{1}'},
		$_[0] ? ()
		: (map { "'$_'" } '{}', '{NULL}', '{NaN}', '{Infinity,1}', '{{1,2},{3,4}}', '[0:0]={1}', '{1e300}', '{1,0.5}'),
		q{array_fill(1.0::float8, ARRAY[3000])}) },
	'cstring' => sub { return "'"
		. pick('', '{', '{}', 'x', '{"version": 1}', '{"occasion":1,"days":[["2020-01-01",1]]}', ('[' x 9000),
		'{"occasion":1,"days":[["2020-02-30",1]]}', '{"occasion":0}', '{"version": 99999999999}', '{"a":"\\u0000"}')
		. "'" });

# what an argument of a name takes, where its type does not say
my %named = (
	(map { $_ => [q{'orders'}] } qw(source)), customer => [q{'customer_id'}], bought_at => [q{'ordered_at'}],
		amount => [q{'amount'}], history => [q{'history'}],
	map => [q{'rfm'}, q{'rf'}, q{'value x satisfaction'}],
		query => [q{'SELECT customer_id, ordered_at, amount FROM orders'}],
	histories => [q{'SELECT history, NULL::float8[] AS covariates FROM customer'}], name => [q{'base'}, q{'other'}],
	model => [map { "'$_'" } @families[0 .. 8], 'auto'], family => [map { "'$_'" } keys %parameters],
		spend => [q{'none'}, q{'gamma/gamma'}],
	spend_basis => [q{'all'}, q{'repeat'}], mode => [q{'full'}, q{'auto'}], level => [0.5, 0.9, 0.95, 0.01],
		discount_rate => [0, 0.1, 0.15], margin => [1, 0.35],
	horizon => [1, 4, 52, 52, 104], t => [0, 1, 52], t_x => [0, 0, 10, 20], t_cal => [39, 40], x => [0, 1, 3],
		mean_spend => [10, 35.5, 0], n => [0, 1, 2, 5], bins => [2, 3, 5, 10], periods => [1, 12],
	occasion => [1, 7], customers => [1, 10], params => [], covariates => [q{'{1}'}], filter => [q{'amount > 3'}],
		as_of => [q{'last purchase'}, q{'2021-06-01'}], time_zone => [q{'UTC'}]);
my %sources = map { $_ => 1 } qw(clv_backtest clv_backtest_calibration clv_backtest_deciles clv_choose clv_shock
	clv_tracking clv_validate_histories clv_validate_prepare);

# function: name, kind, returns cstring, types and names of arguments; left out are what no session can call, and the
# one that raises whatever error it is told to
my @functions = map { [split /\|/, $_, -1] } split /\n/, $node->safe_psql('postgres', q{
	SELECT p.proname, p.prokind, p.prorettype = 'cstring'::regtype,
		   (SELECT string_agg(format_type(t, NULL), ';' ORDER BY n)
			FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY a (t, n)),
		   (SELECT string_agg(coalesce(a, ''), ';' ORDER BY n)
			FROM unnest(p.proargnames[:p.pronargs]) WITH ORDINALITY x (a, n))
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'clv'
	WHERE 'internal'::regtype <> ALL (p.proargtypes::oid[])
	AND p.prorettype NOT IN ('internal'::regtype, 'trigger'::regtype)
	  AND p.proname <> 'clv_raise'
	ORDER BY p.proname, pg_get_function_identity_arguments(p.oid)});
cmp_ok(scalar(@functions), '>', 200, 'there are functions to call');
# those of pipelines are slow and do one thing each, those of models have most to decide
my @often = grep { $_->[0] !~ /^clv_pipeline_/ } @functions;
push @functions, (@often) x 3, (grep { $_->[3] =~ /clv_model/ } @often) x 4;
foreach my $type (map { split /;/, $_->[3] } @functions)
{
	my ($element) = $type =~ /^(.*)\[\]$/ or next;

	$constants{$type} //= sub { my ($sane) = @_;
	return 'ARRAY[' . join(', ', map { '(' . $constants{$element}->($sane) . ")::$element" } 1 .. rand 4) . ']' };
}
my %missing = map { $_ => 1 } grep { !$constants{$_} } map { split /;/, $_->[3] } @functions;
is(join(', ', sort keys %missing), '', 'and constants of every type they take');

# argument(FUNCTION, TYPE, NAME, SANE): one of the type that the name asks for, and that may work where SANE
sub argument
{
	my ($function, $type, $name, $sane) = @_;
	my $named = $type =~ /^(text|double precision|integer|date|jsonb|double precision\[\])$/ ? $named{$name} : undef;

	return $constants{$type}->($sane) if $type =~ /^(anycompatiblearray|"any")$/;
	return "NULL::$type" if rand() < ($sane ? 0.03 : 0.1);
	return q{'customer'} if $sane && $name eq 'source' && $sources{$function};
	return "'" . parameters(pick(keys %parameters), $sane) . "'::jsonb"
		if $name eq 'params' && $type eq 'jsonb' && rand() < 0.8;
	my $value = $sane && $named && @$named && !($type eq 'date' || $type eq 'jsonb' && $name ne 'params')
		? pick(@$named) : $constants{$type}->($sane);
	return "($value)::$type";
}

# call(NUMBER): the statement of that number
sub call
{
	my ($i) = @_;
	my ($name, $kind, $cstring, $types, $names) = @{$functions[$i % @functions]};
	my @types = split /;/, $types;
	my @names = split /;/, $names, -1;

	srand(($seed * 7919 + $i * 2654435761) % 4294967291);
	my $sane = pick(1, 1, 0.85, 0.85, 0.6, 0.2);
	my @arguments = map {
		my ($type, $argument) = ($types[$_], $names[$_] // '');
		my @values = map { argument($name, $type, $argument, rand() < $sane) } 1 .. 3;

		$kind eq 'f' || $kind eq 'p' || rand() < 0.4 ? $values[0]
			: "CASE i % 3 WHEN 0 THEN $values[0] WHEN 1 THEN $values[1] ELSE $values[2] END";
	} 0 .. $#types;
	my $call = "$name(" . join(', ', @arguments) . ')';
	return "CALL $call" if $kind eq 'p';
	return "SELECT $call" if $cstring eq 't';
	return "SELECT count(*) FROM $call AS r (customer int, history clv_history)" if $name eq 'clv_histories';
	$call .= ' OVER ()' if $kind eq 'w';
	my $from = $kind eq 'f' ? '' : ' FROM generate_series(1, ' . pick(0, 1, 3, 3, 50, 50) . ') i';
	return "SELECT pg_catalog.string_agg(r::text, '') FROM (SELECT $call AS r$from LIMIT 500) s";
}

# These run what they are told to run, which may be no SQL.
my $told = qr/^CALL |\bclv_pipeline_|\bclv_histories\(|\bclv_source_columns?\(
	|\bclv_validate_(fit|extent|predictions|frequencies|newcomers|repeats|ranked|classes|track)\(
	|\bclv_choose_(cells|outcomes|models|rows)\(|\bclv_shock_of\(/x;

my (@bad, %states, $answered, %slow, %stopped);
my $i = $first;
while ($i < $first + $calls)
{
	my $last = $i + $batch < $first + $calls ? $i + $batch : $first + $calls;
	my $script = "SET client_min_messages = error; SET statement_timeout = $limit;\n"
		. join('', map { "SELECT $_ || ' ' || attempt(\$nonsense\$" . call($_) . "\$nonsense\$);\n" } $i .. $last - 1);
	my ($rc, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);

	foreach my $line (split /\n/, $out)
	{
		my ($number, $state, $cpu, $nan, $why) = $line =~ /^(\d+) (\w{5}) (\S+) (\S+) (.*)$/ or next;
		my $query = call($number);

		$answered++;
		$states{$state}++;
		$i = $number + 1;
		$stopped{$query =~ s/^.*?((?!string_agg)(clv|rfmtc|segment)\w+).*/$1/r}++ if $state eq '57014';
		$slow{"$number ($cpu ms, $state) " . substr($query, 0, 300)} = $cpu;
		# a name of too many parts is a syntax error by PostgreSQL's own reading of names
		push @bad, "$number: $state $why: $query" if $state =~ /^(XX|57(?!014)|53|P0004|58|22012|2201E|2201F)/
			|| $state =~ /^(42883|42601)/ && $why !~ /^improper (relation|qualified) name/ && $query !~ $told;
		# infinity and -infinity add up to NaN, as with sum(); a clv_sums keeps what is not defined, as the variance
		# of a spend without a mean, as NaN, of which totals make NULL
		push @bad, "$number: NaN: $query" if $nan eq 'NaN' && $query !~ /nan/i && $query !~ /\(SELECT clv_sums/
			&& $query !~ /clv_validate_sum.*'Infinity'.*'-Infinity'|clv_validate_sum.*'-Infinity'.*'Infinity'/;
		push @bad, "$number: not stopped after $cpu ms: $query" if $cpu > $limit + 1000;
	}
	# one that was told to stop while attempt() was at its own work has no line, but an answer
	my $late = () = $err =~ /ERROR:  canceling statement due to statement timeout/g;
	$answered += $late;
	$states{57014} += $late;
	$i = $last if $late && $i == $last - 1;
	next if $i == $last;
	# the first one without an answer is to blame, if only because it can no longer be attempted
	push @bad, "$i: no answer (" . substr($err, 0, 300) . '): ' . call($i);
	$i++;
	last unless $node->poll_query_until('postgres', 'SELECT true');
}
is($answered, $calls, 'every call is answered');
is(scalar(@bad), 0, "and none is a finding, seed $seed")
	or diag map { substr($_, 0, 1500) . "\n" } @bad[0 .. ($#bad < 40 ? $#bad : 40)];
cmp_ok($states{'00000'} // 0, '>', $calls / 3, 'many have a result');
note join(', ', map { "$_: $states{$_}" } sort keys %states);
note 'stopped: ' . join(', ', map { "$_: $stopped{$_}" } sort keys %stopped);
note "the slowest:\n" . join("\n", (sort { $slow{$b} <=> $slow{$a} } keys %slow)[0 .. 9]);
stop_standing($node);
done_testing();
