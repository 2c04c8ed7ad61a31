# clv is a guest in the server: the arithmetic of the backend stays as it was, and no thread is started.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('guest');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nmax_parallel_workers_per_gather = 0");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv');

# What a control register that flushes small numbers to zero, or rounds elsewhere, would change: a quotient below the
# normal numbers, an operand below them, a third of one, and of minus one.
my $arithmetic = q{SELECT 2.3e-308::float8 / 4 > 0, 5e-324::float8 * 1 > 0, float8send(1 / 3.0::float8),
						  float8send(-1 / 3.0::float8);};
my $work = q{
	SELECT clv_fit(h, clv_options(model => m)) IS NOT NULL FROM unnest(ARRAY['bg/nbd', 'pareto/nbd']) m,
		(SELECT clv_history(date '2020-01-01' + (i * 7919 + k * (1 + i % 90)) % 700, 5 + (i * 31 + k) % 50) AS h
		 FROM generate_series(1, 3000) i, generate_series(0, 5) k WHERE k <= i % 6 GROUP BY i) q GROUP BY m;
	SELECT (clv_predict(clv_model('mbg/nbd', '{"r": 0.5, "alpha": 6, "a": 0.9, "b": 1.6}', '1 week', '2022-06-01')
		|| clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 15}'), h, level => 0.9, discount_rate => 0.1)).clv > 0
	FROM (SELECT clv_history(date '2022-01-01', 5) AS h) q;};
my ($fresh) = $node->safe_psql('postgres', $arithmetic);

like($fresh, qr/^t\|t\|/, 'the server itself knows the smallest numbers');
is($node->safe_psql('postgres', "LOAD 'clv'; $arithmetic"), $fresh, 'and so it does with clv loaded');
is((split /\n/, $node->safe_psql('postgres', "SET client_min_messages = error; $work $arithmetic"))[-1], $fresh,
	'and after clv has worked');
SKIP:
{
	skip 'no /proc here', 1 unless -d '/proc/self/task';
	is((split /\n/,
		$node->safe_psql('postgres',
			"SET client_min_messages = error; $work SELECT count(*) FROM pg_ls_dir('/proc/self/task')"))[-1],
		'1',
		'a backend that has fitted and predicted has one thread');
}

$node->stop;
done_testing();
