# What clv_campaign says of a thousand simulated campaigns of known effect: intervals of 95 % hold it so often, no
# effect is found where there is none, the adjustment takes off what the correlation says, and groups that chance did
# not make are named.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('campaign');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;

# 400 customers a campaign, treated by chance; of the treated one in seven orders once more in the month. The true
# effect is the mean over all customers of what the order changes: nothing, where they buy on that day by themselves.
$node->safe_psql('postgres', q{
	SET client_min_messages = error;
	CREATE EXTENSION clv;
	CREATE FUNCTION chance(key text) RETURNS float8 LANGUAGE sql IMMUTABLE
		RETURN (('x' || left(md5(key), 8))::bit(32)::bigint + 0.5) / 4294967296.0;
	CREATE TABLE model AS
	SELECT clv_model('mbg/nbd', '{"r": 0.9, "alpha": 8, "a": 0.4, "b": 2.2}', '1 week', '2022-06-30')
		   || clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS model;
	CREATE TABLE base AS
	SELECT customer, clv_history(day, amount) AS history
	FROM model, clv_simulate(model, 400000, '2020-01-01', '2022-07-31', 311, acquired_until => '2022-06-30')
	GROUP BY customer;
	CREATE TABLE answer AS
	SELECT customer, clv_history(date '2022-07-01' + (31 * chance(customer || 'day'))::int % 31, 30.0) AS more
	FROM generate_series(1, 400000) customer WHERE chance(customer || 'answers') < 1 / 7.0 GROUP BY customer;
	CREATE TABLE customer AS
	SELECT customer % 1000 AS run, chance(customer || 'treated') < 0.5 AS treated, history,
		   coalesce(history || more, history) AS answered, customer
	FROM base LEFT JOIN answer USING (customer);
	CREATE TABLE truth AS
	SELECT 'purchases' AS measure, avg(clv_purchases_between(answered, '2022-06-30', '2022-07-31')
			- clv_purchases_between(history, '2022-06-30', '2022-07-31')) AS effect FROM customer
	UNION ALL
	SELECT 'buyers', avg((clv_purchases_between(answered, '2022-06-30', '2022-07-31') > 0)::int
			- (clv_purchases_between(history, '2022-06-30', '2022-07-31') > 0)::int) FROM customer
	UNION ALL
	SELECT 'revenue', avg(clv_spend_between(answered, '2022-06-30', '2022-07-31')
			- clv_spend_between(history, '2022-06-30', '2022-07-31')) FROM customer;
	CREATE TABLE campaign AS
	SELECT e.*, q.run, q.kind
	FROM (SELECT run, 'effect' AS kind, clv_campaign(treated, CASE WHEN treated THEN answered ELSE history END, model,
				'2022-07-01', '2022-07-31', 100, 0.5) AS effects
		  FROM customer, model GROUP BY run
		  UNION ALL
		  SELECT run, 'none', clv_campaign(treated, history, model, '2022-07-01', '2022-07-31', 100, 0.5)
		  FROM customer, model GROUP BY run) q, unnest(q.effects) e});
foreach my $measure ('purchases', 'buyers', 'revenue')
{
	my ($runs, $covered, $found, $raw_found) = split /\|/, $node->safe_psql('postgres', qq{
		SELECT count(*) FILTER (WHERE c.kind = 'effect'),
			   avg((t.effect BETWEEN c.lower AND c.upper)::int) FILTER (WHERE c.kind = 'effect'),
			   avg((c.p_value < 0.05)::int) FILTER (WHERE c.kind = 'none'),
			   avg((c.raw_p_value < 0.05)::int) FILTER (WHERE c.kind = 'none')
		FROM campaign c JOIN truth t USING (measure) WHERE measure = '$measure'});

	is($runs, 1000, "$measure: a thousand campaigns");
	ok($covered >= 0.93 && $covered <= 0.97, "$measure: intervals hold the effect in $covered of them");
	ok($found >= 0.03 && $found <= 0.07, "$measure: an effect is found in $found of those without one");
	ok($raw_found >= 0.03 && $raw_found <= 0.07, "$measure: as without the adjustment, in $raw_found");

	# by theory, the variance of the adjusted effect is 1 - rho^2 of that of the raw one, in each campaign and over all
	my ($said, $within, $over, $theory, $honest) = split /\|/, $node->safe_psql('postgres', qq{
		SELECT avg(variance_explained), avg((std_error / raw_std_error) ^ 2),
			   variance(effect) / variance(raw_effect), avg(std_error ^ 2) / avg(raw_std_error ^ 2),
			   stddev(effect) / sqrt(avg(std_error ^ 2))
		FROM campaign WHERE measure = '$measure' AND kind = 'none'});

	ok($said > 0.02, "$measure: predictions explain $said of the variance");
	cmp_ok(abs($within - (1 - $said)), '<', 0.01, "$measure: and the adjustment takes off as much: $within");
	cmp_ok(abs($over - $theory), '<', 0.08, "$measure: in effects over all campaigns, too: $over");
	cmp_ok(abs($honest - 1), '<', 0.07, "$measure: which vary as their standard errors say: $honest");
}

# ---- groups ----
my ($balance, $share) = split /\|/, $node->safe_psql('postgres', q{
	SELECT avg((balance_p_value < 0.05)::int), avg((share_p_value < 0.05)::int)
	FROM campaign WHERE measure = 'purchases'});
ok($balance >= 0.03 && $balance <= 0.07, "groups made by chance differ in $balance of the campaigns at 5 %");
ok($share >= 0.03 && $share <= 0.07, "and their sizes in $share");

# flagged(TREATED): of a hundred campaigns in one statement those whose groups differ by what was predicted, those whose
# sizes are not as planned, both at 1 in 1,000; and how many warnings that raises
sub flagged
{
	my ($treated) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', qq{
		SELECT count(*) FILTER (WHERE c[1].balance_p_value < 0.001), count(*) FILTER (WHERE c[1].share_p_value < 0.001)
		FROM (SELECT clv_campaign($treated, history, model, '2022-07-01', '2022-07-31', 100, 0.5) AS c
			  FROM customer, model WHERE run < 100 GROUP BY run) q});

	return "$out|" . scalar(() = $err =~ /WARNING: /g);
}
is(flagged('treated'), '0|0|0', 'no word of groups that chance has made');
is(flagged(q{clv_purchases(history, '2022-06-30') >= 3}) =~ s/\|\d+\|/||/r, '100||1',
	'where the better customers are treated, each says so, and one warning');
is(flagged(q{chance(customer || 'other') < 0.75}), '0|100|1', 'and where arms are not as large as planned');

$node->stop;
done_testing();
