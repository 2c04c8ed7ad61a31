# Correlated rates, pareto/nbd/cor: CLVTools' fits reached or beaten, and its numbers at its own parameters.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $shared = shared('oracles/pnbd-cor_cdnow-39w_params.csv', 'data/apparel_log.csv');

my $node = PostgreSQL::Test::Cluster->new('correlated');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv; CREATE TABLE m (name text, model clv_model)');

# Creates a table with the columns and the rows of a CSV file.
sub load
{
	my ($table, $file) = @_;
	my $rows = slurp_file("$shared/$file.csv");
	my ($header) = $rows =~ /^(.*)$/m;

	$node->safe_psql('postgres', "CREATE TABLE $table ("
		  . join(', ', map { "$_ " . ($_ eq 'date' ? 'date' : $_ eq 'amount' ? 'numeric' : 'float8') }
			  split /,/, $header)
		  . ");\nCOPY $table FROM STDIN WITH (FORMAT csv, HEADER);\n$rows\\.\n");
	return;
}

# Estimates by name, and the log-likelihood.
sub theirs
{
	my ($file) = @_;
	my %value;

	foreach my $line (split /\n/, slurp_file("$shared/oracles/$file.csv"))
	{
		$line =~ s/"([^"]*)"/$1 =~ s{,}{;}gr/ge;
		my @field = split /,/, $line;

		next if $field[0] eq 'model';
		@value{ $field[5], 'loglik' } = @field[ 6, 8 ];
	}
	return %value;
}

load('cdnow', 'data/cdnow_log_sample');
load('apparel', 'data/apparel_log');
my %day = ('cdnow-39w' => '1997-09-30', 'apparel-104w' => '2006-12-31');
my %count = ('cdnow-39w' => 2357, 'apparel-104w' => 600);

foreach my $spec ([ 'pnbd-cor', 'cdnow-39w' ], [ 'pnbd-cor', 'apparel-104w' ], [ 'pnbd-cor-nm', 'apparel-104w' ])
{
	my ($kind, $data) = @$spec;
	(my $shop = $data) =~ s/-.*//;
	(my $table = "${kind}_$data") =~ tr/-/_/;
	my %peer = theirs("${kind}_${data}_params");
	my %plain = theirs("pnbd_${data}_params");
	my ($r, $alpha, $s, $beta, $rho) = @peer{ qw(r alpha s beta), 'Cor(life;trans)' };
	my $m = $rho / (
		sqrt($r * $s) / (($alpha + 1) * ($beta + 1)) * ($alpha / ($alpha + 1))**$r * ($beta / ($beta + 1))**$s);

	$node->safe_psql('postgres', "CREATE TABLE c_$table AS SELECT customer_id,
		clv_history(date, amount) AS history FROM $shop GROUP BY 1;
		INSERT INTO m
		VALUES ('$table',
			clv_model('pareto/nbd/cor', '{\"r\": $r, \"alpha\": $alpha, \"s\": $s, \"beta\": $beta, \"m\": $m}',
				'1 week', '$day{$data}'))");
	load($table, "oracles/${kind}_${data}_customers");

	# its likelihood at its own parameters, which have 12 digits, and the correlation it reports
	my ($customers, $loglik, $correlation) = split /\|/, $node->safe_psql('postgres', qq{
		SELECT count(*), sum(clv_log_likelihood(model, history)), min(p.estimate)
		FROM c_$table, m, clv_parameters(model) p
		 WHERE m.name = '$table' AND p.name = 'correlation'});
	is($customers, $count{$data}, "$table: customers");
	cmp_ok(abs($loglik - $peer{loglik}), '<', 1e-6, "$table: likelihood");
	cmp_ok(abs($correlation / $rho - 1), '<', 1e-12, "$table: correlation");

	# Its predictions leave m aside: they are pareto/nbd's at the same r, alpha, s and beta, in which ours agree; with m
	# they are others.
	foreach my $column ([ 'palive', 'clv_p_alive(n, history)', 'clv_p_alive(model, history)' ],
		['cet_39', "clv_expected_purchases(n, history, '39 weeks')",
			"clv_expected_purchases(model, history, '39 weeks')" ],
		['cet_52', "clv_expected_purchases(n, history, '52 weeks')",
			"clv_expected_purchases(model, history, '52 weeks')" ],
		[ 'dert_10pct', 'clv_discounted_purchases(n, history, 0.1)', 'clv_discounted_purchases(model, history, 0.1)' ])
	{
		my ($name, $alone, $tied) = @$column;

		is($node->safe_psql('postgres', qq{
			SELECT count(*),
				   count(*) FILTER (WHERE NOT coalesce(abs(alone - $name) <= 1e-6 * abs($name), false)),
				   max(abs(tied / $name - 1)) > 1e-3
			  FROM (SELECT $name, $alone AS alone, $tied AS tied FROM $table JOIN c_$table USING (customer_id), m,
				   (SELECT jsonb_set(model::jsonb, '{purchase,parameters,m}', '0')::clv_model AS n
					FROM m WHERE name = '$table') z
					WHERE m.name = '$table') q}), "$count{$data}|0|t", "$table $name: the same without m, for each");
	}

	# no model is likelier than our fit, neither the peer's nor the family within
	my ($rc, $out, $err) = $node->psql('postgres', qq{
		SELECT d.log_likelihood, d.converged, e.log_likelihood FROM
			(SELECT clv_fit(history,
						clv_options(model => 'pareto/nbd', correlation => true, as_of => '$day{$data}',
							spend => 'none')) AS a,
					clv_fit(history, clv_options(model => 'pareto/nbd', as_of => '$day{$data}', spend => 'none')) AS b
						FROM c_$table) q,
			clv_diagnostics(a) d, clv_diagnostics(b) e});
	my ($ours, $converged, $within) = split /\|/, $out;
	cmp_ok($ours, '>=', $peer{loglik} - 1e-6, "$table: the peer is no likelier");
	cmp_ok($ours, '>=', $plain{loglik} - 1e-6, "$table: nor is the peer without correlation");
	cmp_ok($ours, '>=', $within, "$table: nor is pareto/nbd");
	is($converged, 'f', "$table: m is at its limit");
	my $warning = 'fit of "pareto/nbd/cor" did not converge: m reached the border of its range';
	like($err, qr/WARNING:  \Q$warning\E.*HINT:  The family allows no more of it/s,
		"$table: and that is said");
}

$node->stop;
done_testing();
