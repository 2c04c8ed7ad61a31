# Do the intervals of clv_predict_total cover what they promise? Shops are drawn from known models, fitted, and their
# second year is compared with the forecast. The seed is fixed and Perl's generator is its own, so the figures are
# the same everywhere; the bounds are four standard errors of a binomial around the nominal level.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $SHOPS = 150;
my $CUSTOMERS = 250;
my $LEVEL = 0.9;

srand(20170407);

# Marsaglia and Tsang (2000); a shape below 1 is drawn one higher and taken down by a power of a uniform
sub gamma
{
	my ($shape) = @_;

	return gamma($shape + 1) * (1 - rand())**(1 / $shape) if $shape < 1;
	my $d = $shape - 1 / 3;
	while (1)
	{
		my $normal = sqrt(-2 * log(1 - rand())) * cos(6.283185307179586 * rand());
		my $v = (1 + $normal / sqrt(9 * $d))**3;

		return $d * $v if $v > 0 && log(1 - rand()) < $normal**2 / 2 + $d - $d * $v + $d * log($v);
	}
}

# The days and amounts of one customer over two years; parameters per week, with dropout after each purchase.
sub customer
{
	my ($shop, $id) = @_;
	my $lambda = gamma(0.9) / 8 / 7;
	my $heads = gamma(1.1);
	my $p = $heads / ($heads + gamma(3));
	my $nu = gamma(4) / 30;
	my $t = int(rand(180));
	my $rows = '';

	while ($t < 730)
	{
		$rows .= join("\t", $shop, $id, int($t), gamma(5) / $nu) . "\n";
		last if rand() < $p;
		$t += -log(1 - rand()) / $lambda;
	}
	return $rows;
}

my $node = PostgreSQL::Test::Cluster->new('total');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
my $rows = join '', map { my $shop = $_; map { customer($shop, $_) } 1 .. $CUSTOMERS } 1 .. $SHOPS;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION clv;
	CREATE TABLE o (shop int, id int, day int, amount float8);
	COPY o FROM STDIN;\n$rows\\.
	CREATE TABLE c AS SELECT shop, id, clv_history(date '2016-01-01' + day, amount) AS history FROM o GROUP BY shop, id;
	CREATE TABLE m AS SELECT shop, clv_fit(history, clv_options(as_of => '2016-12-31')) AS model FROM c GROUP BY shop;
	CREATE TABLE truth AS
	SELECT clv_model('mbg/nbd', '{"r": 0.9, "alpha": 8, "a": 1.1, "b": 3}', '1 week', '2016-12-31')
		|| clv_model('gamma/gamma', '{"p": 5, "q": 4, "gamma": 30}') AS model;
	CREATE TABLE t AS
		SELECT shop, (clv_predict_total(model, history, '52 weeks', 0, 1, NULL, $LEVEL)).* FROM m JOIN c USING (shop)
			GROUP BY shop;
	-- what the true model expects, and what happened
	CREATE TABLE e AS
		SELECT shop, (clv_predict_total(model, history, '52 weeks', 0, 1, NULL, $LEVEL)).* FROM truth, c GROUP BY shop;
	CREATE TABLE r AS
		SELECT shop, sum(clv_purchases_between(history, '2016-12-31', '2017-12-30')) AS purchases,
			   sum(clv_spend_between(history, '2016-12-31', '2017-12-30')) AS value FROM c
		WHERE clv_purchases(history, '2016-12-31') > 0 GROUP BY shop});

# A few small shops have no optimum, and so no intervals of expectations: they drop out of these two.
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM m, clv_diagnostics(model) d WHERE NOT d.converged}),
	'<=', $SHOPS / 20,
	'nearly all fits converge');

# covers(NAME, CONDITION): the share of shops for which it holds
sub covers
{
	my ($name, $condition) = @_;
	my $share = $node->safe_psql('postgres', qq{
		SELECT avg(($condition)::int) FROM t JOIN e USING (shop) JOIN r USING (shop)});
	my $error = 4 * sqrt($LEVEL * (1 - $LEVEL) / $SHOPS);

	cmp_ok(abs($share - $LEVEL), '<=', $error, "$name: $LEVEL within four standard errors") or diag "covered $share";
	note "$name: $share";
	return;
}

covers('purchases, true parameters', 'r.purchases BETWEEN e.purchases_low AND e.purchases_high');
covers('value, true parameters', 'r.value BETWEEN e.value_low AND e.value_high');
covers('purchases, fitted', 'r.purchases BETWEEN t.purchases_low AND t.purchases_high');
covers('value, fitted', 'r.value BETWEEN t.value_low AND t.value_high');
covers('expected purchases', 'e.expected_purchases BETWEEN t.purchases_mean_low AND t.purchases_mean_high');
covers('expected value', 'e.expected_value BETWEEN t.value_mean_low AND t.value_mean_high');

$node->stop;
done_testing();
