# Every column of the 50-digit tables, through SQL, at a relative error of at most 1e-9 (log-likelihoods: absolute,
# where they are larger than one relative). Where the exact value is below the range of double precision, 0 is right.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $shared = shared('oracles/mp_bgnbd.csv');

my $node = PostgreSQL::Test::Cluster->new('oracles');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	-- the share of the tolerance that an answer uses up; NULL (never an answer) counts as too much
	CREATE FUNCTION relative(got float8, want numeric) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
		SELECT CASE WHEN want = 'Infinity' THEN CASE WHEN got = 'Infinity' THEN 0 ELSE float8 'Infinity' END
			WHEN abs(want) < 2.3e-308 THEN CASE WHEN abs(got) < 2.3e-308 THEN 0 ELSE float8 'Infinity' END
			WHEN got IS NULL OR got IN ('NaN', 'Infinity', '-Infinity') THEN float8 'Infinity'
			ELSE abs(got::numeric / want - 1) / 1e-9 END $$;
	CREATE FUNCTION absolute(got float8, want numeric) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
		SELECT CASE WHEN got IS NULL OR got IN ('NaN', 'Infinity', '-Infinity') THEN float8 'Infinity'
			ELSE abs(got::numeric - want) / (1e-9 * greatest(1, abs(want))) END $$});

# load(TABLE, COLUMNS, FILE)
sub load
{
	my ($table, $columns, $file) = @_;
	my $rows = slurp_file("$shared/oracles/$file");

	# below the range of numeric, and far below that of double precision
	$rows =~ s/[\d.]+e-\d{4,}/0/g;
	$node->safe_psql('postgres',
		"CREATE TABLE $table ($columns);\nCOPY $table FROM STDIN WITH (FORMAT csv, HEADER);\n$rows\\.\n");
	return;
}

my %rows;

# check(TABLE, NAME, EXPRESSION): the worst row, in tolerances
sub check
{
	my ($table, $name, $expression) = @_;
	my ($rows, $worst, $row) = split /\|/, $node->safe_psql('postgres', qq{
		SELECT count(*) OVER (), error, row || ' ' || tag
		FROM (SELECT row, tag, $expression AS error FROM $table) e ORDER BY error DESC NULLS FIRST LIMIT 1});

	is($rows, $rows{$table} // 60, "$table: rows of $name");
	cmp_ok($worst eq '' ? 'Inf' : $worst, '<=', 1, "$table: $name") or diag "worst in row $row";
	return;
}

my $inputs = 'x float8, t_x float8, t_cal float8, t float8, n float8, delta float8';
my $outputs = join ', ', map { "$_ numeric" } qw(loglik palive ln_palive cet expect pmf cpmf dert det_t);
my %parameters = (
	'bg/nbd' => [qw(r alpha a b)],
	'mbg/nbd' => [qw(r alpha a b)],
	'pareto/nbd' => [qw(r alpha s beta)],
	'ggompertz/nbd' => [qw(r alpha b s beta)],
	'bg/bb' => [qw(alpha beta gamma delta)],
	'sbg' => [qw(alpha beta)]);
my %file = ('pareto/nbd' => 'pnbd', 'ggompertz/nbd' => 'ggomnbd');

# oracle(FAMILY, COLUMNS): its table with a column model; returns the table's name
sub oracle
{
	my ($family, $columns) = @_;
	my @names = @{ $parameters{$family} };
	(my $table = 'mp_' . ($file{$family} // $family)) =~ s{/}{};

	# a parameter and an argument may have the same name: parameters are told by a prefix
	load($table, 'row int, tag text, ' . join(', ', map { "p_$_ float8" } @names) . ", $columns", "$table.csv");
	$node->safe_psql('postgres', qq{
		ALTER TABLE $table ADD model clv_model;
		UPDATE $table SET model = clv_model('$family', jsonb_build_object(}
		  . join(', ', map { "'$_', p_$_" } @names) . q{), '1 week')});
	$rows{$table} = $node->safe_psql('postgres', "SELECT count(*) FROM $table");
	return $table;
}

foreach my $family ('bg/nbd', 'mbg/nbd', 'pareto/nbd', 'ggompertz/nbd')
{
	my $table = oracle($family, "$inputs, $outputs");

	check($table, 'log-likelihood', 'absolute(clv_log_likelihood(model, x, t_x, t_cal), loglik)');
	check($table, 'P(alive)', 'relative(clv_p_alive(model, x, t_x, t_cal), palive)');
	check($table, 'expected purchases', 'relative(clv_expected_purchases(model, x, t_x, t_cal, t), cet)');
	check($table, 'expected purchases of a new customer', 'relative(clv_expected_purchases(model, t), expect)');
	check($table, 'probability', 'relative(clv_purchase_probability(model, x, t_x, t_cal, n, t), cpmf)');
	check($table, 'probability of a new customer', 'relative(clv_purchase_probability(model, n, t), pmf)');
	check($table, 'discounted purchases', 'relative(clv_discounted_purchases(model, x, t_x, t_cal, delta), dert)');
	check($table, 'discounted purchases of a horizon',
		'relative(clv_discounted_purchases(model, x, t_x, t_cal, delta, t), det_t)');

	# A quantile is where the sum of the probabilities passes the level, wherever that sum can be formed.
	is($node->safe_psql('postgres', qq{
		SELECT count(*) FROM $table, unnest(ARRAY[0.05, 0.5, 0.95]::float8[]) level,
			LATERAL (SELECT clv_purchase_quantile(model, x, t_x, t_cal, t, level) AS k) q,
			LATERAL (SELECT coalesce(sum(clv_purchase_probability(model, x, t_x, t_cal, i, t)), 0) AS below
					 FROM generate_series(0, k::int - 1) i) b
		WHERE k < 2000 AND NOT (below < level + 1e-9
			AND below + clv_purchase_probability(model, x, t_x, t_cal, k, t) >= level - 1e-9)}), '0',
		"$table: quantiles");
}

# Periods: rates are effective ones.
my $table = oracle('bg/bb', 'x float8, t_x float8, n float8, m float8, k float8, d float8, '
	  . join ', ', map { "$_ numeric" } qw(loglik palive_n palive_n1 cet expect pmf cpmf dert));
check($table, 'log-likelihood', 'absolute(clv_log_likelihood(model, x, t_x, n), loglik)');
check($table, 'P(alive)', 'relative(clv_p_alive(model, x, t_x, n), palive_n)');
check($table, 'P(alive) in the next period', 'relative(clv_p_alive(model, x, t_x, n, ahead => 1), palive_n1)');
check($table, 'expected purchases', 'relative(clv_expected_purchases(model, x, t_x, n, m), cet)');
check($table, 'expected purchases of a new customer', 'relative(clv_expected_purchases(model, m), expect)');
check($table, 'probability', 'relative(clv_purchase_probability(model, x, t_x, n, k, m), cpmf)');
check($table, 'probability of a new customer', 'relative(clv_purchase_probability(model, k, m), pmf)');
check($table, 'discounted purchases', 'relative(clv_discounted_purchases(model, x, t_x, n, d), dert)');

$table = oracle('sbg', 't float8, m float8, d float8, '
	  . join ', ', map { "$_ numeric" } qw(ll_churn ll_surv pmf surv retention erem derl_after derl_before));
check($table, 'log-likelihood of customers who left', 'absolute(clv_log_likelihood(model, t - 1, t - 1, t), ll_churn)');
check($table, 'log-likelihood of customers who stay', 'absolute(clv_log_likelihood(model, t, t, t), ll_surv)');
check($table, 'P(leaves at t)', 'relative(clv_purchase_probability(model, t - 1, t), pmf)');
check($table, 'survival', 'relative(clv_survival(model, t), surv)');
check($table, 'retention', 'relative(clv_retention(model, t), retention)');
check($table, 'expected renewals', 'relative(clv_expected_purchases(model, t, t, t, m), erem)');
check($table, 'residual lifetime', 'relative(clv_residual_lifetime(model, t, d), derl_after)');
check($table, 'residual lifetime before', 'relative(clv_residual_lifetime(model, t, d, before => true), derl_before)');
check($table, 'the same as discounted purchases', 'relative(clv_discounted_purchases(model, t, t, t, d), derl_after)');

load('mp_gg', 'row int, tag text, p float8, q float8, gamma float8, x float8, m_bar float8, '
	  . 'loglik numeric, espend numeric, pop_mean numeric', 'mp_gg.csv');
$node->safe_psql('postgres', q{
	ALTER TABLE mp_gg ADD model clv_model;
	UPDATE mp_gg SET model = clv_model('gamma/gamma', jsonb_build_object('p', p, 'q', q, 'gamma', gamma))});
check('mp_gg', 'log-likelihood', 'absolute(clv_spend_log_likelihood(model, x, m_bar), loglik)');
check('mp_gg', 'expected spend', 'relative(clv_expected_spend(model, x, m_bar), espend)');
check('mp_gg', 'mean of the population', 'relative(clv_expected_spend(model, 0, 0), pop_mean)');

$node->stop;
done_testing();
