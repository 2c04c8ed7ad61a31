# The published fits of the CDNOW sample, from its raw log: parameters, likelihoods and standard errors, however
# the customers reach the fit.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $shared = shared('data/cdnow_log_sample.csv');
my $log = "$shared/data/cdnow_log_sample.csv";
my $oracles = "$shared/oracles";

my $node = PostgreSQL::Test::Cluster->new('cdnow');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv');

# The log has more columns than the fit needs.
my @orders;
open my $csv, '<', $log or die "$log: $!";
<$csv>;
while (<$csv>)
{
	chomp;
	my ($customer, undef, $date, undef, $amount) = split /,/;
	push @orders, "($customer,'$date',$amount)";
}
close $csv;
is(scalar(@orders), 6919, 'the log has its 6919 lines');
$node->safe_psql('postgres', 'CREATE TABLE orders (customer_id int, date date, amount numeric)');
$node->safe_psql('postgres', 'INSERT INTO orders VALUES ' . join(',', splice(@orders, 0, 1000))) while @orders;
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE customer AS
	SELECT customer_id, clv_history(date, amount) AS history FROM orders GROUP BY customer_id;
CREATE TABLE model AS
	SELECT name, clv_fit(history, clv_options(model => name, as_of => '1997-09-30')) AS model
	  FROM customer, unnest('{bg/nbd,mbg/nbd}'::text[]) name GROUP BY name;
SQL

# The output of a query, which must not fail.
sub one
{
	my ($sql) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', $sql);
	die "$sql: $err" if $rc != 0;
	return $out;
}

# A check that a number is within the tolerance of another.
sub near
{
	my ($got, $expected, $tolerance, $what) = @_;
	return ok(abs($got - $expected) <= $tolerance, "$what: $got is $expected +- $tolerance");
}

# The printed digits of the literature; half a unit of the last one, and the rounding of ours.
my %published = (
	'bg/nbd' => { r => [ .2426, 5.1e-5 ], alpha => [ 4.414, 5.1e-4 ], a => [ .793, 5.1e-4 ], b => [ 2.426, 5.1e-4 ],
		loglik => [ -9582.43, .005 ] },
	'mbg/nbd' => { r => [ .5248, 5.1e-5 ], alpha => [ 6.183, 5.1e-4 ], a => [ .8914, 5.1e-5 ], b => [ 1.614, 5.1e-4 ],
		loglik => [ -9582.14, .005 ] },
	'gamma/gamma' => { p => [ 6.249, 1.1e-3 ], q => [ 3.744, 1.1e-3 ], gamma => [ 15.444, 1.1e-3 ],
		loglik => [ -4055.92, .005 ] });

foreach my $name ('bg/nbd', 'mbg/nbd')
{
	my %row = split /[|\n]/, one(
		"SELECT p.name, p.estimate FROM model, clv_parameters(model) p WHERE model.name = '$name'");

	near($row{$_}, @{ $published{$name}{$_} }, "$name $_") foreach qw(r alpha a b);
	near($row{$_}, @{ $published{'gamma/gamma'}{$_} }, "gamma/gamma $_ beside $name") foreach qw(p q gamma);
	my ($loglik, $spend_loglik, $rest) = split /\|/, one(
		"SELECT log_likelihood, spend_log_likelihood, (customers, skipped, converged, spend_customers, spend_skipped,
				spend_converged, as_of = '1997-09-30', time_unit = '1 week', occasion)
		   FROM model, clv_diagnostics(model)
		  WHERE name = '$name'");
	near($loglik, @{ $published{$name}{loglik} }, "$name log-likelihood");
	near($spend_loglik, @{ $published{'gamma/gamma'}{loglik} }, 'gamma/gamma log-likelihood');
	is($rest, '(2357,0,t,946,0,t,t,t,1)', 'all customers, all repeat buyers, converged');
}

# Peers on the same data: their optimisers stop early, so that they may be a little off and never better.
foreach my $peer ([ 'bg/nbd', 'bgnbd_btyd_cdnow-39w' ], [ 'bg/nbd', 'bgnbd_cdnow-39w' ],
	[ 'mbg/nbd', 'mbgnbd_btydplus_cdnow-39w' ], [ 'gamma/gamma', 'gg_btyd_cdnow-39w' ])
{
	my ($family, $file) = @$peer;
	my $path = "$oracles/${file}_params.csv";
	my $of = $family eq 'gamma/gamma' ? 'bg/nbd' : $family;
	my $which = $family eq 'gamma/gamma' ? 'spend_log_likelihood' : 'log_likelihood';
	my $loglik = one("SELECT $which FROM model, clv_diagnostics(model) WHERE name = '$of'");
	my $compared = 0;

	open my $fh, '<', $path or die "$path: $!";
	my @columns = split /,/, <$fh> =~ s/\s+$//r;
	while (my $line = <$fh>)
	{
		$line =~ s/\s+$//;
		$line =~ s/"([^"]*)"/$1 =~ s{,}{;}gr/ge;
		my %theirs;
		@theirs{@columns} = split /,/, $line;
		next if $theirs{param} eq 'k';
		my ($estimate, $error) = split /\|/, one(
			"SELECT estimate, std_error FROM model, clv_parameters(model) p
				WHERE model.name = '$of' AND p.name = '$theirs{param}'");

		near($estimate, $theirs{estimate}, 1e-3 * $theirs{estimate}, "$file $theirs{param}");
		near($error, $theirs{se}, 2e-3 * $theirs{se}, "$file standard error of $theirs{param}");
		cmp_ok($loglik, '>=', $theirs{loglik} - 1e-6, "$file is no better") if !$compared++;
	}
	close $fh;
	cmp_ok($compared, '>=', 3, "$file compared");
}

# Limits by the profile of the likelihood, as test/oracle/profile.py finds them without our code.
open my $limits, '<', "$FindBin::Bin/../oracle/profile.csv" or die "profile.csv: $!";
my $limits_compared = 0;
<$limits>;
while (<$limits>)
{
	chomp;
	my ($family, $parameter, undef, @theirs) = split /,/;
	my $of = $family eq 'gamma/gamma' ? 'mbg/nbd' : $family;
	my @ours = split /\|/, one(
		"SELECT lower, upper
		   FROM (SELECT clv_fit(history, clv_options(model => '$of', profile => 0.95, as_of => '1997-09-30'))
				   FROM customer) f (m), clv_parameters(m, 0.95, 'profile') p
		  WHERE p.name = '$parameter'");

	near($ours[$_], $theirs[$_], 1e-8 * $theirs[$_], "$family $parameter limit $_") foreach 0, 1;
	$limits_compared++;
}
close $limits;
is($limits_compared, 15, 'limits of four families');

# Every way to the same model.
my $options = "clv_options(model => 'bg/nbd', as_of => '1997-09-30')";
foreach my $way (
	[ 'two steps', "SELECT clv_fit(c) FROM (SELECT clv_cells(history, $options) AS c FROM customer) q" ],
	['a hundred parts',
		"SELECT clv_fit(c)
		   FROM (SELECT clv_cells(history, $options) AS c FROM customer GROUP BY customer_id % 100) q" ],
	[ 'another order', "SELECT clv_fit(history, $options ORDER BY md5(customer_id::text)) FROM customer" ],
	['a difference',
		"
		SELECT clv_fit(a - b)
		  FROM (SELECT clv_internal.clv_cells_merge(c, d) AS a, d AS b
				  FROM (SELECT clv_cells(history, $options) AS c,
			clv_cells(history, $options) FILTER (WHERE customer_id % 7 = 0) AS d FROM customer) q) q" ])
{
	my ($what, $sql) = @$way;
	is(one("SELECT ($sql) = model FROM model WHERE name = 'bg/nbd'"), 't', "$what: the same model to the bit");
}
is(one("SELECT bool_and(a.estimate = b.estimate) FROM model, clv_parameters(model) a,
		(SELECT clv_fit(x, t_x, t_cal, mean_spend, clv_options(model => 'bg/nbd')) AS m
		   FROM customer, clv_summary(history, '1997-09-30')) q, clv_parameters(m) b
	  WHERE model.name = 'bg/nbd' AND a.name = b.name"), 't', 'summaries: the same parameters to the bit');

is(one("
	   SELECT purchase_model
		 FROM (SELECT clv_fit(history, clv_options(model => 'auto', as_of => '1997-09-30')) AS m
				 FROM customer) q,
	clv_diagnostics(m)"), 'mbg/nbd', "'auto' takes mbg/nbd, which is a little likelier here");
is(one("SELECT w.iterations < d.iterations AND w.spend_iterations < d.spend_iterations
	  FROM model, clv_diagnostics(model) d,
		   LATERAL (SELECT clv_fit(history,
							   clv_options(model => 'bg/nbd', as_of => '1997-09-30', start => model))
	  AS warm FROM customer) q, clv_diagnostics(warm) w WHERE name = 'bg/nbd'"), 't',
		'a warm start takes fewer iterations');

# One model per month of the first purchase: three groups, each that of its customers alone.
is(one("SELECT count(*), bool_and(m = (SELECT clv_fit(history, $options) FROM customer
		WHERE date_trunc('month', clv_first_purchase(history)) = month))
	  FROM (SELECT date_trunc('month', clv_first_purchase(history)) AS month, clv_fit(history, $options) AS m
	          FROM customer GROUP BY 1) q"), '3|t', 'GROUP BY gives the model of each group');

$node->stop;
done_testing();
