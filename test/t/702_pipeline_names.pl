# Pipelines whose every name is hard to spell, in an extension in an odd schema; dumped, restored and gone on with.

use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::Bin/../lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('names');
$node->init;
Shop::configure($node);
$node->start;

# The output of statements in UTF-8.
sub sql
{
	my ($database, $statements) = @_;
	utf8::encode($statements);
	return $node->safe_psql($database, $statements);
}

# A text as an SQL literal.
sub literal { my ($text) = @_; $text =~ s/'/''/g; return "'$text'" }
sub quoted { my ($text) = @_; $text =~ s/"/""/g; return qq{"$text"} }

# what formats, templates, strings and shells might take for their own
my $odd = q{%s %1$I {key} {data} {1} {1:I} 'a' "b" \\ $$ $1 Ünï 東京};
my ($schema, $table, $people, $answers) = ("shöp $odd", "Bestellungen $odd", "Kunden $odd", "Noten $odd");
my %column = map { $_ => substr("$_ $odd", 0, 45) } qw(key day amount back changed colour rating rated);
my $pipeline = q{Läden "x" 'y' %s {key} \\ $$};
my @clauses = ("status = ANY ('{paid}')", "'{key} {filter} {1} %s' <> '{data}'", q{E'\\\\' <> $q$'$q$},
	quoted($column{key}) . ' IS NOT NULL -- and {source}');

sql('postgres', qq{
	CREATE SCHEMA "Odd {key} {source} 5% %I"; CREATE EXTENSION clv SCHEMA "Odd {key} {source} 5% %I"; $Shop::orders
	CREATE SCHEMA } . quoted($schema) . ';' . join(';',
	'CREATE TABLE ' . quoted($schema) . '.' . quoted($table) . ' AS SELECT '
		. join(', ', map { "$_->[0] AS " . quoted($column{ $_->[1] }) }
		([ "'Ünï {key} %s ''' || customer_id", 'key' ], [ 'ordered_at', 'day' ], [ 'amount', 'amount' ],
			[ 'false', 'back' ], [ 'changed_at', 'changed' ]))
			. ', status FROM orders',
	'CREATE TABLE ' . quoted($schema) . '.' . quoted($people) . ' AS SELECT DISTINCT ' . quoted($column{key})
		. ", '{run} {key} %s ' || length(" . quoted($column{key})
	  . ') AS ' . quoted($column{colour}) . ' FROM ' . quoted($schema) . '.' . quoted($table),
	'CREATE TABLE ' . quoted($schema) . '.' . quoted($answers) . ' AS SELECT ' . quoted($column{key})
		. ', abs(hashtext(' . quoted($column{key}) . ')) % 11 AS '
	  . quoted($column{rating}) . ", date '2024-01-01' AS " . quoted($column{rated}) . ' FROM ' . quoted($schema) . '.'
		. quoted($people)));

my @arguments = (
	literal(quoted($schema) . '.' . quoted($table)), literal(quoted($column{key})), literal($column{day}),
		literal(quoted($column{amount})),
	"refit => 'always'", 'filter => ' . literal(join("\nAND ", @clauses)), '"returns" => ' . literal($column{back}),
		'changed_at => ' . literal($column{changed}),
	'attribute_source => ' . literal(quoted($schema) . '.' . quoted($people)),
		'attributes => ' . literal(quoted($column{colour})),
	'rating_source => ' . literal(quoted($schema) . '.' . quoted($answers)), 'rating => ' . literal($column{rating}),
		'rated_at => ' . literal(quoted($column{rated})));
sql('postgres', 'CALL "Odd {key} {source} 5% %I".clv_create_pipeline(' . join(', ', literal($_), @arguments) . ')')
	foreach ($pipeline, 'twin');
sql('postgres',
	qq{CALL "Odd {key} {source} 5% %I".clv_create_pipeline('shop', 'orders', 'customer_id', 'ordered_at', 'amount',
	filter => 'status = ''paid''', changed_at => 'changed_at')});

# Refreshes a pipeline in a mode.
sub refresh { my ($database, $name, $mode) = @_;
sql($database, 'CALL "Odd {key} {source} 5% %I".clv_refresh(' . literal($name) . ", '$mode')") }
# What Shop::contents returns, for a name with any characters.
sub contents
{
	my ($database, $name) = @_;
	$name =~ s/'/''/g;
	utf8::encode($name);
	return Shop::contents($node, $name, $database);
}
# The same but for the view check, which tells of the last full refresh.
sub followed { return contents(@_) =~ s/^check\|.*\n//mr }

refresh('postgres', $_, 'full') foreach ($pipeline, 'twin', 'shop');
is(contents('postgres', $pipeline), contents('postgres', 'twin'),
	'a pipeline with a name hard to spell is one like others');
my $views = quoted($pipeline);
is(sql('postgres', "SELECT count(*), sum(monetary), count(rating), count(value_segment) FROM $views.customers"),
	sql('postgres', 'SELECT count(*), sum(monetary), count(*), count(*) FROM shop.customers'),
		'and shows what plain names show');
is(sql('postgres', "SELECT sum(customers) FROM $views.profile"), sql('postgres', "SELECT count(*) FROM shop.customers"),
	'attributes meet their customers');
is(sql('postgres',
	'SELECT count(*) FROM "Odd {key} {source} 5% %I".clv_pipelines WHERE name = ' . literal($pipeline)
		. " AND last_status = 'done'"),
	1, 'it is in the list');

my $more = 'INSERT INTO ' . quoted($schema) . '.' . quoted($table)
	. " SELECT 'Ünï {key} %s ''' || i, timestamptz '2025-06-01 12:00Z', 30, false, clock_timestamp(), 'paid' "
  . 'FROM generate_series(1, 300, 50) i';
sql('postgres', $more);
refresh('postgres', $pipeline, 'incremental');
refresh('postgres', 'twin', 'full');
is(followed('postgres', $pipeline), followed('postgres', 'twin'), 'by touched customers as in full');
sql('postgres',
	'CALL "Odd {key} {source} 5% %I".clv_alter_pipeline(' . literal($pipeline)
	. ", margin => 0.5); CALL \"Odd {key} {source} 5% %I\".clv_alter_pipeline('twin', margin => 0.5)");

# ---- the functions that write statements of their own call what lies in the odd schema ----

my $columns = "'orders', 'customer_id', 'ordered_at', 'amount'";
sql('postgres', 'CREATE TABLE customer AS
	SELECT customer_id, "Odd {key} {source} 5% %I".clv_history(ordered_at, amount) AS history FROM orders GROUP BY 1');
my $fitted = '(SELECT "Odd {key} {source} 5% %I".clv_fit(history) FROM customer)';
foreach my $call ("clv_check($columns)", "clv_predict($columns)", "rfmtc_score($columns)", "segment_assign($columns)",
	q{clv_choose('customer', 'history', '2024-09-01', '90 days')},
	q{clv_backtest('customer', 'history', '2024-09-01', '90 days')},
	qq{clv_tracking('customer', 'history', $fitted)}, qq{clv_shock('customer', 'history', $fitted)})
{
	my ($name) = $call =~ /(\w+)/;
	cmp_ok(sql('postgres', qq{SELECT count(*) FROM "Odd {key} {source} 5% %I".$call}), '>', 0, "$name reads a table");
}

# ---- keys of a type that an extension brings are compared by its own equality ----

sql('postgres', 'CREATE SCHEMA "Kinds {key} 5%"; CREATE EXTENSION citext SCHEMA "Kinds {key} 5%"');
my $either = q{CASE WHEN extract(day FROM ordered_at) > 15 THEN 'Ann' ELSE 'aNN' END || customer_id};
sql('postgres', qq{
	CREATE TABLE folded AS SELECT lower($either) AS who, ordered_at, amount, changed_at FROM orders;
	CREATE TABLE mixed AS SELECT ($either)::"Kinds {key} 5%".citext AS who, ordered_at, amount, changed_at FROM orders;
	CREATE TABLE folded_answers AS SELECT DISTINCT who, length(who) AS rating, who < 'ann5' AS small FROM folded;
	CREATE TABLE mixed_answers AS
	SELECT DISTINCT upper(who)::"Kinds {key} 5%".citext AS who, rating, small FROM folded_answers});
foreach my $kind ('folded', 'mixed')
{
	sql('postgres', qq{CALL "Odd {key} {source} 5% %I".clv_create_pipeline('$kind', '$kind', 'who', 'ordered_at',
		'amount', changed_at => 'changed_at', refit => 'always', rating_source => '${kind}_answers', rating => 'rating',
		attribute_source => '${kind}_answers', attributes => 'small')});
	refresh('postgres', $kind, 'full');
}
# Every row of the views of customers, in lower case.
sub customers
{
	my ($kind) = @_;
	return join "\n", map { sql('postgres', "SELECT lower(q::text) COLLATE \"C\" FROM $kind.$_ q ORDER BY 1") }
	  qw(customers segments winback next_best alerts profile satisfaction cohorts);
}
is(customers('mixed'), customers('folded'), 'Ann and aNN are one customer where the key is citext');
like(customers('mixed'), qr/ann7\b/, 'there are customers');
sql('postgres', q{INSERT INTO folded SELECT 'ann' || i, '2025-06-02 12:00Z', 31, clock_timestamp()
	FROM generate_series(1, 250, 50) i;
	INSERT INTO mixed SELECT 'ANN' || i, '2025-06-02 12:00Z', 31, clock_timestamp()
	FROM generate_series(1, 250, 50) i});
refresh('postgres', $_, 'incremental') foreach ('folded', 'mixed');
is(customers('mixed'), customers('folded'), 'who bought again by touched customers, too');
sql('postgres', q{CALL "Odd {key} {source} 5% %I".clv_forget('mixed', 'AnN7');
	CALL "Odd {key} {source} 5% %I".clv_forget('folded', 'ann7')});
is(customers('mixed'), customers('folded'), 'and erased');
unlike(customers('mixed'), qr/ann7\b/, 'the customer is gone');
my ($status, undef, $refused) = $node->psql('postgres',
	q{CALL "Odd {key} {source} 5% %I".clv_create_pipeline('fails', 'mixed', 'who', 'ordered_at', 'amount',
		rating_source => 'folded_answers', rating => 'rating')});
like($refused, qr/column "who" of \S+folded_answers is of type text, and of \S+mixed of type .*citext/,
	'a relation whose key is of another type is refused');

# ---- dumped in the middle of a run, and restored ----

my $keeper = $node->background_psql('postgres');
$keeper->query_safe($Shop::gates);
$keeper->query_safe('SELECT pg_advisory_lock(42, 4)');
my $run = Shop::background($node, q{CALL "Odd {key} {source} 5% %I".clv_refresh('shop')});
Shop::at_gate($node);
foreach my $format ('custom', 'plain')
{
	my $file = "$PostgreSQL::Test::Utils::tmp_check/dump.$format";
	$node->command_ok([ 'pg_dump', "--format=$format", '-f', $file, '-d', $node->connstr('postgres') ],
		"pg_dump while a refresh runs: $format");
	sql('postgres', "CREATE DATABASE $format");
	$node->command_ok($format eq 'custom' ? [ 'pg_restore', '--exit-on-error', '-d', $node->connstr($format), $file ]
		: [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($format), '-f', $file ],
			"and is restored: $format");
	is(contents($format, $_), contents('postgres', $_),
		"$format: all views show what they showed: " . ($_ eq $pipeline ? 'the odd one' : $_))
		foreach ($pipeline, 'twin', 'shop');
	is(sql($format,
		'SELECT string_agg(concat_ws(\' \', last_status, last_run), \', \' ORDER BY name COLLATE "C")
		FROM "Odd {key} {source} 5% %I".clv_pipelines'),
		sql('postgres',
			'SELECT string_agg(concat_ws(\' \', last_status, last_run), \', \' ORDER BY name COLLATE "C")
			FROM "Odd {key} {source} 5% %I".clv_pipelines'),
			"$format: and so does the list");
	next if $format eq 'plain';
	sql($format, $more);
	refresh($format, $pipeline, 'incremental');
	refresh($format, 'twin', 'full');
	is(followed($format, $pipeline), followed($format, 'twin'), "$format: touched customers go on from there");
	# the session of the run is at work still, but in another database
	refresh($format, 'shop', 'full');
	is(sql($format, "SELECT string_agg(status, ', ' ORDER BY run) FROM shop.runs"), 'done, interrupted, done',
		"$format: a run that was dumped halfway is given up");
}
$keeper->quit;
is(Shop::finish($run), '', 'meanwhile the run itself has come to its end');
is(Shop::latest($node, 'status'), 'done', 'and says so');

# ---- renamed, and dropped ----

my $other = q{other {key} %s "};
sql('postgres',
	"ALTER SCHEMA $views RENAME TO " . quoted($other) . '; ALTER SCHEMA ' . quoted($pipeline . '_data') . ' RENAME TO '
	. quoted($other . '_data'));
sql('postgres', $more);
refresh('postgres', $_, 'auto') foreach ($other, 'twin');
is(followed('postgres', $other), followed('postgres', 'twin'),
	'a pipeline whose schemas were renamed goes on under the new name');
sql('postgres', 'CALL "Odd {key} {source} 5% %I".clv_drop_pipeline(' . literal($other) . ')');
is(sql('postgres', q{SELECT count(*) FROM pg_namespace WHERE nspname ~ '^(other|Läden)'}), 0,
	'and is dropped without a rest');

# ---- orders that lie in another server ----

sql('postgres',
	'CREATE EXTENSION postgres_fdw; CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '
	. literal($node->host)
	  . ', port ' . literal($node->port)
		. ", dbname 'postgres'); CREATE USER MAPPING FOR CURRENT_USER
		SERVER elsewhere; CREATE FOREIGN TABLE far_orders "
	  . "(customer_id bigint, ordered_at timestamptz, amount numeric, status text, changed_at timestamptz) "
	  . "SERVER elsewhere OPTIONS (table_name 'orders')");
foreach my $names ([ 'near', 'orders' ], [ 'far', 'far_orders' ])
{
	sql('postgres',
		qq{CALL "Odd {key} {source} 5% %I".clv_create_pipeline('$names->[0]', '$names->[1]', 'customer_id',
		'ordered_at', 'amount', changed_at => 'changed_at', refit => 'always')});
	refresh('postgres', $names->[0], 'full');
}
Shop::buy($node, 99);
refresh('postgres', 'far', 'incremental');
refresh('postgres', 'near', 'full');
is(followed('postgres', 'far'), followed('postgres', 'near'),
	'a foreign table is read as a table of our own, by touched customers too');

# ---- a run that could not be recorded as failed ----

is(sql('postgres', q{
	UPDATE near_data.run SET status = 'running', started_at = clock_timestamp(), pid = pg_backend_pid(),
		backend_start = (SELECT a.backend_start FROM pg_stat_activity a WHERE a.pid = pg_backend_pid())
	WHERE run = (SELECT max(run) FROM near_data.run);
	SELECT status FROM near.runs ORDER BY run DESC LIMIT 1}),
	'interrupted', 'whose session is at another statement by now, is shown as interrupted');

$node->stop;
done_testing();
