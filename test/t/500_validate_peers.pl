# CLVTools, BTYD and BTYDplus on the CDNOW sample, and CLVTools with covariates on the apparel log, at their own
# parameters: what they predict of the hold-out in all, how far off they are by customer, and their tracking curves,
# to the digits of their files.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $shared = shared('oracles/bgnbd_cdnow-39w_holdout.csv', 'data/cdnow_log_sample.csv');

my $node = PostgreSQL::Test::Cluster->new('validate');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off");
$node->start;

my $log = slurp_file("$shared/data/cdnow_log_sample.csv");
$node->safe_psql('postgres', qq{
	CREATE EXTENSION clv;
	CREATE TABLE log (customer_id int, master_id int, date date, cds int, amount numeric);
	COPY log FROM STDIN WITH (FORMAT csv, HEADER);\n$log\\.
	CREATE TABLE customer AS SELECT customer_id, clv_history(date, amount) AS history FROM log GROUP BY customer_id});

# rows(FILE): a list of hashes
sub rows
{
	my ($header, @lines) = split /\n/, slurp_file("$shared/$_[0].csv");
	my @names = split /,/, $header;

	return map { my %row; @row{@names} = split /,/, $_, -1; \%row } grep { /\S/ } @lines;
}

# ours(QUERY): a list of lists
sub ours
{
	return map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql('postgres', $_[0]);
}

my %peer = (
	'BTYD' => [ 'bgnbd_btyd', 'bg/nbd', qw(r alpha a b) ],
	'CLVTools' => [ 'bgnbd', 'bg/nbd', qw(r alpha a b) ],
	'BTYDplus' => [ 'mbgnbd_btydplus', 'mbg/nbd', qw(r alpha a b) ],
	'CLVTools, Pareto' => [ 'pnbd', 'pareto/nbd', qw(r alpha s beta) ],
	'BTYD, Pareto' => [ 'pnbd_btyd', 'pareto/nbd', qw(r alpha s beta) ]);

foreach my $name (sort keys %peer)
{
	my ($file, $family, @names) = @{ $peer{$name} };
	# parameters come with twelve digits, and what follows from them cannot be better than they are
	my $digits = 1e-9;
	my $stem = "oracles/${file}_cdnow-39w";
	my $parameters = slurp_file("$shared/${stem}_params.csv");
	my $json = join ', ', map { $parameters =~ /,$_,([-+.\de]+),/ ? qq("$_": $1) : die "no $_ in $file" } @names;
	my $model = "clv_model('$family', '{$json}', '1 week', '1997-09-30')";

	my ($holdout) = rows("${stem}_holdout");
	my ($got) = ours(qq{SELECT customers, actual_purchases, predicted_purchases, mae, rmse
		FROM clv_backtest('customer', 'history', '1997-09-30', '$holdout->{horizon} weeks', model => $model)});
	is("@$got[0, 1]", "$holdout->{n} $holdout->{actual_total}", "$name: customers, and what they bought");
	ok(abs($got->[2] / $holdout->{predicted_total} - 1) < $digits, "$name: what was predicted")
	  or diag "$got->[2] is not $holdout->{predicted_total}";
	ok(abs($got->[3] / $holdout->{mae} - 1) < $digits, "$name: mean absolute error")
		or diag "$got->[3] is not $holdout->{mae}";
	ok(abs($got->[4] / $holdout->{rmse} - 1) < $digits, "$name: root mean square error")
		or diag "$got->[4] is not $holdout->{rmse}";

	# the same in tenths and in classes
	my ($sums) = ours(qq{SELECT (SELECT abs(sum(predicted_purchases) / $got->[2] - 1) < 1e-12
										AND abs(sum(actual_purchases) - $got->[1]) < 1e-9
			FROM clv_backtest_deciles('customer', 'history', NULL, '39 weeks', model => $model)),
		(SELECT abs(sum(predicted_purchases) / $got->[2] - 1) < 1e-12 AND sum(actual_purchases) = $got->[1]
			FROM clv_backtest_calibration('customer', 'history', NULL, '39 weeks', model => $model))});
	is("@$sums", 't t', "$name: tenths and classes add up");

	if ($file =~ /btyd/)
	{
		# week k ends 7 k days after 1997-01-01; it counts what was bought before that day
		my @curve = rows("${stem}_tracking");
		my @expected = ours(qq{SELECT expected, expected_cumulative
			FROM clv_tracking('customer', 'history', $model, '1 week', '1997-01-01', '1998-07-01') ORDER BY number});
		my @actual = ours(qq{SELECT actual_cumulative
			FROM clv_tracking('customer', 'history', $model, '1 week', '1996-12-31', '1998-06-30') ORDER BY number});

		is(scalar(@expected), 78, "$name: 78 weeks");
		# BTYDplus integrates numerically, which goes wrong for ages of more than 27 weeks, by up to 1.6e-4 (see 301)
		my $sound = $file =~ /plus/ ? 26 : 77;
		is(scalar(grep { abs($expected[$_][0] / $curve[$_]{expected} - 1) > $digits
			  || abs($expected[$_][1] / $curve[$_]{expected_cum} - 1) > $digits } 0 .. $sound), 0,
				  "$name: what was expected each week");
		ok(abs($expected[77][1] / $curve[77]{expected_cum} - 1) < ($sound < 77 ? 1.6e-4 : $digits),
			"$name: and in all");
		is(join(' ', map { $_->[0] } @actual), join(' ', map { $_->{actual_cum} } @curve),
			"$name: what was bought until then");
		is(join(' ', map { $_->[0] } @actual),
			join(' ', map { $_->{actual_cumulative_repeat} } rows('data/cdnow_actual_cumulative')),
			"$name: as published") if $file eq 'bgnbd_btyd';
	}
	else
	{
		# weeks end on Sunday; a first row for the first day, and a last one that the data do not fill
		my @curve = rows("${stem}_tracking");
		shift @curve;
		pop @curve;
		my @got = ours(qq{SELECT ends_on, expected, expected_cumulative, actual, actual_cumulative
			FROM clv_tracking('customer', 'history', $model, '1 week', '1996-12-29', '1998-06-28') ORDER BY number});

		is(join(' ', map { $_->[0] } @got), join(' ', map { $_->{'period.until'} } @curve), "$name: its weeks");
		is(scalar(grep { abs($got[$_][1] / $curve[$_]{expected} - 1) > $digits
			  || abs($got[$_][2] / $curve[$_]{expected_cum} - 1) > $digits } 0 .. $#curve), 0,
				  "$name: what was expected each week");
		is(join(' ', map { "$_->[3] $_->[4]" } @got), join(' ', map { "$_->{actual} $_->{actual_cum}" } @curve),
			"$name: what was bought");
	}
}

# CLVTools with covariates: 104 weeks of the apparel log, then 39 to predict
my ($apparel, $covariates) = map { slurp_file("$shared/data/apparel_$_.csv") } qw(log static_cov);
$node->safe_psql('postgres', qq{
	CREATE TABLE apparel (customer_id int, date date, amount numeric);
	COPY apparel FROM STDIN WITH (FORMAT csv, HEADER);\n$apparel\\.
	CREATE TABLE covariate (customer_id int, gender int, channel int);
	COPY covariate FROM STDIN WITH (FORMAT csv, HEADER);\n$covariates\\.
	CREATE TABLE buyer AS SELECT clv_history(date, amount) AS history, ARRAY[gender, channel] AS z
	FROM apparel JOIN covariate USING (customer_id) GROUP BY customer_id, gender, channel});
foreach my $test ([ 'pnbd-static', 'pareto/nbd', qw(r alpha s beta) ], [ 'bgnbd-static-nm', 'bg/nbd', qw(r alpha a b) ])
{
	my ($file, $family, @names) = @$test;
	my $stem = "oracles/${file}_apparel-104w";
	my $digits = 1e-9;
	my $parameters = slurp_file("$shared/${stem}_params.csv");
	my $value = sub { $parameters =~ /,\Q$_[0]\E,([-+.\de]+),/ ? $1 : die "no $_[0] in $file" };
	my $json = join ', ', map { qq("$_": ) . $value->($_) } @names;
	my $effects = join ', ',
		map {
			qq({"name": "$_", "purchase": ) . $value->("trans.$_") . ', "churn": ' . $value->("life.$_") . '}' }
	  qw(Gender Channel);
	my $model = "clv_model('$family', '{$json}', '1 week', '2006-12-31', '[$effects]')";

	my ($holdout) = rows("${stem}_holdout");
	my ($got) = ours(qq{SELECT customers, actual_purchases, predicted_purchases, mae, rmse
		FROM clv_backtest('buyer', 'history', NULL, '$holdout->{horizon} weeks', model => $model, covariates => 'z')});
	is("@$got[0, 1]", "$holdout->{n} $holdout->{actual_total}", "$file: customers, and what they bought");
	is(scalar(grep { abs($got->[$_->[0]] / $holdout->{ $_->[1] } - 1) > $digits } [ 2, 'predicted_total' ],
		[ 3, 'mae' ], [ 4, 'rmse' ]), 0,
		"$file: what was predicted, and the errors") or diag "@$got";

	my @curve = rows("${stem}_tracking");
	shift @curve;
	pop @curve;
	my @got = ours(qq{SELECT ends_on, expected, expected_cumulative, actual, actual_cumulative
		FROM clv_tracking('buyer', 'history', $model, '1 week', '2005-01-02', '$curve[-1]{'period.until'}',
				 covariates => 'z') ORDER BY number});
	is(join(' ', map { $_->[0] } @got), join(' ', map { $_->{'period.until'} } @curve), "$file: its weeks");
	is(scalar(grep { abs($got[$_][1] / $curve[$_]{expected} - 1) > $digits
		  || abs($got[$_][2] / $curve[$_]{expected_cum} - 1) > $digits } 0 .. $#curve), 0,
			  "$file: what was expected each week");
	is(join(' ', map { "$_->[3] $_->[4]" } @got), join(' ', map { "$_->{actual} $_->{actual_cum}" } @curve),
		"$file: what was bought");
}

$node->stop;
done_testing();
