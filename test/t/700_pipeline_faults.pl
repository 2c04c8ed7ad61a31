# Whatever stops a refresh leaves the views as they were, says so in runs, and does not trouble the next one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time usleep);

my $node = PostgreSQL::Test::Cluster->new('faults');
# small files of the log, so that a small limit on files can be told from a server without a log
$node->init(extra => ['--wal-segsize=1']);
Shop::configure($node);
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION clv; $Shop::orders");
foreach ('shop', 'twin')
{
	$node->safe_psql('postgres', qq{CALL clv_create_pipeline('$_', 'orders', 'customer_id', 'ordered_at', 'amount',
		filter => 'status = ''paid''', changed_at => 'changed_at', discount_rate => 0.1)});
	$node->safe_psql('postgres', "CALL clv_refresh('$_')");
}
$node->safe_psql('postgres', $Shop::gates);

my @steps = split /,/, $node->safe_psql('postgres', q{SELECT array_to_string(clv_internal.clv_pipeline_steps(), ',')});
my $round = 0;
my $good = Shop::contents($node, 'shop');
is($good, Shop::contents($node, 'twin'), 'two pipelines over the same orders show the same');

# Two contents are the same; else only the views that differ are worth reading.
sub same
{
	my ($got, $expected, $name) = @_;
	my %expected = map { $_ => 1 } split /\n/, $expected;
	is(join("\n", grep { !$expected{$_} } split /\n/, $got), '', $name);
}

# After a fault: the views, the next refresh, and where it ends.
sub recovers
{
	my ($name) = @_;

	same(Shop::contents($node, 'shop'), $good, "$name: the views are as they were");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM (SELECT FROM shop_data.state FOR UPDATE SKIP LOCKED) q}), 1,
		"$name: no lock is left");
	my ($rc, $out, $err) = $node->psql('postgres', "CALL clv_refresh('shop')");
	is($rc, 0, "$name: the next refresh works") or diag($err);
	$node->safe_psql('postgres', "CALL clv_refresh('twin')");
	is(Shop::latest($node, 'status', 'is_current'), 'done|t', "$name: and is shown");
	is($node->safe_psql('postgres', "SELECT count(*) FROM shop.runs WHERE status = 'running'"), 0,
		"$name: nothing is left running");
	$good = Shop::contents($node, 'shop');
	same($good, Shop::contents($node, 'twin'), "$name: and ends where an undisturbed pipeline ends");
}

# A refresh that fails by itself: what the caller and runs are told.
sub fails
{
	my ($name, $code, $message) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nCALL clv_refresh('shop')");

	like($err, qr/ERROR:  $code: .*$message/, "$name: the caller is told");
	unlike($err, qr/CONTEXT:|QUERY:/, "$name: without the CONTEXT lines of the functions in between");
	is(Shop::latest($node, 'status', 'error_code', "error ~ '$message'"), "failed|$code|t", "$name: and runs says so");
}

# a refresh that has come to the gate of a step: the session that holds the gate, the refresh, its process
sub stop_in
{
	my ($step) = @_;
	my ($number) = grep { $steps[ $_ - 1 ] eq $step } 1 .. @steps;
	my $keeper = $node->background_psql('postgres');

	Shop::buy($node, ++$round);
	$keeper->query_safe("SELECT pg_advisory_lock(42, $number)");
	my $refresh = Shop::background($node, "CALL clv_refresh('shop')");
	return ($keeper, $refresh, Shop::at_gate($node));
}

# ---- canceled in each of its steps ----

# Cancels a refresh in this step and checks what others are told, what is kept, and that it can be repeated.
sub cancel_in
{
	my ($step) = @_;
	my ($keeper, $refresh, $pid) = stop_in($step);

	is(Shop::latest($node, 'status', 'step'), "running|$step", "cancel in $step: runs says where it is");
	my ($rc, $out, $told) = $node->psql('postgres', "\\set VERBOSITY verbose\nCALL clv_refresh('shop')");
	like($told,
		qr/ERROR:  55006: pipeline "shop" is being refreshed already\s+DETAIL:  Run \d+, by process $pid since /,
		"cancel in $step: another caller is told by whom, in an error");
	($rc, $out, $told) = $node->psql('postgres',
		"SET client_min_messages = notice;\nCALL clv_refresh('shop', if_busy => 'notice')");
	like("$rc $told",
		qr/^0 .*NOTICE:  pipeline "shop" is being refreshed already\s+DETAIL:  Run \d+, by process $pid since /s,
		"cancel in $step: or in a notice, if that is asked for");
	my $start = time;
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	my $error = Shop::finish($refresh);
	cmp_ok(time - $start, '<', 1, sprintf('cancel in %s: at once (%.2f s)', $step, time - $start));
	like($error, qr/ERROR:  57014: canceling statement due to user request/, "cancel in $step: the caller is told");
	is(Shop::latest($node, 'status', 'step', 'error_code', 'error', 'finished_at IS NOT NULL'),
		"failed|$step|57014|canceling statement due to user request|t", "cancel in $step: and runs says so");
	$keeper->quit;
}

# most are left to the next, which is canceled too
foreach my $step (grep { $_ ne 'cleanup' } @steps)
{
	cancel_in($step);
	if ($round % 3 == 0)
	{
		recovers("cancel in $step");
	}
	else
	{
		same(Shop::contents($node, 'shop'), $good, "cancel in $step: the views are as they were");
	}
}

# ---- the session ends, the backend dies, the server dies ----

{
	my ($keeper, $refresh, $pid) = stop_in('customers');

	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid, 10000)");
	like(Shop::finish($refresh), qr/FATAL:  57P01/, 'terminated: the caller is told');
	is(Shop::latest($node, 'status', 'step'), 'interrupted|customers',
		'terminated: runs says so before anybody has refreshed again');
	$keeper->quit;
	recovers('terminated');
	is($node->safe_psql('postgres',
		"SELECT status, error ~ 'its session ended' FROM shop.runs ORDER BY run DESC OFFSET 1 LIMIT 1"),
		'interrupted|t', 'terminated: and why, once another refresh has found it');
}
{
	my ($keeper, $refresh, $pid) = stop_in('forecast');

	Shop::crash($node, $pid);
	Shop::finish($refresh);
	eval { $keeper->quit };
	is(Shop::latest($node, 'status', 'step'), 'interrupted|forecast', 'backend killed: runs says so');
	recovers('backend killed');
}
# and in each of the steps, one after the other, with what the one before has left
my $tables = q{SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c
	WHERE c.relnamespace = 'shop_data'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
	  AND c.relname NOT IN (SELECT p.name FROM clv_internal.clv_pipeline_parts() p WHERE p.kind = 'table')};
foreach my $step (grep { $_ ne 'cleanup' } @steps)
{
	my ($keeper, $refresh, $pid) = stop_in($step);

	Shop::crash($node, $pid);
	Shop::finish($refresh);
	eval { $keeper->quit };
	is(Shop::latest($node, 'status', 'step'), "interrupted|$step", "killed in $step: runs says so");
	is($node->safe_psql('postgres', $tables), '', "killed in $step: no table is left that is not shown");
	same(Shop::contents($node, 'shop'), $good, "killed in $step: the views are as they were");
}
recovers('killed in each step');
{
	my ($keeper, $refresh, $pid) = stop_in('segments');
	my @processes = split /\n/, $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_activity');
	my ($postmaster) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');

	$node->kill9;
	Shop::finish($refresh);
	eval { $keeper->quit };
	# its processes end by themselves, and a server must not start before
	foreach (1 .. 200)
	{
		last unless kill 0, $postmaster, @processes;
		usleep(50_000);
	}
	# a dead process that its parent has not waited for would be taken for a server
	unlink $node->data_dir . '/postmaster.pid';
	$node->start;
	is(Shop::latest($node, 'status', 'step'), 'interrupted|segments', 'server killed: runs says so');
	recovers('server killed');
}

# ---- no room on the disk ----

# as the operating system says it: files of this one backend cannot grow beyond 2 MB, which the orders need
SKIP:
{
	skip 'prlimit is not here', 9 if system('prlimit --version >/dev/null 2>&1') != 0;
	Shop::buy($node, ++$round);
	$node->safe_psql('postgres', q{CREATE TABLE archive AS SELECT * FROM orders WHERE false;
		CREATE FUNCTION ballast(bigint) RETURNS text
			LANGUAGE sql IMMUTABLE AS 'SELECT string_agg(md5($1::text || i), '''') FROM generate_series(1, 900) i';
		ALTER TABLE shop_data.customer ADD ballast text GENERATED ALWAYS AS (ballast(customer_id)) STORED});
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query('SELECT pg_backend_pid()');
	is(system("prlimit --pid $pid --fsize=2097152:unlimited"), 0, 'disk full: files of one backend stop growing');
	$session->query("CALL clv_refresh('shop')");
	like($session->{stderr}, qr/ERROR:  could not extend file/, 'disk full: the caller is told');
	is(Shop::latest($node, 'status', 'step', "error ~ 'could not extend file'"), 'failed|customers|t',
		'disk full: and runs says so');
	$session->quit;
	$node->safe_psql('postgres',
		'ALTER TABLE shop_data.customer DROP ballast; VACUUM FULL shop_data.customer');
	recovers('disk full');
}

# and when there is not even room to write down why: the session lives on, its run does not
{
	Shop::buy($node, ++$round);
	$node->safe_psql('postgres', q{
		CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN RAISE EXCEPTION ''no room in %'', TG_TABLE_NAME USING ERRCODE = ''disk_full''; END';
		CREATE TRIGGER full_disk BEFORE INSERT ON shop_data.cohort EXECUTE FUNCTION full_disk();
		CREATE TRIGGER full_disk BEFORE UPDATE ON shop_data.run
			FOR EACH ROW
			WHEN (NEW.status = 'failed')
			EXECUTE FUNCTION full_disk()});
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query("CALL clv_refresh('shop')");
	like($session->{stderr}, qr/ERROR:  no room in cohort/,
		'no room to say so: the caller is told what went wrong first');
	$node->safe_psql('postgres', 'DROP TRIGGER full_disk ON shop_data.cohort; DROP TRIGGER full_disk ON shop_data.run');
	recovers('no room to say so');
	$session->quit;
}

# ---- the source is not what it was ----

foreach (
	['column renamed', 'ALTER TABLE orders RENAME amount TO value', 'ALTER TABLE orders RENAME value TO amount',
		'42703', 'column "amount" of (public\\.)?orders does not exist'],
	['column of the filter renamed', 'ALTER TABLE orders RENAME status TO state',
		'ALTER TABLE orders RENAME state TO status', '42703', 'column "status" does not exist'],
	['amount became text', 'ALTER TABLE orders ALTER amount TYPE text',
		'ALTER TABLE orders ALTER amount TYPE numeric USING amount::numeric', '42804',
		'column "amount" of (public\\.)?orders is of type text, not a number'],
	['time became text', 'ALTER TABLE orders ALTER ordered_at TYPE text',
		'ALTER TABLE orders ALTER ordered_at TYPE timestamptz USING ordered_at::timestamptz', '42804',
		'column "ordered_at" of (public\\.)?orders is of type text, not a time'],
	['key became text', 'ALTER TABLE orders ALTER customer_id TYPE text',
		'ALTER TABLE orders ALTER customer_id TYPE bigint USING customer_id::bigint', '42804',
		'column "customer_id" of public.orders is of type text now'],
	['table renamed', 'ALTER TABLE orders RENAME TO sales', 'ALTER TABLE sales RENAME TO orders', '42P01',
		'table or view "public.orders" does not exist'],
	['an amount that is no number', q{INSERT INTO orders VALUES (7, '2025-06-01', 'NaN')},
		q{DELETE FROM orders WHERE amount = 'NaN'}, '22003', 'NaN'])
{
	my ($name, $break, $mend, $code, $message) = @$_;
	$node->safe_psql('postgres', $break);
	fails($name, $code, $message);
	$node->safe_psql('postgres', $mend);
}
Shop::buy($node, ++$round);
recovers('all that together');

# ---- what fails once it is published is shown all the same ----

cancel_in('cleanup');
is(Shop::latest($node, 'is_current'), 't', 'cancel in cleanup: the new state is shown');
$node->safe_psql('postgres', "CALL clv_refresh('shop', 'full'); CALL clv_refresh('twin', 'full')");
# one more published run is one more row of history
my ($shop, $twin) = map { my $c = Shop::contents($node, $_);
$c =~ s/^(\w+_history|equity|migration|models)\|.*\n?//gm;
$c } ('shop', 'twin');
same($shop, $twin, 'cancel in cleanup: the next refresh ends where an undisturbed pipeline ends');
is($node->safe_psql('postgres',
	q{SELECT count(DISTINCT run), (SELECT count(DISTINCT generation) FROM shop_data.history) FROM shop_data.customer}),
	'2|1',
	'and nothing is left behind but the current run and the one before');

# ---- a customer is forgotten while a refresh runs ----

# It waits for the end of the step, and what comes after the step no longer knows the customer.
foreach my $step ('histories', 'customers', 'lists')
{
	my $customer = $node->safe_psql('postgres', 'SELECT min(customer_id) FROM shop.customers');
	my ($keeper, $refresh, $pid) = stop_in($step);
	my $forget = Shop::background($node, "CALL clv_forget('shop', $customer)");

	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity
		WHERE query ~ 'clv_forget' AND wait_event_type = 'Lock' AND pid <> pg_backend_pid()")
	  or die 'clv_forget does not wait';
	$node->safe_psql('postgres', "DELETE FROM orders WHERE customer_id = $customer");
	$keeper->quit;
	unlike(Shop::finish($forget), qr/ERROR/, "forgotten in $step: works, once the step has ended");
	unlike(Shop::finish($refresh), qr/ERROR/, "forgotten in $step: and so does the refresh");
	is($node->safe_psql('postgres', "SELECT (SELECT count(*) FROM shop_data.customer WHERE customer_id = $customer),
		(SELECT count(*) FROM shop_data.history WHERE customer_id = $customer),
		(SELECT count(*) FROM shop_data.winback WHERE customer_id = $customer)"), '0|0|0',
		"forgotten in $step: there is nothing of them, in the run that ended later either");
	is($node->safe_psql('postgres', "CALL clv_refresh('shop', 'full');
		SELECT (SELECT count(*) FROM shop.customers WHERE customer_id = $customer),
			(SELECT customers FROM shop.equity) = (SELECT count(*) FROM shop.customers)"), '0|t',
		"forgotten in $step: nor after the next one");
}

# ---- tables and definition are altered while a refresh runs ----

# changed_in(STEP, STATEMENT): runs it while a refresh is at the end of that step, where it waits for the step at most
sub changed_in
{
	my ($step, $statement) = @_;
	my ($keeper, $refresh) = stop_in($step);
	my $change = Shop::background($node, $statement);

	while ($change->{handle}->pumpable)
	{
		last if $node->safe_psql('postgres', sprintf q{SELECT count(*) FROM pg_stat_activity
			WHERE query = $q$%s$q$ AND wait_event_type = 'Lock'}, $statement);
		$change->{handle}->pump_nb;
	}
	$keeper->quit;
	is(Shop::finish($change), '', "$statement while a refresh is in $step: works");
	return Shop::finish($refresh);
}

foreach (
	[ 'histories', 'ALTER TABLE orders ADD shop int' ],
	[ 'customers', 'ALTER TABLE orders ALTER amount TYPE numeric(12,2)' ],
	[ 'customers', 'ALTER TABLE shop_data.customer ADD remark text' ],
	[ 'segments', 'ALTER TABLE shop_data.customer DROP remark' ],
	[ 'cohorts', 'CREATE INDEX by_tenure ON shop_data.customer (tenure)' ],
	[ 'forecast', 'DROP INDEX shop_data.by_tenure' ],
	[ 'model', 'TRUNCATE shop_data.segment' ],
	[ 'customers', 'ALTER TABLE orders RENAME status TO state' ])
{
	my ($step, $statement) = @$_;

	unlike(changed_in($step, $statement), qr/ERROR/, "$statement while a refresh is in $step: the refresh ends");
	is(Shop::latest($node, 'status', 'is_current'), 'done|t', "$statement while a refresh is in $step: and is shown");
	is($node->safe_psql('postgres', q{SELECT (SELECT sum(customers) FROM shop.segments) = e.customers,
			(SELECT count(*) FROM shop.customers) = e.customers, e.customers > 100 FROM shop.equity e}), 't|t|t',
		"$statement while a refresh is in $step: whole");
}
$node->safe_psql('postgres', 'ALTER TABLE orders RENAME state TO status');

# the definition: of the run, what it was when it began; of the next one, the new one
unlike(changed_in('customers', q{CALL clv_alter_pipeline('shop', margin => 0.25)}), qr/ERROR/,
	'definition altered while a refresh runs: the refresh ends');
is($node->safe_psql('postgres', q{SELECT margin FROM shop.equity}), '1',
	'definition altered while a refresh runs: with the one that it began with');
$node->safe_psql('postgres', q{CALL clv_refresh('shop'); CALL clv_alter_pipeline('shop', margin => 1)});
is($node->safe_psql('postgres', q{SELECT margin FROM shop.equity}), '0.25',
	'definition altered while a refresh runs: the next one has the new one');

# a pipeline that is refreshed is not dropped; a table of it can be, and then the run fails in the step that needs it
{
	my ($keeper, $refresh) = stop_in('segments');
	my ($rc, $out, $err) = $node->psql('postgres', "\\set VERBOSITY verbose\nCALL clv_drop_pipeline('shop')");

	like($err, qr/ERROR:  55006: pipeline "shop" is being refreshed/, 'dropped while a refresh runs: an error');
	$keeper->quit;
	unlike(Shop::finish($refresh), qr/ERROR/, 'dropped while a refresh runs: which does not trouble it');
	$good = Shop::contents($node, 'shop');
}
like(changed_in('cohorts', 'DROP TABLE shop_data.winback CASCADE') =~ s/^NOTICE.*\n//gmr,
	qr/ERROR:  42P01: .*winback/, 'a table dropped while a refresh runs: the caller is told');
is(Shop::latest($node, 'status', 'step', 'error_code'), 'failed|lists|42P01',
	'a table dropped while a refresh runs: and runs says so');
is(join("\n", grep { !/^winback/ } split /\n/, $node->safe_psql('postgres',
	q{SELECT e.run = max(r.run) FILTER (WHERE r.status = 'done') FROM shop.equity e, shop.runs r GROUP BY e.run})), 't',
	'a table dropped while a refresh runs: the views show the run before');
is($node->safe_psql('postgres', q{CALL clv_drop_pipeline('shop');
	SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'shop%'}), '0', 'and what is left of it can be dropped');

$node->stop;
done_testing();
