# What clv_simulate draws is what fits assume: of 100,000 customers of each family, in whole days, the fit finds the
# parameters within their standard errors, and the effect of a calendar; and of a billion customers
# the first rows come at once and in no file, and a cancel ends the others.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('simulate');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv');

# Rates are such that two purchases on one day, which a history makes one, are rare.
my @worlds = (
	['mbg/nbd', '{"r": 0.8, "alpha": 10, "a": 0.9, "b": 2.6}', '1 month', '2010-01-01', 'gamma/gamma'],
	['bg/nbd', '{"r": 0.8, "alpha": 10, "a": 0.9, "b": 2.6}', '1 month', '2010-01-01', 'none'],
	['mbg/cnbd-k', '{"k": 3, "r": 2, "alpha": 3, "a": 0.6, "b": 3}', '1 month', '2014-01-01', 'none'],
	['pareto/nbd', '{"r": 0.9, "alpha": 12, "s": 0.7, "beta": 20}', '1 month', '2010-01-01', 'none'],
	['pareto/nbd/cor', '{"r": 0.9, "alpha": 1.6, "s": 0.7, "beta": 1.7, "m": 2}', '1 year', '2010-01-01', 'none'],
	['ggompertz/nbd', '{"r": 0.9, "alpha": 12, "b": 0.05, "s": 0.8, "beta": 4}', '1 month', '2010-01-01', 'none'],
	['bg/bb', '{"alpha": 1.2, "beta": 0.75, "gamma": 0.66, "delta": 2.78}', '1 year', '2000-01-01', 'none'],
	['sbg', '{"alpha": 0.668, "beta": 3.806}', '1 month', '2014-01-31', 'none'],
	['bdw', '{"alpha": 0.5, "beta": 3, "c": 1.4}', '1 month', '2014-01-31', 'none']);

my (@far, $within, $all);
foreach (@worlds)
{
	my ($family, $parameters, $unit, $since, $spend) = @$_;
	my $fit = $family =~ s{/cor$}{}r;
	my $options = $family eq $fit ? '' : ', correlation => true';
	my $rows = $node->safe_psql('postgres', qq{
		SET client_min_messages = error;
		SELECT p.name, q.estimate, p.estimate, (p.estimate - q.estimate) / p.std_error
		FROM (SELECT clv_model('$family', '$parameters', '$unit')
					 || clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}') AS m) w,
			 LATERAL (SELECT clv_fit(h, clv_options(model => '$fit', time_unit => '$unit', as_of => '2019-12-31',
							 spend => '$spend'$options)) AS f
					  FROM (SELECT clv_history(day, amount) AS h
							FROM clv_simulate(m, 100000, '$since', '2019-12-31', 2026) GROUP BY customer) c) g,
			 clv_parameters(f) p JOIN LATERAL clv_parameters(m) q USING (name, process)});

	foreach (split /\n/, $rows)
	{
		my ($name, $truth, $estimate, $distance) = split /\|/;

		# k is not estimated but chosen
		if ($distance eq '')
		{
			is($estimate, $truth, "$family: $name");
			next;
		}
		$all++;
		$within++ if abs($distance) <= 2;
		push @far, "$family $name is $estimate, not $truth: $distance" if abs($distance) > 3;
		note("$family $name $truth $estimate $distance");
	}
	ok($rows ne '', "$family: a fit");
}
# A campaign in one month of five doubles the rates of buying. The scale of rates, which the fit has at the mean of the
# calendar, is left out, and the calendar does not act on leaving, which whole days blur.
foreach (
	[ 'mbg/nbd', '"r": 0.8, "alpha": 14, "a": 0.9, "b": 2.6' ],
	[ 'bg/nbd', '"r": 0.8, "alpha": 14, "a": 0.9, "b": 2.6' ],
	[ 'mbg/cnbd-k', '"k": 3, "r": 2, "alpha": 4, "a": 0.6, "b": 3' ],
	[ 'pareto/nbd', '"r": 0.9, "alpha": 14, "s": 0.7, "beta": 20' ],
	[ 'ggompertz/nbd', '"r": 0.9, "alpha": 14, "b": 0.05, "s": 0.8, "beta": 4' ])
{
	my ($family, $parameters) = @$_;
	my $rows = $node->safe_psql('postgres', qq{
		SET client_min_messages = error;
		WITH world AS (
			SELECT clv_calendar((date '2012-01-01' + m * interval '1 month')::date, ARRAY[(m * 7 % 5 = 1)::int::float8],
					   '{campaign}') AS c
			FROM generate_series(0, 96) m), fitted AS (
			SELECT clv_fit(h, clv_options(model => '$family', time_unit => '1 month', as_of => '2019-12-31',
					   spend => 'none', churn_covariates => '{}', calendar => (SELECT c FROM world))) AS f
			FROM (SELECT clv_history(day) AS h
				  FROM world, clv_simulate('{"version": 1, "time_unit": "1 month", "purchase": {"family": "$family",
						   "parameters": {$parameters},
						   "covariates": [{"name": "campaign", "centre": 0, "purchase": 0.7}]}}'::clv_model, 100000,
						   '2012-01-01', '2019-12-31', 2026, c)
				  GROUP BY customer) h)
		SELECT name, 0.7, effect, (effect - 0.7) / std_error FROM fitted, clv_effects(f) WHERE process = 'purchase'
		UNION ALL
		SELECT name, truth::float8, estimate, (estimate - truth::float8) / std_error
		FROM fitted, clv_parameters(f) JOIN jsonb_each_text('{$parameters}') t (name, truth) USING (name)
		WHERE process = 'transaction' AND name <> 'alpha'});

	# the effect, and all parameters but alpha
	is(scalar(my @lines = split(/\n/, $rows)), scalar(my @all = $parameters =~ /:/g), "$family by a calendar: a fit");
	foreach (@lines)
	{
		my ($name, $truth, $estimate, $distance) = split /\|/;

		# k is not estimated but chosen
		if ($distance eq '')
		{
			is($estimate, $truth, "$family by a calendar: $name");
			next;
		}
		$all++;
		$within++ if abs($distance) <= 2;
		push @far, "$family by a calendar, $name is $estimate, not $truth: $distance" if abs($distance) > 3;
		note("$family by a calendar, $name $truth $estimate $distance");
	}
}
is("@far", '', 'no parameter is off by more than three standard errors');
cmp_ok($within, '>=', 0.9 * $all, "$within of $all are within two");

# Rows are passed on as they come: the first ones of a billion customers are there at once, in no temporary file.
my $first = $node->safe_psql('postgres', q{
	SET statement_timeout = '60 s';
	SET temp_file_limit = '1 MB';
	SELECT count(*)
	FROM (SELECT clv_simulate(clv_model('mbg/nbd', '{"r": 0.8, "alpha": 10, "a": 0.9, "b": 2.6}', '1 month'),
				 1000000000, '2010-01-01', '2019-12-31', 1) LIMIT 100000) s});
is($first, 100000, 'the first rows of a billion customers');

my ($rc, $out, $error) = $node->psql('postgres', q{
	SET statement_timeout = '1 s';
	SELECT count(s)
	FROM (SELECT clv_simulate(clv_model('mbg/nbd', '{"r": 0.8, "alpha": 10, "a": 0.9, "b": 2.6}', '1 month'),
				 1000000000, '2010-01-01', '2019-12-31', 1) AS s) s});
like($error, qr/canceling statement due to statement timeout/, 'all rows are canceled where that is wanted');

$node->stop;
done_testing();
