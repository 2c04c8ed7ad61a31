# The recipe for shards in docs/performance.md, run unchanged on four servers, gives what one server gives, to the
# bit; histories are made where the orders are, and of a fit and of a total each shard sends one row.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

# ---- the recipe: its blocks in order, each for the head or for every shard ----

my ($recipe) = slurp_file("$FindBin::Bin/../../docs/performance.md") =~ /^## Beyond one machine\n(.*?)^## /ms;
my @blocks;

push @blocks, [ $1, $2 ] while $recipe =~ /^```sql no-run (head|shard)\n(.*?)^```$/msg;

# block(PATTERN): the one that matches
sub block
{
	my ($pattern) = @_;
	my @found = grep { $_->[1] =~ $pattern } @blocks;

	is(scalar(@found), 1, "one block has $pattern");
	return $found[0][1];
}

# ---- servers ----

# server(NAME): a new one, with the database shop
sub server
{
	my ($name) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf', "jit = off\nfsync = off\ntimezone = 'UTC'\nautovacuum = off");
	$node->start;
	$node->safe_psql('postgres', 'CREATE DATABASE shop');
	return $node;
}

my $head = server('head');
if ($head->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'") eq '0')
{
	die "postgres_fdw is not installed, which comes with PostgreSQL's contrib modules\n" if $ENV{CLV_COMPLETE};
	plan skip_all => 'postgres_fdw is not installed';
}
my @shards = map { server("shard$_") } 1 .. 3;

cmp_ok(scalar(@blocks), '>', 8, 'the recipe has blocks');

# The addresses of the recipe become those of the servers.
sub addressed
{
	my ($sql) = @_;

	my @addresses = map { sprintf q{host '%s', port '%s'}, $_->host, $_->port } @shards;

	$sql =~ s/host 'shard(\d)', port '5432'/$addresses[ $1 - 1 ]/g;
	return $sql;
}

# Orders of 2,000 customers: some with one, some with many.
my $orders = q{
	SELECT c AS customer_id,
		timestamptz '2016-01-01 12:00+00' + (c * 79 % 180 + k * (5 + c * 31 % 61)) * interval '1 day' AS ordered_at,
		(5 + c * 13 % 41 + k / 7.0)::numeric(12,2) AS amount
	FROM generate_series(1, 2000) c, generate_series(0, 12) k
	WHERE (k <= (c * 613 % 23) - 9 OR k = 0)
	  AND c * 79 % 180 + k * (5 + c * 31 % 61) <= 730};

# The same on one server, in another database of the head.
$head->safe_psql('postgres', 'CREATE DATABASE whole');
$head->safe_psql('whole', qq{
	CREATE EXTENSION clv;
	CREATE TABLE orders AS $orders;
	CREATE TABLE customer AS
	SELECT customer_id, clv_history(ordered_at, amount) AS history FROM orders GROUP BY customer_id;
	CREATE TABLE model AS SELECT clv_fit(history, clv_options(as_of => '2017-12-31')) AS model FROM customer});

my %printed;

foreach my $block (@blocks)
{
	my ($where, $sql) = @$block;

	# orders come by the head, before histories are made of them
	$head->safe_psql('shop', "INSERT INTO orders $orders") if $sql =~ /^INSERT INTO customer/m;
	foreach my $node ($where eq 'head' ? $head : @shards)
	{
		$printed{$sql} = $node->safe_psql('shop', addressed($sql));
	}
}

# ---- results ----

# same(NAME, SHARDED, WHOLE): both queries print the same, and something
sub same
{
	my ($name, $sharded, $whole) = @_;
	my $expected = $head->safe_psql('whole', $whole);

	isnt($expected, '', "$name: there is something");
	$sharded = $head->safe_psql('shop', $sharded) if $sharded =~ /^\s*(SELECT|TABLE|WITH)/;
	is($sharded, $expected, "$name: as on one server");
	return;
}

my $histories = join ' UNION ALL ', map { "SELECT customer_id, history::text FROM customer_$_" } 1 .. 3;
my $all = 'SELECT count(*), md5(string_agg(customer_id || history, chr(10) ORDER BY customer_id))';

same('histories', "$all FROM ($histories) c", "$all FROM (SELECT customer_id, history::text FROM customer) c");
foreach my $i (0 .. 2)
{
	my $n = $shards[$i]->safe_psql('shop', 'SELECT count(*) FROM customer');

	cmp_ok($n, '>', 500, "shard $i has its customers ($n)");
}
same('the model', 'SELECT model FROM model', 'SELECT model FROM model');
same('totals', $printed{ block(qr/clv_predict_total/) },
	q{SELECT (clv_predict_total(model, history, '1 year', 0.10, 0.35)).* FROM customer, model});
same('cuts', 'SELECT cuts FROM cuts', q{SELECT rfmtc_cuts(history, '2017-12-31', model) FROM customer, model});
same('predictions', q{SELECT count(*), md5(string_agg(v::text, '' ORDER BY customer_id)) FROM prediction v},
	q{SELECT count(*), md5(string_agg(v::text, '' ORDER BY customer_id))
	  FROM (SELECT customer_id, (p).p_alive, (p).expected_purchases, (p).clv
			FROM (SELECT customer_id, clv_predict(model, history, '1 year', 0.10, 0.35) AS p
				  FROM customer, model OFFSET '0') q) v});
same('the most valuable', $printed{ block(qr/FROM prediction WHERE/) },
	q{SELECT customer_id, (p).clv
	  FROM (SELECT customer_id, clv_predict(model, history, '1 year', 0.10, 0.35) AS p
			FROM customer, model OFFSET '0') q
	  WHERE (p).p_alive > 0.9
	  ORDER BY 2 DESC
	  LIMIT 3});

# ---- what is sent between servers ----

# explained(STATEMENT): its plan, run, with what is sent
sub explained
{
	my ($statement) = @_;

	return $head->safe_psql('shop', "EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF) $statement");
}

# a_row_a_shard(NAME, PLAN, FUNCTION): the function is sent to each of three, and a row comes back
sub a_row_a_shard
{
	my ($name, $plan, $function) = @_;
	my @sent = $plan =~ /Remote SQL: SELECT (?:public\.)?$function\(.*FROM public\.customer$/mg;
	my @rows = $plan =~ /Foreign Scan.*\(actual rows=([\d.]+) loops=1\)/g;

	is(scalar(@sent), 3, "$name: $function is sent to every shard") or diag $plan;
	is(join(' ', map { $_ + 0 } @rows), '1 1 1', "$name: and a row comes back") or diag $plan;
	return;
}

my ($fit) = block(qr/clv_fit/) =~ /CREATE TABLE model AS\n(.*);/s;

a_row_a_shard('a fit', explained($fit), 'clv_cells');
a_row_a_shard('a total', explained(block(qr/clv_predict_total/) =~ s/;\s*$//r), 'clv_sums');

my ($cuts) = block(qr/rfmtc_cuts/) =~ /CREATE TABLE cuts AS\n(.*);/s;
a_row_a_shard('cuts', explained($cuts), 'clv_population');

my $plan = explained('SELECT customer_id, clv_history(ordered_at, amount) FROM orders GROUP BY customer_id');
my @made = $plan =~ /Remote SQL: SELECT customer_id, (?:public\.)?clv_history\(.*GROUP BY/g;
is(scalar(@made), 3, 'histories are made on the shards') or diag $plan;

my ($some) = block(qr/= ANY/) =~ /^(SELECT customer_id, clv_history.*);/ms;
$plan = explained($some);
my @keyed = $plan =~ /Remote SQL: .*customer_id = ANY \(\$1::bigint\[\]\)/g;
is(scalar(@keyed), 3, 'keys are sent to the shards') or diag $plan;
same('histories of some', "SELECT * FROM ($some) s ORDER BY customer_id",
	'SELECT customer_id, history FROM customer WHERE customer_id <= 20 ORDER BY customer_id');

# ---- orders that come later ----

my $later = q{SELECT 3 * c, timestamptz '2017-12-05 12:00+00', 9.95 FROM generate_series(1, 100) c};
my ($make) = block(qr/^INSERT INTO customer/m) =~ /(INSERT.*?);/s;

$head->safe_psql('shop', "INSERT INTO orders $later");
$make =~ s/GROUP BY/WHERE customer_id IN (SELECT customer_id FROM orders WHERE ordered_at > '2017-12-05') GROUP BY/;
$_->safe_psql('shop', $make) foreach @shards;
$head->safe_psql('whole', qq{INSERT INTO orders $later; TRUNCATE customer;
	INSERT INTO customer SELECT customer_id, clv_history(ordered_at, amount) FROM orders GROUP BY customer_id});
same('histories with later orders', "$all FROM ($histories) c",
	"$all FROM (SELECT customer_id, history::text FROM customer) c");
same('a later fit', $fit, q{SELECT clv_fit(history, clv_options(as_of => '2017-12-31')) FROM customer});

# ---- a pipeline of the head over all shards: shards make the histories, and every view is as on one server ----

my @pipelines = ([ $head, 'shop' ], [ $head, 'whole' ]);
my $changed = 'ALTER TABLE orders ADD written timestamptz';

$_->safe_psql('shop', $changed) foreach @shards;
foreach (@pipelines)
{
	my ($node, $database) = @$_;

	$node->safe_psql($database, qq{SET client_min_messages = error; $changed;
		UPDATE orders SET written = '2018-01-01';
		CALL clv_create_pipeline('pipe', 'orders', 'customer_id', 'ordered_at', 'amount', discount_rate => 0.1,
			changed_at => 'written', overlap => '0')});
}

# Refreshes both in that mode, and compares what the views show.
sub refreshed
{
	my ($name, $mode) = @_;
	my ($sharded, $whole) = map {
		$head->safe_psql($_, "SET client_min_messages = error; CALL clv_refresh('pipe', '$mode')");
		[ split /\n/, Shop::contents($head, 'pipe', $_) ]
	} qw(shop whole);
	my %whole = map { $_ => 1 } @$whole;

	cmp_ok(scalar(@$sharded), '>', 15, "$name: there are views");
	is(join("\n", grep { !$whole{$_} } @$sharded), '', "$name: they show what they show on one server");
	return;
}

# What a statement that makes histories for the pipeline sends to the shards, as often as that matches.
sub sent
{
	my ($name, $function, $pattern) = @_;
	my $plan = explained($head->safe_psql('shop',
		"SELECT clv_internal.$function FROM clv_internal.clv_pipeline_read('pipe') d"));
	my @found = $plan =~ /Remote SQL: SELECT customer_id, $pattern/g;

	is(scalar(@found), 3, $name) or diag $plan;
	return;
}

refreshed('a pipeline in full', 'full');
sent('shards group orders for a refresh in full', 'clv_pipeline_all_histories(d)',
	'(?:public\.)?clv_history\([^\n]*GROUP BY');
$head->safe_psql($_->[1], q{INSERT INTO orders
	SELECT 7 * c, timestamptz '2017-12-20 12:00+00', 20, '2018-02-01' FROM generate_series(1, 50) c})
	foreach @pipelines;
refreshed('a pipeline by touched customers', 'incremental');
$head->safe_psql('shop', 'INSERT INTO pipe_data.touched (customer_id, run) VALUES (7, 99)
	ON CONFLICT (customer_id) DO UPDATE SET run = excluded.run');
# whether the few orders of theirs are made histories there or here is for the planner to say
sent('keys are sent to the shards for touched customers', 'clv_pipeline_histories(d, 99)',
	'[^\n]*customer_id = ANY \(\$1::bigint\[\]\)');

# ---- the option and the setting are needed, as the page says ----

$head->safe_psql('shop', "ALTER SERVER shard$_ OPTIONS (DROP extensions)") foreach 1 .. 3;
unlike(explained($fit), qr/Remote SQL: .*clv_cells/, 'without the option extensions histories are pulled');

$_->stop foreach $head, @shards;
done_testing();
