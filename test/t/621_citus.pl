# A pipeline over a table that Citus distributes puts its big tables beside it, and writes no statement that Citus would
# not run on the workers. Citus itself is not used: a catalog and functions of the same names replace it and record
# their calls; tables are not moved.

use strict;
use warnings;

use FindBin;
use JSON::PP;
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

# The filler of statements keeps what it writes for the pipeline.
my $filler = answer(q{SELECT pg_get_functiondef(
	'clv_internal.clv_pipeline_sql(clv_internal.clv_pipeline_definition,text,text[])'::regprocedure)});
(my $copy = $filler) =~ s/clv_internal\.clv_pipeline_sql\(/private.filled(/;
answer($copy);
answer(q{
	CREATE TABLE private.written (statement text);
	GRANT ALL ON private.written TO alice;
	CREATE OR REPLACE FUNCTION clv_internal.clv_pipeline_sql(
		definition clv_internal.clv_pipeline_definition, template text, parts text[])
	RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		statement text := private.filled(definition, template, parts);
	BEGIN
		IF definition.name = 'shop' THEN
			INSERT INTO private.written VALUES (statement);
		END IF;
		RETURN statement;
	END $$});

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

# ---- what Citus does not plan, or would bring to the coordinator, is in no statement over distributed tables ----

my $distributed = qr/\b(?:shop_data\.(?:history|touched|customer)|private\.orders)\b/;
my %distributed = map { $_ => 1 } qw(orders history history_rest touched customer customer_rest);
# aggregates of the extension whose state has no form that travels
my $internal = answer(q{SELECT string_agg(DISTINCT p.proname, '|')
	FROM pg_aggregate a
	JOIN pg_proc p ON p.oid = a.aggfnoid
	JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	WHERE a.aggtranstype = 'internal'::regtype AND p.proname NOT IN ('clv_history', 'rfmtc_cuts')});
like($internal, qr/clv_validate_sum/, 'there are aggregates whose state stays on a server');

# The plan of a statement with parameters of any value.
sub plan_of
{
	my ($statement) = @_;
	my $name = $statement =~ /\(\$[12]\)\./ ?
		'q (clv_internal.clv_pipeline_definition, clv_internal.clv_pipeline_run)' : 'q';
	my ($given) = answer("SET search_path = pg_catalog; PREPARE $name AS $statement;
		SELECT cardinality(parameter_types) FROM pg_prepared_statements");
	my $arguments = $given ? '(' . join(', ', ('NULL') x $given) . ')' : '';

	return decode_json(answer("SET search_path = pg_catalog; SET plan_cache_mode = force_generic_plan;
		PREPARE $name AS $statement; EXPLAIN (FORMAT JSON, VERBOSE) EXECUTE q$arguments"))->[0]{Plan};
}

# Whether the part of a plan reads a table that is not distributed.
sub reads_local
{
	my ($node) = @_;

	return 1 if defined $node->{'Relation Name'} && !$distributed{ $node->{'Relation Name'} };
	return scalar grep { reads_local($_) } @{ $node->{Plans} // [] };
}

# Whether what comes out of a part of a plan has a limit.
sub limited
{
	my ($node) = @_;

	return 1 if $node->{'Node Type'} eq 'Limit';
	return scalar grep { limited($_) } @{ $node->{Plans} // [] };
}

# What stands between the scans of distributed tables in a plan and the rows that few come out of.
sub faults_of_plan
{
	my ($node, @above) = @_;
	my @faults = map { faults_of_plan($_, $node, @above) } @{ $node->{Plans} // [] };

	return @faults unless $distributed{ $node->{'Relation Name'} // '' } && $node->{'Node Type'} =~ /Scan/;
	foreach my $i (-1 .. $#above)
	{
		my $step = $i < 0 ? $node : $above[$i];
		my $below = $i < 0 ? undef : $i == 0 ? $node : $above[ $i - 1 ];
		my $type = $step->{'Node Type'};

		# joined with a list, of which each customer meets one row at most
		return @faults if $type =~ /Join|Nested Loop/ && grep { $_ != $below && limited($_) } @{ $step->{Plans} };

		push @faults, 'a window over customers' if $type eq 'WindowAgg';
		push @faults, 'a correlated look-up in a local table'
		  if grep { $_->{'Parent Relationship'} eq 'SubPlan' && reads_local($_) } @{ $step->{Plans} // [] };
		return @faults if $type =~ /^(Aggregate|Unique|Limit)$/;
		if ($type eq 'ModifyTable')
		{
			push @faults, 'customers for a local table' unless $distributed{ $step->{'Relation Name'} };
			return @faults;
		}
		push @faults, 'customers in a CTE' if ($step->{'Subplan Name'} // '') =~ /^CTE /;
	}
	return @faults;
}

# Why Citus would not run a statement on the workers.
sub faults
{
	my ($statement) = @_;
	my @faults;

	push @faults, 'grouping sets' if $statement =~ /\b(ROLLUP|CUBE|GROUPING SETS)\b/;
	push @faults, 'clv_histories' if $statement =~ /\bclv_histories\(/;
	push @faults, "the state of $1" if $statement =~ /\b($internal|rfmtc_cuts\(h)\b/;
	# a fence is around what is computed of one row, and reads no table
	(my $unfenced = $statement) =~ s/LATERAL \(\s*SELECT(?:(?!\bFROM\b|\bLATERAL\b).)*?OFFSET '0'\s*\)//gs;
	push @faults, 'a fence around customers' if $unfenced =~ /\bOFFSET\b/;
	push @faults, 'a local table in a change' if $statement =~ /^\s*(DELETE FROM|UPDATE) $distributed/
		&& $statement =~ /\bshop_data\.(?!history|touched|customer)/;
	push @faults, faults_of_plan(plan_of($statement));
	return @faults;
}

foreach (
	[ 'a window over customers', 'SELECT rank() OVER (ORDER BY clv) FROM shop_data.customer' ],
	[ 'a correlated look-up in a local table', 'SELECT c.segment, (SELECT max(m.description)
		FROM public.clv_segment_map m WHERE m.segment = c.segment) FROM shop_data.customer c GROUP BY c.segment' ],
	[ 'customers in a CTE', 'WITH c AS MATERIALIZED (SELECT segment FROM shop_data.customer)
		SELECT count(*) FROM c' ],
	[ 'customers for a local table', 'INSERT INTO shop_data.segment (run, segment)
		SELECT run, segment FROM shop_data.customer' ],
	[ 'a local table in a change', 'DELETE FROM shop_data.customer c USING shop_data.run r WHERE r.run = c.run' ],
	[ 'a fence around customers', 'SELECT count(clv) FROM (SELECT clv FROM shop_data.customer OFFSET 0) q' ],
	[ 'the state of rfmtc_cuts(h', q{SELECT public.rfmtc_cuts(h.history, '2025-06-01') FROM shop_data.history h} ])
{
	my ($fault, $statement) = @$_;

	is(join(', ', faults($statement)), $fault, "found: $fault");
}

# conversations are drawn from a part of the customers, of 50,000 at most
my @statements = grep { /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/ && /$distributed/ && !/\bshop_data\.conversation\b/ }
  split /\0/, answer(q{SELECT string_agg(DISTINCT replace(statement, '_data.sample', '_data.history'), E'\x01')
	FROM private.written}) =~ s/\x01/\0/gr;
cmp_ok(scalar(@statements), '>', 40, 'statements over distributed tables: ' . @statements);
my %faults;
push @{ $faults{$_->[0]} }, $_->[1] foreach map { my $s = $_; map { [ $_, $s ] } faults($s) } @statements;
is(join(', ', sort keys %faults), '', 'workers do their part of every statement of full and incremental refreshes')
	or diag map { "$_:\n$faults{$_}[0]\n" } sort keys %faults;

# ---- maps ----

my ($rc, $out, $err) = $node->psql('postgres', q{SET client_min_messages = warning;
	SET allow_system_table_mods = on;
	CREATE TABLE pg_catalog.pg_dist_node (nodeid int, groupid int, nodename text, nodeport int);
	CREATE TABLE pg_catalog.pg_dist_local_group (groupid int);
	INSERT INTO pg_catalog.pg_dist_local_group VALUES (0);
	INSERT INTO pg_catalog.pg_dist_node VALUES (1, 0, 'head', 5432);
	INSERT INTO clv_segment_map (map, position, segment) VALUES ('quiet', 1, 'all');
	INSERT INTO pg_catalog.pg_dist_node VALUES (2, 1, 'worker', 5432);
	INSERT INTO clv_segment_map (map, position, segment) VALUES ('mine', 1, 'all')});
is($rc, 0, 'own maps are written') or diag $err;
is(() = $err =~ /WARNING:  segment maps have been changed on this server, and not on its workers: worker:5432/g, 1,
	'where there are workers, it is said that they have others');

$node->stop;
done_testing();
