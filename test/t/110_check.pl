# clv_check over real logs: no error in those that are in order, and of each way to break one that way and nothing else.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shared;
use Test::More;

my $data = shared(map { "data/$_.csv" } 'cdnow_log_full', 'cdnow_log_sample', 'apparel_log') . '/data';
my %logs = (
	cdnow => [ 'cdnow_log_full', 'customer int, day date, cds int, amount numeric' ],
	sample => [ 'cdnow_log_sample', 'customer int, master int, day date, cds int, amount numeric' ],
	apparel => [ 'apparel_log', 'customer int, day date, amount numeric' ]);

my $node = PostgreSQL::Test::Cluster->new('check');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv');

# findings(QUERY): the findings over it, severity and name
sub findings
{
	return $node->safe_psql('postgres', q{SELECT string_agg(severity || ' ' || finding, ', ' ORDER BY finding)
		FROM clv_check($q$} . shift . q{$q$, 'customer', 'day', 'amount')});
}

foreach my $log (sort keys %logs)
{
	my ($file, $columns) = @{ $logs{$log} };

	$node->safe_psql('postgres',
		"CREATE TABLE $log ($columns); COPY $log FROM '$data/$file.csv' WITH (FORMAT csv, HEADER)");
}
is(findings('SELECT * FROM cdnow'), 'notice amounts of zero', 'CDNOW');
is(findings('SELECT * FROM sample'), 'notice amounts of zero', 'the sample of CDNOW');
is(findings('SELECT * FROM apparel'), 'notice amounts of zero, notice season present', 'the apparel shop');

# what is left of it is in order
my $clean = 'SELECT customer, day, amount FROM cdnow WHERE amount > 0';
is(findings($clean), 'ok nothing found', 'CDNOW without amounts of zero');
my @breaks = (
	[ 'warning customer missing',
		"SELECT nullif(customer, customer - customer % 9) AS customer, day, amount FROM ($clean) c" ],
	[ 'error customer missing', "SELECT nullif(customer, customer - customer % 9 % 2) AS customer, day, amount
		FROM ($clean) c WHERE customer % 9 IN (0, 2, 4, 6, 1)" ],
	[ 'warning one customer with very many rows',
		"SELECT CASE WHEN customer % 9 = 0 THEN 0 ELSE customer END AS customer, day, amount FROM ($clean) c" ],
	[ 'error dates isolated', "$clean UNION ALL SELECT 7, '2001-06-30', 20" ],
	[ 'error dates isolated', "$clean UNION ALL SELECT 7, '1970-01-01', 20" ],
	[ 'error dates in the future', "$clean UNION ALL SELECT 7, '2997-06-30', 20" ],
	[ 'warning refunds without a purchase', "$clean UNION ALL SELECT customer + 100000, day, -amount
		FROM ($clean) c WHERE customer % 50 = 0" ],
	[ 'warning refunds before the first purchase', "$clean UNION ALL SELECT customer, min(day) - 1, -1
		FROM ($clean) c WHERE customer % 10 = 0 GROUP BY customer" ],
	[ 'warning amounts of mixed magnitude',
		"SELECT customer, day, CASE customer % 30 WHEN 0 THEN 100 ELSE 1 END * amount AS amount FROM ($clean) c" ],
	[ 'warning amounts that are outliers', "$clean UNION ALL SELECT 7, '1997-06-30', 30000" ],
	[ 'warning one-time buyers missing', "SELECT * FROM ($clean) c
		WHERE customer IN (SELECT customer FROM ($clean) d GROUP BY customer HAVING count(DISTINCT day) > 1)" ],
	[ 'warning span too short', "SELECT * FROM ($clean) c WHERE day < '1997-03-20'" ],
	[ 'error span too short', "SELECT * FROM ($clean) c WHERE day < '1997-01-22'" ],
	[ 'warning few repeat buyers', "SELECT * FROM ($clean) c WHERE customer % 150 = 0" ],
	[ 'warning gap in the data', "SELECT * FROM ($clean) c WHERE day NOT BETWEEN '1997-08-04' AND '1997-08-17'" ],
	[ 'warning dates rounded', "SELECT customer, date_trunc('month', day)::date AS day, amount FROM ($clean) c" ],
	[ 'warning dates rounded', "SELECT customer, date_trunc('week', day)::date AS day, amount FROM ($clean) c" ]);
foreach (@breaks)
{
	my ($wanted, $query) = @$_;

	is(findings($query), $wanted, $wanted);
}

# the source is read once
$node->safe_psql('postgres', q{
	CREATE SEQUENCE reads;
	CREATE VIEW counted AS SELECT customer, day, amount FROM sample, (SELECT nextval('reads') OFFSET 0) r});
findings('SELECT * FROM counted');
is($node->safe_psql('postgres', 'SELECT last_value FROM reads'), 1, 'a source is read once');

$node->stop;
done_testing();
