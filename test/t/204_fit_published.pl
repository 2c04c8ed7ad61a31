# Published fits of the families with clocks of their own, from their published tables, through SQL.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $shared = shared('data/donations_bgbb.csv');

my $node = PostgreSQL::Test::Cluster->new('published');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION clv;
CREATE TABLE donation (x int, t_x int, n int, customers int, later int);
CREATE TABLE survivor (year int, high_end int, regular int);
CREATE TABLE donor (recency int, frequency int, volume int, tenure int, donated int,
	line int GENERATED ALWAYS AS IDENTITY);
SQL

# Loads a CSV file of the reference data into these columns of a table.
sub load
{
	my ($table, $columns, $file) = @_;
	my @rows;

	open my $csv, '<', "$shared/data/$file" or die "$file: $!";
	<$csv>;
	while (<$csv>)
	{
		s/\s+$//;
		push @rows, "($_)";
	}
	close $csv;
	$node->safe_psql('postgres', "INSERT INTO $table ($columns) VALUES " . join(',', @rows));
}
load('donation', 'x, t_x, n, customers, later', 'donations_bgbb.csv');
load('survivor', 'year, high_end, regular', 'sbg_survivors.csv');
load('donor', 'recency, frequency, volume, tenure, donated', 'transfusion.csv');

# The output of a query.
sub one
{
	my ($sql) = @_;
	return $node->safe_psql('postgres', $sql);
}

# A check that a number is within the tolerance of another.
sub near
{
	my ($got, $expected, $tolerance, $what) = @_;
	return ok(abs($got - $expected) <= $tolerance, "$what: $got is $expected +- $tolerance");
}

# The parameters by name of the model m that a query returns.
sub parameters
{
	my ($sql) = @_;
	return split /[|\n]/, one("SELECT name, estimate FROM ($sql) q, clv_parameters(m)");
}

# ---- bg/bb: 11,104 donors of a public radio station; a row of the table is as many rows as it counts ----
my $donations = <<'SQL';
SELECT clv_fit(x, t_x, n, NULL, clv_options(model => 'bg/bb', time_unit => '1 year', spend => 'none')) AS m
  FROM donation, generate_series(1, customers)
SQL
my %got = parameters($donations);
near($got{alpha}, 1.204, 6e-4, 'donations alpha');
near($got{beta}, .750, 6e-4, 'donations beta');
near($got{gamma}, .657, 6e-4, 'donations gamma');
near($got{delta}, 2.783, 6e-4, 'donations delta');
near(one("SELECT log_likelihood FROM ($donations) q, clv_diagnostics(m)"), -33225.58, 6e-3, 'donations log-likelihood');
is(one("SELECT customers, converged FROM ($donations) q, clv_diagnostics(m)"), '11104|t', 'all donors, converged');
open my $peer, '<', "$shared/oracles/bgbb_btyd_donations_params.csv" or die $!;
<$peer>;
while (<$peer>)
{
	my @row = split /,/;
	my ($estimate, $error, $loglik) = split /\|/,
	  one("SELECT estimate, std_error, log_likelihood FROM ($donations) q, clv_parameters(m), clv_diagnostics(m)
		WHERE name = '$row[5]'");

	near($estimate, $row[6], 1e-3 * $row[6], "BTYD $row[5]");
	near($error, $row[7], 2e-3 * $row[7], "BTYD standard error of $row[5]");
	cmp_ok($loglik, '>=', $row[8] - 1e-6, 'BTYD is no likelier');
}
close $peer;

# ---- the same donors as a log of dates: the first gift in 1995, one in each year taken, the last in the t_x-th ----
foreach my $dates (
	[ 'on the anniversary', q{date '1995-06-15' + k * interval '1 year'}, 'anniversary' ],
	[ 'every 1 January', q{make_date(1995 + k, 1, 1)}, 'anniversary' ],
	[ 'every 1 January', q{make_date(1995 + k, 1, 1)}, 'calendar' ],
	[ 'on any day',
		q{make_date(1995 + k, 1 + (7 * donor::int * (k + 1)) % 12, 1 + (5 * donor::int + 11 * k) % 28)},
		'calendar' ])
{
	my ($when, $date, $periods) = @$dates;
	my $sql = <<"SQL";
SELECT clv_fit(history,
		   clv_options(model => 'bg/bb', time_unit => '1 year', as_of => '2001-12-31', periods => '$periods',
			   spend => 'none')) AS m
  FROM (SELECT clv_history($date) AS history
		  FROM (SELECT row_number() OVER () AS donor, x, t_x FROM donation, generate_series(1, customers)) d,
			   generate_series(0, t_x::int) k
         WHERE k < x OR k = t_x OR k = 0 GROUP BY donor) h
SQL

	near(one("SELECT log_likelihood FROM ($sql) q, clv_diagnostics(m)"),
		one("SELECT log_likelihood FROM ($donations) q, clv_diagnostics(m)"), 1e-8,
		"donations $when, $periods: log-likelihood");
	is(one("SELECT customers, converged, skipped FROM ($sql) q, clv_diagnostics(m)"), '11104|t|0',
		"donations $when, $periods: all donors");
}

# ---- sbg: survivors of 1,000, year by year; those lost between two years made one renewal less than was possible ----
foreach my $cohort ([ 'high_end', .668, 3.806 ], [ 'regular', .704, 1.182 ])
{
	my ($name, $alpha, $beta) = @$cohort;
	my %got = parameters(<<"SQL");
SELECT clv_fit(made, made, possible, NULL, clv_options(model => 'sbg', time_unit => '1 year', spend => 'none')) AS m
  FROM (SELECT year - 1 AS made, year AS possible, lag($name) OVER (ORDER BY year) - $name AS customers FROM survivor
        UNION ALL (SELECT year, year, $name FROM survivor ORDER BY year DESC LIMIT 1)) s, generate_series(1, customers)
SQL
	near($got{alpha}, $alpha, 6e-4, "$name alpha");
	near($got{beta}, $beta, 6e-4, "$name beta");
}

# ---- rfmtc: 748 blood donors, and which of them gave in the month after ----
# area under the curve, ties counted half
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION area(model clv_model, since int) RETURNS float8 LANGUAGE sql
	RETURN (SELECT (sum(rank) FILTER (WHERE donated = 1)
					   - count(*) FILTER (WHERE donated = 1) * (count(*) FILTER (WHERE donated = 1) + 1) / 2.0)
	               / (count(*) FILTER (WHERE donated = 1) * count(*) FILTER (WHERE donated = 0))
	          FROM (SELECT donated, rank() OVER (ORDER BY p) + (count(*) OVER (PARTITION BY p) - 1) / 2.0 AS rank
					  FROM (SELECT donated,
								   clv_expected_purchases(model, frequency - 1, tenure - recency, tenure, 1) AS p
							  FROM donor WHERE line >= since) q) q);
SQL
my $own = "SELECT clv_fit(frequency - 1, tenure - recency, tenure, NULL, donated = 1,
					  clv_options(model => 'rfmtc', time_unit => '1 month', spend => 'none')) AS m
			 FROM donor WHERE line <= 500";
is(one("SELECT customers, converged FROM ($own) q, clv_diagnostics(m)"), '500|t',
	'rfmtc: fitted to the first 500 donors');
cmp_ok(one("SELECT area(m, 501) FROM ($own) q"), '>=', .795, 'rfmtc: area under the curve of the other 248');
cmp_ok(one("SELECT avg((clv_expected_purchases(m, frequency - 1, tenure - recency, tenure, 1) - donated) ^ 2)
			  FROM ($own) q, donor WHERE line > 500"), '<=', .144, 'rfmtc: Brier score');

$node->stop;
done_testing();
