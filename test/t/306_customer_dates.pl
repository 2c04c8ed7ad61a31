# What one customer will do: test/oracle/customer_dates.csv has for 40 customers a family the probability to buy, to be
# active later, the day of the next purchase and the day of lapsing, integrated independently (customer_dates.py).

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('dates');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv');

my $rows = slurp_file("$FindBin::Bin/../oracle/customer_dates.csv");
$node->safe_psql('postgres', qq{
	CREATE TABLE oracle (
		family text, unit int, parameters text, days text, today int, horizon int, level float8, p_alive float8,
		buys float8, active float8, next int, lapse int);
	COPY oracle FROM STDIN WITH (FORMAT csv, HEADER, DELIMITER ';');
$rows\\.
	CREATE TABLE customer AS
	SELECT o.*, date '2001-01-01' + today AS as_of, horizon * interval '1 day' AS h, c.history, m.model
	FROM oracle o,
		 LATERAL (SELECT clv_history(date '2001-01-01' + d::int) AS history
				  FROM string_to_table(days, ' ') d) c,
		 LATERAL (SELECT clv_model(family, jsonb_object_agg(p[1], p[2]::float8),
								   unit * interval '1 day', date '2001-01-01' + today) AS model
				  FROM regexp_matches(parameters, '(\\w+) (\\S+)', 'g') p) m});
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT family) FROM customer'), '400|10',
	'40 customers a family');

# wrong(CONDITION): the customers for whom it does not hold, a family a line
sub wrong
{
	my ($condition) = @_;

	return $node->safe_psql('postgres',
		"SELECT family, count(*), min(parameters), min(days), min(today) FROM customer
		WHERE ($condition) IS NOT TRUE GROUP BY 1 ORDER BY 1");
}

is(wrong('abs(clv_active_probability(model, history, h) - buys) <= 1e-9'), '', 'the probability to buy');
is(wrong('abs(clv_survival(model, history, h) - active) <= 1e-9'), '', 'the probability to be active later');
is(wrong(q{clv_next_purchase(model, history, level) IS NOT DISTINCT FROM date '2001-01-01' + next}), '',
	'the day of the next purchase');
is(wrong(q{clv_lapse_date(model, history, p_alive) IS NOT DISTINCT FROM date '2001-01-01' + lapse}), '',
	'the day of lapsing');

# the days keep what they promise: P(next purchase by the day) is the level, P(alive) crosses its limit
is(wrong(q{
	next IS NULL OR clv_p_alive(model, history) < 1e-3
	OR clv_active_probability(model, history, (clv_next_purchase(model, history, level) - (CASE
			WHEN family IN ('bg/bb', 'sbg', 'bdw') THEN date '2001-01-01' + today / unit * unit
				ELSE as_of END)) * interval '1 day')
		/ clv_p_alive(model, history) >= level - 1e-12}), '',
			'by the day of the next purchase the probability is the level');
is(wrong(q{
	lapse IS NULL OR clv_p_alive(model, history, date '2001-01-01' + lapse) < p_alive}), '',
		'on the day of lapsing P(alive) is below');
is(wrong(q{
	lapse IS NULL OR lapse = (string_to_array(days, ' '))[cardinality(string_to_array(days, ' '))]::int
	OR clv_p_alive(model, history, date '2001-01-01' + lapse - 1) >= p_alive}), '', 'the day before it is not');

# the same by number, and whatever else is at the call site
is(wrong(q{
	family IN ('bg/bb', 'sbg', 'bdw') OR (SELECT abs(
		clv_active_probability(model, x, t_x, t_cal, horizon::float8 / unit) - buys) <= 1e-9
		FROM clv_summary(history, as_of, unit * interval '1 day'))}), '', 'by number');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM customer a JOIN customer b USING (family)
	WHERE clv_next_purchase(a.model, b.history, a.level, b.as_of)
		IS DISTINCT
		FROM (clv_next_purchase(a.model, b.history, a.level + 0 * random(), b.as_of))}), '0', 'from a memo as without');

# covariates move the parameters
is($node->safe_psql('postgres', q{
	WITH m AS (SELECT jsonb_set(model::jsonb, '{purchase,covariates}',
		'[{"name": "z", "purchase": 0.5, "churn": -0.3}]')::clv_model AS tied, model, history, h, level, p_alive
		FROM customer WHERE family = 'pareto/nbd')
	SELECT count(*), count(*) FILTER (WHERE
		clv_active_probability(tied, history, h, covariates => '{2}') = clv_active_probability(moved, history, h)
		AND clv_survival(tied, history, h, covariates => '{2}') = clv_survival(moved, history, h)
		AND clv_next_purchase(tied, history, level, covariates => '{2}') IS NOT DISTINCT
		FROM clv_next_purchase(moved, history, level)
		AND clv_lapse_date(tied, history, p_alive, covariates => '{2}') IS NOT DISTINCT
		FROM clv_lapse_date(moved, history, p_alive))
	FROM m, LATERAL (SELECT clv_with_covariates(tied, '{2}') AS moved) w}), '40|40', 'with covariates');

$node->stop;
done_testing();
