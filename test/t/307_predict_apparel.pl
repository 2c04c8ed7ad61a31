# The apparel shop, 600 customers, by its calendar: log-likelihoods and forecasts of CLVTools to all digits that it
# prints, at parameters of its tests; and a fit that knows the high season forecasts the next half year.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $shared = shared('data/apparel_dyn_cov.csv');

my $node = PostgreSQL::Test::Cluster->new('apparel_calendar');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nclient_min_messages = error");
$node->start;
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION clv;
CREATE TABLE orders (customer_id int, date date, amount numeric);
CREATE TABLE week (customer_id int, cov_date date, high_season float8, gender float8, channel float8);
\\copy orders FROM '$shared/data/apparel_log.csv' CSV HEADER
\\copy week FROM '$shared/data/apparel_dyn_cov.csv' CSV HEADER
CREATE TABLE calendar AS
SELECT clv_calendar(cov_date, ARRAY[high_season], '{high_season}') AS calendar FROM week WHERE customer_id = 1;
CREATE TABLE customer AS
SELECT customer_id, ARRAY[gender, channel] AS z, clv_history(date, amount) AS history
FROM orders
JOIN (SELECT DISTINCT customer_id, gender, channel FROM week) w USING (customer_id)
GROUP BY 1, 2;
SQL

# The output of a query.
sub one { my ($query) = @_; return $node->safe_psql('postgres', $query) }

# close_to(GOT, EXPECTED, RELATIVE, NAME)
sub close_to
{
	my ($got, $expected, $relative, $name) = @_;

	cmp_ok(abs($got / $expected - 1), '<', $relative, "$name: $got is $expected");
	return;
}

is(one('SELECT count(DISTINCT (cov_date, high_season)) = count(DISTINCT cov_date) FROM week'), 't',
	'the season is the same for all customers');

# --- at given parameters: effects on purchases and on churn of the season, gender, channel ---
# Models are at covariates of 0; a year of CLVTools has 52 weeks.
my @sets = (
	[ 'small effects', '2006-12-31', '.5,15,.5,10', '.1,.1,.1,.1,.1,.1', -5965.6157585300 ],
	[ 'no effects', '2006-12-31', '.5,15,.5,10', '0,0,0,0,0,0', -5974.7905840547 ],
	[ 'large effects', '2006-12-31', 'exp(-1),1,exp(1.23),exp(2.344)', '.456,.567,.678,.123,.234,.345',
		-8243.1412100646, '364 days', 145.3270217456, 139.6551764140 ],
	[ 'from a Wednesday', '2006-10-18', 'exp(-1),1,exp(1.23),exp(2.344)', '.456,.567,.678,.123,.234,.345',
		-7522.7369946850, '1 day', 1.0773488361, 1.0772079267 ]);
foreach my $set (@sets)
{
	my ($name, $as_of, $param, $effect, $likelihood, $horizon, $expected, $discounted) = @$set;
	my $model = qq{(SELECT clv_model('pareto/nbd',
			jsonb_build_object('r', p[1], 'alpha', p[2], 's', p[3], 'beta', p[4]), '1 week', '$as_of',
			jsonb_build_array(
				jsonb_build_object('name', 'gender', 'purchase', e[2], 'churn', e[5]),
				jsonb_build_object('name', 'channel', 'purchase', e[3], 'churn', e[6]),
				jsonb_build_object('name', 'high_season', 'purchase', e[1], 'churn', e[4])),
			calendar => calendar) AS model
		FROM calendar, (VALUES (ARRAY[$param]::float8[], ARRAY[$effect]::float8[])) v (p, e)) m};

	close_to(one("SELECT sum(clv_log_likelihood(model, history, NULL, z)) FROM $model, customer"), $likelihood, 1e-12,
		"log-likelihood, $name");
	next unless $horizon;
	close_to(one("SELECT sum(clv_expected_purchases(model, history, '$horizon', NULL, z)) FROM $model, customer"),
		$expected, 1e-10, "expected purchases, $name");
	close_to(one(qq{SELECT sum(clv_discounted_purchases(model, history, power(1.1, 365.25 / 364) - 1, '$horizon', NULL,
			z)) FROM $model, customer}), $discounted, 1e-10, "discounted, $name");
}

# --- the same where all three are in a calendar of each customer, with effects in another order ---
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE path AS
SELECT customer_id, clv_calendar(cov_date, ARRAY[high_season, gender, channel], '{high_season,gender,channel}') AS path
FROM week GROUP BY 1;
SQL
foreach my $set (@sets)
{
	my ($name, $as_of, $param, $effect, $likelihood, $horizon, $expected, $discounted) = @$set;
	my $model = qq{(SELECT jsonb_build_object('version', 1, 'time_unit', '7 days', 'as_of', '$as_of', 'purchase',
			jsonb_build_object('family', 'pareto/nbd', 'path', 3, 'parameters',
				jsonb_build_object('r', p[1], 'alpha', p[2], 's', p[3], 'beta', p[4]), 'covariates', jsonb_build_array(
				jsonb_build_object('name', 'high_season', 'purchase', e[1], 'churn', e[4]),
				jsonb_build_object('name', 'gender', 'purchase', e[2], 'churn', e[5]),
				jsonb_build_object('name', 'channel', 'purchase', e[3], 'churn', e[6]))))::clv_model AS shared
		FROM (VALUES (ARRAY[$param]::float8[], ARRAY[$effect]::float8[])) v (p, e)) m JOIN customer ON true
		JOIN path USING (customer_id), LATERAL clv_with_calendar(shared, path) model};

	close_to(one("SELECT sum(clv_log_likelihood(model, history)) FROM $model"), $likelihood, 1e-12,
		"log-likelihood by paths, $name");
	next unless $horizon;
	close_to(one("SELECT sum(clv_expected_purchases(model, history, '$horizon')) FROM $model"),
		$expected, 1e-10, "expected purchases by paths, $name");
	close_to(one(qq{SELECT sum(clv_discounted_purchases(model, history, power(1.1, 365.25 / 364) - 1, '$horizon'))
			FROM $model}), $discounted, 1e-10, "discounted by paths, $name");
}

# --- fits ---
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE fit AS
WITH common (o) AS (SELECT clv_options(model => 'pareto/nbd', spend => 'none', as_of => '2006-12-31'))
SELECT 'plain' AS name, clv_fit(history, o) AS model FROM customer, common
UNION ALL SELECT 'static', clv_fit(history, o || '{"covariates":["gender","channel"]}', z) FROM customer, common
UNION ALL
SELECT 'season', clv_fit(history, o || jsonb_build_object('calendar', calendar::jsonb, 'churn_covariates', '[]'::jsonb))
FROM customer, common, calendar
UNION ALL
SELECT 'all', clv_fit(history, o || jsonb_build_object('calendar', calendar::jsonb, 'churn_covariates',
	'["gender","channel"]'::jsonb, 'covariates', '["gender","channel"]'::jsonb), z)
FROM customer, common, calendar
UNION ALL
SELECT 'churn too', clv_fit(history, o || jsonb_build_object('calendar', calendar::jsonb, 'covariates',
	'["gender","channel"]'::jsonb), z)
FROM customer, common, calendar
UNION ALL
SELECT 'paths', clv_fit(history, o || '{"churn_covariates": ["gender", "channel"]}', path)
FROM customer JOIN path USING (customer_id), common
SQL
my %likelihood = map { split /\|/ } split /\n/,
	one('SELECT name, (clv_diagnostics(model)).log_likelihood FROM fit');
close_to($likelihood{plain}, -5848.097827, 1e-9, 'without covariates');
close_to($likelihood{static}, -5821.062686, 1e-9, 'with gender and channel');
# CLVTools ends there after 50,000 evaluations, on its way to minus infinity
close_to($likelihood{'churn too'}, -5752.623, 1e-6, 'with the season in both processes');
close_to($likelihood{paths}, $likelihood{all}, 1e-12, 'a calendar of each customer with all of them');
cmp_ok($likelihood{all}, '<', $likelihood{'churn too'}, 'on purchases alone it is less likely');
cmp_ok($likelihood{all}, '>', $likelihood{season}, '... and more with gender and channel than without');
is(one(q{SELECT string_agg(name, ', ' ORDER BY name) FROM fit WHERE NOT (clv_diagnostics(model)).converged}),
	'churn too', 'nobody falls silent in the season: its effect on churn has no maximum');
is(one(q{SELECT effect BETWEEN 0.6 AND 0.85 AND std_error BETWEEN 0.05 AND 0.07
	FROM fit, clv_effects(model) WHERE fit.name = 'all' AND clv_effects.name = 'high_season' AND process = 'purchase'}),
	't', 'in the high season they buy twice as often');

# --- the next half year ---
my %half = map { my ($name, @is) = split /\|/; ($name => \@is) } split /\n/, one(q{
	SELECT name, sum(expected) / sum(actual) - 1, avg(abs(expected - actual))
	FROM (SELECT name,
				 clv_expected_purchases(model, history, '182 days', NULL,
					CASE WHEN name NOT IN ('plain', 'season') THEN z END) AS expected,
				 clv_purchases_between(history, '2006-12-31', '2007-07-01') AS actual
		  FROM fit, customer
		  WHERE name <> 'paths') q
	GROUP BY name});
note map { sprintf "%-10s %+.4f %.4f\n", $_, @{ $half{$_} } } sort keys %half;
cmp_ok($half{plain}[0], '>', 0.17, 'without the season the total is far too high');
cmp_ok(abs($half{$_}[0]), '<', 0.03, "the total of the next half year, $_, is within 3 %") foreach 'season', 'all';
cmp_ok(sprintf('%.3f', $half{season}[1]), '<=', 0.394, 'the mean absolute error is at most 0.394');
cmp_ok($half{all}[1], '<', 0.93 * $half{static}[1], 'with gender and channel it falls by 7 % and more');

$node->stop;
done_testing();
