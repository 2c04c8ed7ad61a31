# A year of refreshes over the CDNOW log, week by week: what is refreshed by touched customers is after each what is
# refreshed in full, customers who move between segments add up, and money reconciles with the source to the cent.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $file = shared('data/cdnow_log_sample.csv') . '/data/cdnow_log_sample.csv';

my $node = PostgreSQL::Test::Cluster->new('weeks');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off");
$node->start;

# The two pipelines differ in nothing but how they read their source. The test sets the time at which a row was written.
$node->safe_psql('postgres', qq{
	CREATE EXTENSION clv;
	CREATE TABLE log (customer_id int, master_id int, bought_on date, cds int, amount numeric(10,2));

\\copy log FROM '$file' (FORMAT csv, HEADER)

	CREATE TABLE orders (order_no int GENERATED ALWAYS AS IDENTITY, customer_id int, bought_on date,
		amount numeric(10,2),
		written_at timestamptz);
	CREATE INDEX ON orders (customer_id);
	CREATE INDEX ON orders (written_at);
	CALL clv_create_pipeline('touched', 'orders', 'customer_id', 'bought_on', 'amount', discount_rate => 0.1,
		margin => 0.4,
		refit => '28 days', changed_at => 'written_at', overlap => '1 day');
	CALL clv_create_pipeline('whole', 'orders', 'customer_id', 'bought_on', 'amount', discount_rate => 0.1,
		margin => 0.4,
		refit => '28 days');

	-- the views in which the two differ, but for when things happened and how
	CREATE FUNCTION differences() RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		found text;
		name text;
		list text;
		n bigint;
	BEGIN
		FOR name, list IN SELECT table_name, string_agg(format('v.%I', column_name), ', ')
			FROM information_schema.columns
			-- check tells of the last full refresh
			WHERE table_schema = 'whole' AND table_name NOT IN ('runs', 'run_steps', 'check')
			  AND column_name NOT IN ('published_at', 'fitted_at') GROUP BY 1
		LOOP
			EXECUTE format('
						   SELECT count(*)
						   FROM ((SELECT %1\$s FROM whole.%2\$I v EXCEPT ALL SELECT %1\$s FROM touched.%2\$I v)
				UNION ALL (SELECT %1\$s FROM touched.%2\$I v EXCEPT ALL SELECT %1\$s FROM whole.%2\$I v)) d', list,
					name)
				INTO n;
			IF n > 0 THEN
				found := concat_ws(', ', found, format('%s (%s)', name, n));
			END IF;
		END LOOP;
		RETURN coalesce(found, 'none');
	END \$\$;
	CREATE TABLE before (run int, segment text, customers bigint);
	INSERT INTO orders (customer_id, bought_on, amount, written_at)
	SELECT customer_id, bought_on, amount, bought_on
		FROM log
		WHERE bought_on <= '1997-07-06' AND customer_id % 50 <> 7});

# Each week brings its orders; and some weeks orders that came late, amounts that were corrected, things given
# back, orders that were cancelled by being moved to no day, a customer missing from the books, and once rows of a third
# of the customers written anew. Some weeks both are refreshed before corrections too, as of the same day.
my @answers;
foreach my $week (0 .. 51)
{
	my $last = "date '1997-07-06' + 7 * $week";
	my $written = "timestamptz '1997-07-07 00:00+00' + interval '1 week' * $week";
	my $twice = $week % 6 == 5
	  ? "CALL clv_refresh('whole', as_of => $last); CALL clv_refresh('touched', as_of => $last);"
	  : '';
	my ($out) = $node->safe_psql('postgres', qq{
		SET client_min_messages = warning;
		INSERT INTO orders (customer_id, bought_on, amount, written_at)
		SELECT customer_id, bought_on, amount, $written FROM log
		WHERE bought_on <= $last
		AND (bought_on > $last - 7 AND customer_id % 50 <> 7 AND $week > 0 OR customer_id = 50 * $week + 7);
		$twice
		UPDATE orders SET written_at = $written WHERE $week = 30 AND customer_id % 3 = 0;
		UPDATE orders SET amount = amount + 1, written_at = $written WHERE $week % 4 = 1 AND order_no % 97 = $week;
		INSERT INTO orders (customer_id, bought_on, amount, written_at)
		SELECT customer_id, $last - 3, -amount, $written
			FROM orders
			WHERE $week % 4 = 2 AND order_no % 101 = $week AND amount > 0;
		UPDATE orders SET bought_on = NULL, written_at = $written WHERE $week % 8 = 3 AND order_no % 211 = $week;
		DELETE FROM before;
		INSERT INTO before SELECT 0, segment, customers FROM whole.segments;
		CALL clv_refresh('whole', as_of => $last);
		CALL clv_refresh('touched', as_of => $last);
		SELECT r.mode, differences(),
			-- a customer from before is where they went to, or has gone; one of now has come from somewhere
			coalesce((SELECT bool_and(b.customers = m.n) FROM before b
				LEFT JOIN (SELECT from_segment, sum(customers) AS n FROM whole.migration GROUP BY 1) m
					ON m.from_segment = b.segment),
					true),
			(SELECT bool_and(s.customers = m.n) FROM whole.segments s
				LEFT JOIN (SELECT to_segment, sum(customers) AS n FROM whole.migration GROUP BY 1) m
					ON m.to_segment = s.segment),
			r.total_revenue = (SELECT sum(amount) FROM orders) AND r.total_revenue = e.past_revenue + e.revenue_after
				+ e.revenue_without_purchase + e.revenue_without_customer + e.revenue_without_time,
			-- segments, cohorts and forecasts add up to the base
			e.customers = (SELECT sum(customers) FROM whole.segments)
				AND e.customers = (SELECT count(*) FROM whole.customers)
				AND e.customers = (SELECT sum(customers) FROM whole.cohorts),
			e.past_revenue = (SELECT sum(monetary) FROM whole.customers)
				AND e.past_revenue = (SELECT sum(revenue) FROM whole.cohort_retention)
				AND e.past_revenue = (SELECT sum(amount)
					FROM orders o JOIN whole.customers USING (customer_id)
					WHERE o.bought_on <= $last),
			e.clv = (SELECT sum(clv) FROM whole.customers) AND e.clv = (SELECT sum(clv) FROM whole.cohorts)
				AND e.clv = (SELECT sum(value) FROM whole.concentration WHERE basis = 'future value'),
			e.expected_revenue = (SELECT sum(expected_revenue) FROM whole.forecast WHERE segment = '(all)')
				AND e.expected_revenue = (SELECT sum(expected_revenue) FROM whole.forecast WHERE segment <> '(all)')
		FROM touched.runs r, whole.equity e WHERE r.is_current});
	push @answers, $out;
}

my $good = 't|t|t|t|t|t|t';
is($answers[0], "full|none|$good", 'the first refresh is a full one, whatever is asked');
is(scalar(grep { $_ eq "incremental|none|$good" } @answers[1 .. 51]), 51,
	'51 weeks by touched customers: each as in full, and everything adds up')
  or diag join "\n", grep { $_ ne "incremental|none|$good" } @answers;

is($node->safe_psql('postgres', q{
	SELECT count(DISTINCT model_run), count(*) FILTER (WHERE model_run <> run) > 0 FROM touched.runs}), '13|t',
	'every four weeks the model is fitted anew, and kept between');
is($node->safe_psql('postgres',
	q{SELECT count(DISTINCT run) = 60, count(DISTINCT as_of) = 52 FROM whole.segment_history}),
	't|t',
	'the history of the segments has every refresh');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT run) FROM whole_data.customer}), '2',
	'of the customers only the current run and the one before are kept');
my $kept = $node->safe_psql('postgres', 'SELECT count(*) FROM touched_data.run WHERE customer_run <> run');
is($kept, $node->safe_psql('postgres', q{
	SELECT count(*) FROM touched_data.run r JOIN touched_data.run b ON b.run + 1 = r.run AND b.made_of = r.made_of
	WHERE r.generation = b.generation AND b.histories = b.customers}),
	'refreshed twice a day, rows of customers without changes stay where they are, unless all histories are made anew');
cmp_ok($kept, '>', 1, 'more than once');
is($node->safe_psql('postgres', q{SELECT count(*) FROM touched_data.run r JOIN touched_data.run b ON b.run + 1 = r.run
	WHERE r.generation > b.generation AND r.mode = 'incremental' AND r.touched > b.histories / 10}),
	$node->safe_psql('postgres', 'SELECT count(DISTINCT generation) - 1 FROM touched_data.run'),
	'where many customers have changed rows, all histories are made anew, in a generation of their own');
cmp_ok($node->safe_psql('postgres', 'SELECT count(DISTINCT generation) FROM touched_data.run'), '>', 1,
	'at least once');
is($node->safe_psql('postgres', q{
	SELECT bool_and(t.run > r.model_run) FROM touched_data.touched t, touched.runs r WHERE r.is_current}), 't',
	'customers who were touched are counted in by the next fit');

$node->stop;
done_testing();
