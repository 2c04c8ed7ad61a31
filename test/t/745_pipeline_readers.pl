# Readers of a pipeline whose customers are a partition a run: every reader sees the whole of one run, however long the
# statement takes; a refresh waits for no session; and nothing is left of old runs.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('readers');
$node->init;
Shop::configure($node);
$node->start;
$node->safe_psql('postgres', "CREATE EXTENSION clv; $Shop::orders");
$node->safe_psql('postgres', q{
	CREATE ROLE bi LOGIN;
	CALL clv_create_pipeline('shop', 'orders', 'customer_id', 'ordered_at', 'amount');
	CALL clv_refresh('shop');
	GRANT USAGE ON SCHEMA shop TO bi;
	GRANT SELECT ON ALL TABLES IN SCHEMA shop TO bi});

# The partitions of a table of the pipeline, by their names.
sub partitions
{
	my ($table) = @_;
	return $node->safe_psql('postgres', qq{SELECT string_agg(inhrelid::regclass::text, ' ' ORDER BY inhrelid)
		FROM pg_inherits
		WHERE inhparent = 'shop_data.$table'::regclass AND inhrelid::regclass::text !~ '_rest'});
}

# Tables of the pipeline that are neither declared by it nor a partition of such a table.
my $orphans = q{SELECT count(*) FROM pg_class c
	WHERE c.relnamespace = 'shop_data'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
	  AND c.relname NOT IN (SELECT p.name FROM clv_internal.clv_pipeline_parts() p WHERE p.kind = 'table')};

# Refreshes in full, and says how many customers there are now.
sub refresh
{
	$node->safe_psql('postgres', q{INSERT INTO orders
		VALUES ((SELECT max(customer_id) + 1 FROM orders), '2025-05-01', 9)});
	$node->safe_psql('postgres', q{CALL clv_refresh('shop', 'full')});
	return $node->safe_psql('postgres', 'SELECT customers FROM shop.equity');
}

is(partitions('customer') . '|' . partitions('history'), 'shop_data.customer_1|shop_data.history_1',
	'a run has a partition of customers and of histories');

# ---- a statement that was prepared earlier in a transaction that is still open ----
{
	my $count = refresh();
	my $reader = $node->background_psql('postgres');
	$reader->query_safe('PREPARE counted AS
		SELECT count(*) = (SELECT e.customers FROM shop.equity e) AND count(*) > 0 FROM shop.customers');
	$reader->query_safe('BEGIN');
	is($reader->query_safe('EXECUTE counted'), 't', 'prepared: sees all customers') foreach 1 .. 6;
	foreach my $round (1 .. 3)
	{
		refresh();
		is($reader->query_safe('EXECUTE counted'), 't', "prepared: after refresh $round too, those of the new run");
	}
	$reader->query_safe('COMMIT');
	is($reader->query_safe('EXECUTE counted'), 't', 'prepared: and in the next transaction');
	$reader->quit;
}
refresh() foreach 1 .. 2;
is($node->safe_psql('postgres', 'SELECT count(*) FROM shop_data.customer_rest'), 0,
	'when the reader has gone, partitions are attached again, and nothing stays in the rest');

# ---- a snapshot that is older than three refreshes, of a reader who has not yet looked at customers ----
{
	my $before = $node->safe_psql('postgres', 'SELECT customers FROM shop.equity');
	my $reader = $node->background_psql('postgres', on_error_stop => 0);
	$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	is($reader->query_safe('SELECT customers FROM shop.equity'), $before, 'old snapshot: sees the base of its run');
	refresh() foreach 1 .. 3;
	is($reader->query_safe('SELECT count(*) FROM shop.customers'), $before,
		'old snapshot: and all customers of its run, after three refreshes');
	is($reader->query_safe('SELECT sum(customers) FROM shop.segments'), $before, 'old snapshot: as in its segments');
	refresh();
	is($reader->query_safe('SELECT count(*) FROM shop.customers'), $before, 'old snapshot: and after a fourth');
	$reader->query_safe('COMMIT');
	$reader->quit;
	refresh() foreach 1 .. 2;
	is(partitions('customer') =~ tr/ //, 1, 'old snapshot: once it has gone, two runs are left');
}

# ---- readers do not wait for a refresh, nor it for them ----
{
	my $reader = $node->background_psql('postgres');
	$reader->query_safe('BEGIN; SELECT count(*) FROM shop.customers');
	my ($rc, $out, $err) = $node->psql('postgres', q{CALL clv_refresh('shop', 'full')}, timeout => 120);
	is($rc, 0, 'a refresh does not wait for a transaction that reads') or diag $err;
	is($node->safe_psql('postgres', q{SET lock_timeout = '5s'; SELECT count(*) > 0 FROM shop.customers},
		extra_params => [ '-U', 'bi' ]), 't', 'and others read meanwhile');
	$reader->query_safe('COMMIT');
	$reader->quit;
}

# ---- nor for what a refresh does once its customers are attached ----
{
	my $keeper = $node->background_psql('postgres');
	$keeper->query_safe('SELECT pg_advisory_lock(42, 1)');
	$node->safe_psql('postgres', q{
		CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(42, 1); RETURN NULL; END';
		CREATE TRIGGER gate BEFORE INSERT ON shop_data.total FOR EACH STATEMENT EXECUTE FUNCTION gate()});
	my $refresh = Shop::background($node, q{CALL clv_refresh('shop', 'full')});
	Shop::at_gate($node);
	is($node->safe_psql('postgres', q{SET lock_timeout = '5s'; SELECT count(*) > 0 FROM shop.customers}), 't',
		'customers are read while those of the next run are added up');
	$keeper->quit;
	unlike(Shop::finish($refresh), qr/ERROR/, 'and the refresh ends');
	$node->safe_psql('postgres', 'DROP TRIGGER gate ON shop_data.total; DROP FUNCTION gate()');
}

# ---- what users have done to the tables goes into every partition, and rights are those of the table ----
$node->safe_psql('postgres', q{
	CREATE INDEX by_churn ON shop_data.customer (churn);
	ALTER TABLE shop_data.customer ADD remark text DEFAULT 'none', ADD CHECK (tenure >= 0);
	ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO bi;
	GRANT USAGE ON SCHEMA shop_data TO bi;
	ALTER TABLE shop_data.customer ENABLE ROW LEVEL SECURITY});
refresh();
my ($latest) = partitions('customer') =~ /(\S+)$/;
is($node->safe_psql('postgres', qq{SELECT count(*) FILTER (WHERE d ~ 'churn'), count(*) FILTER (WHERE d ~ 'UNIQUE')
	FROM (SELECT pg_get_indexdef(indexrelid) AS d FROM pg_index WHERE indrelid = '$latest'::regclass) i}), '1|1',
	'an index of the table, and its key, are in a new partition');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT remark), min(remark) FROM shop_data.customer}), '1|none',
	'and a column');
my ($denied, undef, $why) = $node->psql('postgres', "SELECT count(*) FROM $latest", extra_params => [ '-U', 'bi' ]);
like($why, qr/permission denied for table/, 'default privileges give no role the partition itself');
is($node->safe_psql('postgres', "SELECT count(*) > 0 FROM shop.customers", extra_params => [ '-U', 'bi' ]), 't',
	'every role granted the views can read them');
$node->safe_psql('postgres', 'ALTER TABLE shop_data.customer DISABLE ROW LEVEL SECURITY;
	ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM bi; REVOKE USAGE ON SCHEMA shop_data FROM bi');

# ---- many refreshes ----
refresh();
my $size = $node->safe_psql('postgres', q{SELECT sum(pg_total_relation_size(oid)) FROM pg_class
	WHERE relnamespace = 'shop_data'::regnamespace AND relkind = 'r' AND relname ~ '^(customer|history)'});
$node->safe_psql('postgres', "CALL clv_refresh('shop', 'full')") foreach 1 .. 20;
is(partitions('customer') =~ tr/ //, 1, 'after twenty refreshes two runs of customers');
is(partitions('history') =~ tr/ //, 0, 'and one generation of histories');
cmp_ok($node->safe_psql('postgres', q{SELECT sum(pg_total_relation_size(oid)) FROM pg_class
	WHERE relnamespace = 'shop_data'::regnamespace AND relkind = 'r' AND relname ~ '^(customer|history)'}),
	'<=', 1.1 * $size, 'which take no more room than before');
is($node->safe_psql('postgres', $orphans), 0, 'and no table is left over');

# ---- twice on a day: rows of customers with new orders are exchanged when the run is published, others stay ----
$node->safe_psql('postgres', q{
	ALTER TABLE orders ADD changed timestamptz NOT NULL DEFAULT '2025-06-01';
	CREATE INDEX ON orders (customer_id);
	CALL clv_alter_pipeline('shop', changed_at => 'changed', overlap => '0', refit => '7 days');
	CALL clv_refresh('shop')});

# Customers 1 to 3, one who comes and one who goes, and whether the sums are those of the customers.
my $few = q{SELECT (SELECT string_agg(customer_id || ': ' || monetary, ' ' ORDER BY customer_id) FROM shop.customers
		WHERE customer_id IN (1, 2, 3, 4, 9001)),
	(SELECT (e.customers, e.past_revenue, e.clv) = (count(*), sum(c.monetary), sum(c.clv)) FROM shop.customers c)
		AND e.clv = (SELECT sum(clv) FROM shop.segments) FROM shop.equity e};
# Where rows of customers lie and which transaction has written them.
my $written = q{
	SELECT md5(string_agg(format('%s %s %s', c.tableoid::regclass, c.ctid, c.xmin), ',' ORDER BY customer_id))
	FROM shop_data.customer c JOIN shop_data.run r ON r.customer_run = c.run JOIN shop_data.state s ON s.run = r.run
	WHERE customer_id NOT IN (1, 2, 4, 9001)};
{
	my ($before, $rows, $partitions) = ($node->safe_psql('postgres', $few), $node->safe_psql('postgres', $written),
		partitions('customer'));
	my ($mine) = $before =~ /1: (\S+) 2:/;
	my $reader = $node->background_psql('postgres');
	$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	is($reader->query_safe($few), $before, 'same day: what a reader sees first');
	my $keeper = $node->background_psql('postgres');
	$keeper->query_safe('SELECT pg_advisory_lock(42, number) FROM shop_data.step WHERE step = $$lists$$ LIMIT 1');
	$node->safe_psql('postgres', qq{$Shop::gates
		INSERT INTO orders (customer_id, ordered_at, amount, changed)
		SELECT i, '2025-05-01', 1000, '2025-06-01 01:00Z' FROM unnest('{1,9001}'::int[]) i;
		UPDATE orders SET amount = amount + 1, changed = '2025-06-01 01:00Z' WHERE customer_id = 2;
		UPDATE orders SET customer_id = 1, changed = '2025-06-01 01:00Z' WHERE customer_id = 4;
		INSERT INTO orders (customer_id, ordered_at, amount, changed) VALUES (4, NULL, 1, '2025-06-01 01:00Z')});
	my $refresh = Shop::background($node, q{CALL clv_refresh('shop')});
	Shop::at_gate($node);
	is($node->safe_psql('postgres', $few), $before, 'same day: nothing is seen of the new rows before the end');
	$keeper->quit;
	unlike(Shop::finish($refresh), qr/ERROR/, 'same day: the refresh ends');
	is($node->safe_psql('postgres', 'SELECT touched FROM shop.runs WHERE is_current'), 4, 'same day: of four of them');
	my $after = $node->safe_psql('postgres', $few);
	like($after, qr/^1: (?!\Q$mine\E )\S+ 2: \S+ 3: \S+ 9001: 1000.00\|t$/, 'same day: then all is, and adds up');
	is($node->safe_psql('postgres', $written), $rows, 'same day: rows of other customers are not written');
	is(partitions('customer'), $partitions, 'same day: and no partition is made');
	is($reader->query_safe($few), $before, 'same day: an older snapshot has all that it had');
	$reader->query_safe('COMMIT');
	$reader->quit;
	# what was made of the run before is what a full refresh makes
	my $contents = Shop::contents($node, 'shop');
	$node->safe_psql('postgres', q{CALL clv_alter_pipeline('shop', refit => 'never'); CALL clv_refresh('shop', 'full');
		CALL clv_alter_pipeline('shop', refit => '7 days')});
	my $whole = Shop::contents($node, 'shop');
	s/^(\w+_history|equity|migration|models|check)\|.*\n?//gm foreach $contents, $whole;
	is($contents, $whole, 'same day: and the views show what a full refresh makes of the same orders');
	$node->safe_psql('postgres', 'DROP TRIGGER gate ON shop_data.step; DROP FUNCTION gate()');
}

# ---- sixty nights: two runs, one generation, and no more in any table than a run makes ----
# of what depends on the model, the rows of the run that fitted it are kept too
my $rows = q{SELECT (SELECT count(*) FROM shop_data.concentration) <= 400, (SELECT count(*) FROM shop_data.lift) <= 10,
	(SELECT count(*) FROM shop_data.new_customer) <= 1, (SELECT count(*) FROM shop_data.cells) <= 1,
	(SELECT count(DISTINCT run) FROM shop_data.cohort_age) <= 2, (SELECT count(*) FROM shop_data.touched) <= 200,
	(SELECT count(*) FROM shop_data.customer_rest) + (SELECT count(*) FROM shop_data.history_rest) = 0};
my $catalog = q{SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname IN ('shop', 'shop_data', 'pg_toast')};
my ($catalog_before, $size_before);
foreach my $night (1 .. 60)
{
	$node->safe_psql('postgres', qq{INSERT INTO orders (customer_id, ordered_at, amount, changed)
		SELECT i, timestamptz '2025-06-01 12:00Z' + interval '$night days', 10, '2025-06-01 12:00Z'::timestamptz
			+ interval '$night days' FROM generate_series(1 + $night % 7, 200, 40) i});
	# the source, the definition and the way of refreshing change now and then
	$node->safe_psql('postgres', q{CALL clv_alter_pipeline('shop', map => 'lifecycle', margin => 0.4)}) if $night == 25;
	$node->safe_psql('postgres', q{CALL clv_alter_pipeline('shop', map => 'rfm', margin => 1)}) if $night == 35;
	$node->safe_psql('postgres', sprintf q{CALL clv_refresh('shop', '%s')}, $night % 15 == 0 ? 'full' : 'incremental');
	next if $night % 10 != 0;
	# as autovacuum does, which is off here
	$node->safe_psql('postgres', 'VACUUM');
	my ($now, $entries) = ($node->safe_psql('postgres', $rows), $node->safe_psql('postgres', $catalog));
	my $bytes = $node->safe_psql('postgres', q{SELECT sum(pg_total_relation_size(oid)) FROM pg_class
		WHERE relnamespace = 'shop_data'::regnamespace AND relkind = 'r'
		  AND relname NOT IN ('segment', 'equity', 'model', 'run', 'step')});
	if ($night == 20)
	{
		($catalog_before, $size_before) = ($entries, $bytes);
	}
	elsif ($night > 20)
	{
		is($now, 't|t|t|t|t|t|t', "night $night: no more rows than two runs make");
		is($entries, $catalog_before, "night $night: and as many tables and indexes as after night 20");
		cmp_ok($bytes, '<=', 1.2 * $size_before, "night $night: which take no more room");
	}
}
is(partitions('customer') =~ tr/ //, 1, 'after sixty nights two runs of customers');
is(partitions('history') =~ tr/ //, 0, 'and one generation of histories');
is($node->safe_psql('postgres', q{SELECT count(*) FILTER (WHERE mode = 'incremental'),
		count(*) FILTER (WHERE mode = 'full')
	FROM (SELECT mode FROM shop.runs ORDER BY run DESC LIMIT 60) r}), '56|4',
	'of which four read all orders, as they were to');
is($node->safe_psql('postgres', $orphans), 0, 'and no table is left over after sixty nights');

# ---- dropping, with all partitions ----
$node->safe_psql('postgres', "CALL clv_drop_pipeline('shop')");
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname ~ '^(customer|history)_'}), 0,
	'a pipeline is dropped with its partitions');

$node->stop;
done_testing();
