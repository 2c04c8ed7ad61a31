# Pipelines for long: refreshes with readers, writers, kills and a replica, without a lost row and without growth.
#
#   ROUNDS   how many refreshes are asked for (default 500)      SEED   of what happens in them
#   MINUTES  or ends after the round in which so many have passed
#
# In each round orders are inserted, corrected and cancelled while the pipeline is refreshed and the views are read, on
# the server and on its replica. In some the refresh is cancelled, its process or the whole server is killed. Every
# tenth, the last orders of a customer are deleted and all are read anew. Every fifth, writers rest, and each customer
# of the views is compared with the orders. test/soak/run builds, installs and runs this.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;
use Time::HiRes qw(time usleep);

my $rounds = $ENV{ROUNDS} || 500;
my $seed = $ENV{SEED} || 19;
srand($seed);
note "ROUNDS=$rounds SEED=$seed";

my $node = PostgreSQL::Test::Cluster->new('soak');
$node->init(allows_streaming => 1);
Shop::configure($node);
$node->append_conf('postgresql.conf', "autovacuum = on\nautovacuum_naptime = 5\nmax_wal_size = 256MB\n"
	. "wal_keep_size = 64MB\nlog_min_messages = warning");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION clv;
	CREATE TABLE orders (
		order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		customer_id bigint NOT NULL,
		ordered_at timestamptz NOT NULL,
		amount numeric NOT NULL,
		status text NOT NULL DEFAULT 'paid',
		changed_at timestamptz NOT NULL DEFAULT clock_timestamp());
	CREATE INDEX ON orders (customer_id);
	CREATE INDEX ON orders (changed_at);
	INSERT INTO orders (customer_id, ordered_at, amount)
	SELECT i, timestamptz '2024-01-01 12:00Z' + interval '1 day' * ((i * 37) % 240
			+ floor(power(k, 1.3) * (3 + (i * 7919) % 41))), 5 + (i * 31 + k * 17) % 60 + (i % 7) * 10
	FROM generate_series(1, 300) i, generate_series(0, 9) k
	WHERE k <= (i * i + 3 * i) % 11 AND (i * 37) % 240 + power(k, 1.3) * (3 + (i * 7919) % 41) < 500;
	CALL clv_create_pipeline('shop', 'orders', 'customer_id', 'ordered_at', 'amount', filter => 'status = ''paid''',
		changed_at => 'changed_at', overlap => '1 minute', discount_rate => 0.1);
	CALL clv_refresh('shop')});
$node->backup('taken');
my $replica = PostgreSQL::Test::Cluster->new('soak_replica');
$replica->init_from_backup($node, 'taken', has_streaming => 1);
$replica->append_conf('postgresql.conf',
	"hot_standby_feedback = on\nwal_receiver_status_interval = 1\nmax_standby_streaming_delay = -1");
$replica->start;

# ---- what runs beside a refresh ----

# Orders of a round: new ones, of a new customer too, other amounts, and others cancelled; in small transactions.
sub writer
{
	my ($round) = @_;
	my $sql = '';

	foreach my $i (1 .. 6)
	{
		my $customer = 1 + int rand 300;
		my $day = int rand 500;

		$sql .= "INSERT INTO orders (customer_id, ordered_at, amount)
			SELECT $customer + j, timestamptz '2024-01-01 12:00Z' + interval '1 day' * $day, 10 + j
			FROM generate_series(0, 2) j;
		UPDATE orders SET amount = amount + 1, changed_at = clock_timestamp() WHERE order_id % 211 = $customer;
		UPDATE orders SET status = CASE status WHEN 'paid' THEN 'cancelled' ELSE 'paid' END,
			changed_at = clock_timestamp() WHERE order_id % 307 = $day;
		SELECT pg_sleep(0.02);\n";
	}
	$sql .= "INSERT INTO orders (customer_id, ordered_at, amount)
		VALUES (1000 + $round, '2024-06-01 12:00Z', 20), (1000 + $round, '2024-09-01 12:00Z', 20)";
	return Shop::background($node, $sql);
}

# Whether a statement sees the whole of one run.
my $whole = q{SELECT e.customers > 0 AND (SELECT count(*) FROM shop.customers) = e.customers
	AND (SELECT sum(s.customers) FROM shop.segments s) = e.customers
	AND (SELECT sum(c.total_value) FROM shop.customers c) IS NOT NULL FROM shop.equity e};

# Somebody who reads the views several times, on the server or on its replica.
sub reader
{
	my ($from) = @_;

	return Shop::background($from, join('; SELECT pg_sleep(0.05); ', ($whole) x 8));
}

my %said;

# Ends a background session and counts what it said; a server that was killed may have ended it.
sub ended
{
	my ($who, $session, $killed) = @_;
	my $error = Shop::finish($session);

	$said{"$who: $_"}++ foreach grep { $_ ne '' } split /\n/, ${ $session->{out} };
	return if $error eq '' || $killed;
	$said{"$who: " . substr($error =~ s/\n.*//sr, 0, 200)}++;
}

# Waits until the server takes connections.
sub back
{
	foreach (1 .. 1200)
	{
		my ($rc) = $node->psql('postgres', 'SELECT 1');

		return if $rc == 0;
		usleep(100_000);
	}
	die 'the server does not come back';
}

# Kills the whole server at once, and starts it again.
sub kill_server
{
	$node->kill9;
	# those that it has left behind hold its shared memory until they notice
	foreach (1 .. 300)
	{
		last if $node->start(fail_ok => 1);
		# a start that fails takes the number in the file of the server that was killed for that of a running one
		undef $node->{_pid};
		usleep(200_000);
	}
	back();
}

# The process that refreshes; 0 where none does any more.
sub refreshing
{
	foreach (1 .. 40)
	{
		my ($rc, $pid) = $node->psql('postgres',
			q{SELECT max(pid) FROM pg_stat_activity WHERE query LIKE 'CALL clv_refresh%' AND pid <> pg_backend_pid()});

		return $pid if $rc == 0 && $pid;
		usleep(20_000);
	}
	return 0;
}

# ---- what must hold ----

# Customers of the views that are not those of the orders, and the other way round, as "what the views say <> what the
# orders say".
my $lost = q{
	SELECT format('%s: %s <> %s', coalesce(c.customer_id, o.customer_id), c, o)
	FROM (SELECT customer_id, frequency::bigint AS days, monetary::numeric AS money, first_purchase, last_purchase
		  FROM shop.customers) c
	FULL JOIN (SELECT customer_id, count(DISTINCT (ordered_at AT TIME ZONE 'UTC')::date) AS days,
					  sum(amount)::numeric(24, 2) AS money,
					  min((ordered_at AT TIME ZONE 'UTC')::date) AS first_purchase,
					  max((ordered_at AT TIME ZONE 'UTC')::date) AS last_purchase
			   FROM orders WHERE status = 'paid' GROUP BY customer_id) o USING (customer_id)
	WHERE c IS NULL OR o IS NULL OR (c.days, c.money, c.first_purchase, c.last_purchase)
		IS DISTINCT FROM (o.days, o.money, o.first_purchase, o.last_purchase)
	LIMIT 5};
my $total = q{SELECT e.past_revenue - o.money, e.customers - o.customers
	FROM shop.equity e,
		(SELECT sum(amount) AS money, count(DISTINCT customer_id) AS customers FROM orders WHERE status = 'paid') o};

# Bytes of the pipeline's tables, as many as a customer has; relations; rows of the catalog. Left out is what keeps rows
# of every refresh, of conversations those of a year, which all these refreshes lie in.
my $sizes = q{SELECT (SELECT round(sum(pg_total_relation_size(oid)) / (SELECT count(*) FROM shop.customers))
		FROM pg_class WHERE relnamespace = 'shop_data'::regnamespace AND relkind = 'r'
		  AND relname NOT IN ('segment', 'equity', 'model', 'run', 'step', 'conversation')),
	(SELECT count(*) FROM pg_class WHERE relnamespace IN ('shop'::regnamespace, 'shop_data'::regnamespace)),
	(SELECT count(*) FROM pg_attribute), (SELECT count(*) FROM pg_depend), (SELECT count(*) FROM pg_type)};

# The five tables that take most.
my $largest = q{SELECT string_agg(concat(relname, ' ', pg_size_pretty(bytes)), ', ')
	FROM (SELECT relname, pg_total_relation_size(oid) AS bytes FROM pg_class
		  WHERE relnamespace = 'shop_data'::regnamespace AND relkind = 'r' ORDER BY 2 DESC LIMIT 5) q};

# Compares the views with the orders, here and on the replica, with nobody writing.
sub reconcile
{
	my ($round, $mode) = @_;
	my ($rc, $out, $err) = $node->psql('postgres', "CALL clv_refresh('shop', '$mode')");

	is($rc, 0, "round $round: refreshed in peace ($mode)") or diag $err;
	is($node->safe_psql('postgres', $lost), '', "round $round: every customer is as in the orders");
	is($node->safe_psql('postgres', $total), '0.00|0', "round $round: and so are the totals");
	$node->wait_for_catchup($replica);
	is($replica->safe_psql('postgres', $total), '0.00|0', "round $round: and on the replica");
	is($replica->safe_psql('postgres', $lost), '', "round $round: customer by customer");
}

# ---- rounds ----

# A session that lives as long as the server lets it: the memory of its backend after a refresh and a reading.
my $old;
my @memory;

# Refreshes by the old session, which is made anew where it was ended, and notes how much memory it has.
sub old_session
{
	my ($round) = @_;

	# its limit of time is that of all its statements together
	$old //= { session => $node->background_psql('postgres', on_error_stop => 0, timeout => 86400), since => $round };
	$old->{session}->query(q{CALL clv_refresh('shop')});
	$old->{session}->query($whole);
	my $pid = $old->{session}->query('SELECT pg_backend_pid()');
	my $status = slurp_file("/proc/$pid/status");
	my ($kilobytes) = $status =~ /^RssAnon:\s+(\d+)/m;
	push @memory, [ $round, $round - $old->{since}, $kilobytes ];
}

my $refreshes = 1;
my $done = 0;
my %happened;
my @growth;
my $began = time;
foreach my $round (1 .. $rounds)
{
	# after a comparison, so that nothing is left unseen
	last if $ENV{MINUTES} && $round % 5 == 1 && time - $began > 60 * $ENV{MINUTES};
	# in every other forty nothing is killed, so that a session may live for long
	my $kills = int(($round - 1) / 40) % 2 == 0;
	my $event = $kills && $round % 40 == 39 ? 'server killed' : $kills && $round % 8 == 3 ? 'refresh killed'
		: $round % 8 == 6 ? 'refresh cancelled' : 'nothing';
	my @sessions = (['writer', writer($round)], ['reader', reader($node)], ['reader on the replica', reader($replica)]);
	my $killed = $event =~ /killed/;

	if ($event eq 'nothing' && $round % 4 == 0)
	{
		old_session($round);
	}
	else
	{
		my $mode = $round % 20 == 7 ? 'full' : 'auto';
		my $refresh = Shop::background($node, "CALL clv_refresh('shop', '$mode')");

		if ($event ne 'nothing' && (my $pid = refreshing()))
		{
			usleep(int rand 2_000_000);
			# who has come to the end is left alone: the number may be another's
			if ($event eq 'refresh killed' && refreshing() == $pid)
			{
				Shop::crash($node, $pid);
				$happened{$event}++;
			}
			elsif ($event eq 'refresh cancelled')
			{
				$happened{$event} += $node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)") eq 't';
			}
			elsif ($event eq 'server killed')
			{
				kill_server();
				$happened{$event}++;
			}
			if ($killed && $old)
			{
				eval { $old->{session}->quit };
				undef $old;
			}
		}
		ended('refresh', $refresh, $event ne 'nothing');
	}
	$refreshes++;
	$done = $round;
	ended(@$_, $killed && $_->[0] ne 'reader on the replica') foreach @sessions;
	next if $round % 5 != 0;
	if ($round % 10 == 0)
	{
		$node->safe_psql('postgres', "DELETE FROM orders WHERE customer_id = 1000 + $round;
			DELETE FROM orders WHERE order_id % 97 = $round % 97");
	}
	reconcile($round, $round % 10 == 0 ? 'full' : 'auto');
	$refreshes++;
	if ($round % 20 == 0)
	{
		$node->safe_psql('postgres', 'VACUUM');
		push @growth, [ $round, split /\|/, $node->safe_psql('postgres', $sizes) ];
		note sprintf 'round %d after %d s: %s bytes a customer, %s relations, %s attributes, %s dependencies, %s types',
			$round, time - $began, @{ $growth[-1] }[ 1 .. 5 ];
		note $node->safe_psql('postgres', $largest);
	}
}

# ---- what came of it ----

note "$_ x $said{$_}" foreach sort keys %said;
note "$_: $happened{$_}" foreach sort keys %happened;
note join(' ', map { "$_->[0]:$_->[2]kB" } @memory);
is(join(', ', grep { /^reader/ && !/: t$/ } sort keys %said), '', 'every reader saw the whole of one run each time');
is(join(', ', grep { /^(writer|refresh): \S/ } sort keys %said), '', 'no writer and no undisturbed refresh failed');
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class c
	WHERE c.relnamespace = 'shop_data'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
	  AND c.relname NOT IN (SELECT p.name FROM clv_internal.clv_pipeline_parts() p WHERE p.kind = 'table')}), 0,
	'no table is left over');
if (@growth > 1)
{
	my ($first, $last) = @growth[ 0, -1 ];

	cmp_ok($last->[1], '<=', 1.3 * $first->[1], 'tables hold as many bytes a customer as in the beginning');
	# a partition with two indexes, which somebody still read when it was to be dropped
	cmp_ok($last->[2], '<=', $first->[2] + 3, 'there are as many relations, but those of a partition');
	cmp_ok($last->[$_], '<=', 1.02 * $first->[$_], 'and no more rows of the catalog') foreach 3 .. 5;
}
# of the session that has lived longest, from its third refresh on
my ($longest) = sort { $b->[1] <=> $a->[1] } @memory;
if ($longest && $longest->[1] >= 8)
{
	my ($early) = grep { $_->[0] == $longest->[0] - $longest->[1] + 4 } @memory;

	cmp_ok($longest->[2], '<=', 1.2 * $early->[2], 'a session takes no more memory after ' . ($longest->[1] / 4)
		. " refreshes ($early->[2] kB, then $longest->[2] kB)") if $early;
}
note sprintf '%d rounds, %d refreshes in %d s', $done, $refreshes, time - $began;
eval { $old->{session}->quit } if $old;
$replica->stop;
$node->stop;
done_testing();
