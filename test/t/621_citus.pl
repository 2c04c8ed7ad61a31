# A pipeline over a table that Citus distributes puts its big tables beside it. Citus itself is not used: a catalog and
# functions of the same names replace it and record their calls; tables are not moved.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('citus');
$node->init;
Shop::configure($node);
$node->start;

# The server's answer to a statement.
sub answer
{
	my ($sql) = @_;

	return $node->safe_psql('postgres', $sql);
}

answer(q{
	CREATE EXTENSION clv;
	CREATE ROLE alice LOGIN;
	GRANT CREATE ON DATABASE postgres TO alice;
	CREATE SCHEMA private AUTHORIZATION alice;
	ALTER ROLE alice SET search_path = private, public;
	SET ROLE alice;
	SET search_path = private, public;
	} . $Shop::orders . q{
	CREATE TABLE local (LIKE orders INCLUDING DEFAULTS);
	CREATE TABLE by_day (LIKE orders INCLUDING DEFAULTS);
	INSERT INTO local SELECT * FROM orders;
	INSERT INTO by_day SELECT * FROM orders;
	RESET ROLE;
	SET allow_system_table_mods = on;
	CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod "char", partkey text);
	CREATE FUNCTION pg_catalog.column_to_column_name(table_name regclass, column_var_text text) RETURNS text
	LANGUAGE sql STABLE STRICT AS
	$$ SELECT attname FROM pg_attribute WHERE attrelid = table_name AND attnum = column_var_text::int $$;
	CREATE TABLE private.asked (number serial, of_table text, by_column text, beside text);
	GRANT ALL ON private.asked, private.asked_number_seq, pg_catalog.pg_dist_partition TO alice;
	CREATE FUNCTION pg_catalog.create_distributed_table(table_name regclass, distribution_column text,
		distribution_type text DEFAULT 'hash', colocate_with text DEFAULT 'default', shard_count int DEFAULT NULL)
	RETURNS void LANGUAGE sql AS $$
		INSERT INTO private.asked (of_table, by_column, beside)
		VALUES (table_name::text, distribution_column, colocate_with);
		INSERT INTO pg_catalog.pg_dist_partition
		SELECT table_name, 'h', attnum::text FROM pg_attribute
		WHERE attrelid = table_name AND attname = distribution_column $$;
	INSERT INTO pg_catalog.pg_dist_partition
	SELECT 'private.orders'::regclass, 'h', attnum::text FROM pg_attribute
	WHERE attrelid = 'private.orders'::regclass AND attname = 'customer_id'
	UNION ALL SELECT 'private.by_day', 'h', attnum::text FROM pg_attribute
	WHERE attrelid = 'private.by_day'::regclass AND attname = 'ordered_at'});

# A pipeline over each table, made by its owner.
my %made = (shop => 'orders', twin => 'local', other => 'by_day');
foreach my $name (sort keys %made)
{
	answer(qq{SET ROLE alice; SET search_path = private, public;
		CALL clv_create_pipeline('$name', '$made{$name}', 'customer_id', 'ordered_at', 'amount', '26 weeks', 0.1, 0.3,
			changed_at => 'changed_at')});
}
is(answer('SELECT of_table, by_column, beside FROM private.asked ORDER BY number'), join("\n",
	map { "shop_data.$_|customer_id|private.orders" } qw(history touched customer)),
	'the tables with a row for each customer are distributed by the key, co-located with the source; no others');

# Refreshes all pipelines, and compares what the views show.
sub same
{
	my ($name, $mode) = @_;

	answer("SET ROLE alice; CALL clv_refresh('$_', '$mode')") foreach sort keys %made;
	my $expected = Shop::contents($node, 'twin');
	is(Shop::contents($node, 'shop'), $expected, "$name: the views show what they show without Citus");
	is(Shop::contents($node, 'other'), $expected, "$name: as where the source is distributed by something else");
}
same('in full', 'full');
is(answer(q{SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'shop_data'::regnamespace AND c.relispartition
			  AND c.relkind = 'r' ORDER BY 1}), "customer_rest\nhistory_rest",
	'no table is made for a run: its rows are inserted into what is distributed');
cmp_ok(answer(q{SELECT count(*) FROM pg_class WHERE relnamespace = 'twin_data'::regnamespace AND relispartition}),
	'>', 2, 'as it is elsewhere');
answer(q{SET ROLE alice; SET search_path = private, public;
	INSERT INTO orders SELECT i, timestamptz '2025-05-20 12:00Z', 20 FROM generate_series(1, 210, 3) i;
	INSERT INTO local SELECT * FROM orders WHERE ordered_at >= '2025-05-20';
	INSERT INTO by_day SELECT * FROM orders WHERE ordered_at >= '2025-05-20'});
same('incremental', 'incremental');
same('in full again', 'full');
is(answer('SELECT count(DISTINCT run) FROM shop_data.customer'), 2, 'rows of older runs are deleted');

# What Citus does not plan, or would bring to the coordinator, is in no statement about these tables.
my $statements = answer(q{SELECT string_agg(concat(p.kind, ' ', p.name, ': ', p.statement), chr(10))
	FROM clv_internal.clv_pipeline_parts() p WHERE p.kind IN ('rows', 'sums')});
foreach my $case ([ 'ROLLUP', qr/\b(ROLLUP|CUBE|GROUPING SETS)\b/ ])
{
	my ($what, $pattern) = @$case;
	is(join(', ', map { (split /:/)[0] } grep { /$pattern/ } split /\n(?=\w+ \w+: )/, $statements), '',
		"no $what over customers");
}

$node->stop;
done_testing();
