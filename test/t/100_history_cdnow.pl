# Histories of real orders: the CDNOW logs add up to the cent, take the promised space, and give the summaries
# that the literature fits.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $data = shared(map { "data/$_.csv" } 'cdnow_log_full', 'cdnow_log_sample', 'cdnow_summary') . '/data';

my $node = PostgreSQL::Test::Cluster->new('cdnow');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off");
$node->start;

# The server may not read where the data lie, psql may.
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION clv;
CREATE TABLE full_log (customer_id int, date date, cds int, amount numeric(10,2));
CREATE TABLE sample_log (customer_id int, master_id int, date date, cds int, amount numeric(10,2));
CREATE TABLE published (customer_id int, x int, t_x float8, t_cal float8, x_star int, m_x float8);
\\copy full_log FROM '$data/cdnow_log_full.csv' (FORMAT csv, HEADER)
\\copy sample_log FROM '$data/cdnow_log_sample.csv' (FORMAT csv, HEADER)
\\copy published FROM '$data/cdnow_summary.csv' (FORMAT csv, HEADER)
CREATE TABLE customer AS SELECT customer_id, clv_history(date, amount) AS history FROM full_log GROUP BY customer_id;
CREATE TABLE member AS SELECT customer_id, clv_history(date, amount) AS history FROM sample_log GROUP BY customer_id;
SQL

# holds(QUERY, NAME): the query says t
sub holds
{
	my ($query, $name) = @_;

	is($node->safe_psql('postgres', $query), 't', $name);
	return;
}

holds('SELECT count(*) = 23570
			  AND sum(clv_purchases(history)) = (SELECT count(DISTINCT (customer_id, date)) FROM full_log)
	   FROM customer',
	'all customers are there, with an occasion for each day');
holds('SELECT sum(clv_total_spend(history)) = (SELECT sum(amount) FROM full_log) FROM customer',
	'the total is the sum of the amounts, to the cent');
holds('SELECT sum(l.amount) = (SELECT sum(amount) FROM full_log) FROM customer, clv_purchase_log(history) l',
	'and so is the sum of the purchase logs');
holds('SELECT bool_and(h = history) FROM customer JOIN
	(SELECT customer_id, clv_history(date, amount::float8) AS h
	 FROM full_log GROUP BY customer_id) f USING (customer_id)',
	'double precision gives the same histories');
holds('SELECT bool_and(pg_column_size(history) <= 8 + 6 * clv_purchases(history)) FROM customer',
	'each takes at most 8 bytes, and 6 for each occasion');
holds('SELECT sum(pg_column_size(history)) <= sum(8 + 4 * clv_purchases(history)) FROM customer',
	'all of them together 8 and 4');
note $node->safe_psql('postgres',
	'SELECT sum(pg_column_size(history)) || $$ bytes for $$ || sum(clv_purchases(history)) ||
	$$ occasions of $$ || count(*) || $$ customers$$ FROM customer');

# The published table holds weeks to 15 digits and means of repeat purchases to the cent in tenths.
holds(q{SELECT count(*) = 2357 AND bool_and(s.x = p.x AND abs(s.t_x - p.t_x) < 1e-9 AND abs(s.t_cal - p.t_cal) < 1e-9)
	FROM member JOIN published p USING (customer_id), clv_summary(history, '1997-09-30') s},
		'x, t_x and T are the published ones');
holds(q{SELECT bool_and(abs(coalesce(s.mean_spend, 0) - p.m_x) < 0.005)
	FROM member
	JOIN published p USING (customer_id), clv_summary(history, '1997-09-30') s}, 'and so is the mean spend');
holds(q{SELECT bool_and(clv_purchases_between(history, '1997-09-30', '1998-06-30') = p.x_star)
	FROM member JOIN published p USING (customer_id)}, 'and so are the purchases of the hold-out');

$node->stop;
done_testing();
