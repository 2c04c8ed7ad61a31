# Shop.pm - a small shop whose orders a pipeline reads, and what tests of faults ask again and again.
#
# The fault under test meets the pipeline "shop". Its twin has the same definition over the same orders and is
# refreshed whenever a refresh of shop is meant to succeed: so the twin is what shop would be had nothing happened.
package Shop;

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Time::HiRes qw(time usleep);

# A cluster that survives the loss of a backend.
sub configure
{
	my ($node) = @_;
	$node->append_conf('postgresql.conf', "jit = off\nfsync = off\nrestart_after_crash = on\nautovacuum = off\n"
		  . "max_parallel_workers_per_gather = 0\nclient_min_messages = error");
}

# Orders of 200 customers; some buy once, some often, and some have gone.
our $orders = q{
	CREATE TABLE orders (customer_id bigint, ordered_at timestamptz, amount numeric, status text DEFAULT 'paid',
		changed_at timestamptz DEFAULT clock_timestamp());
	INSERT INTO orders SELECT i, timestamptz '2024-01-01 12:00Z' + interval '1 day' * ((i * 37) % 240
		+ floor(power(k, 1.3) * (3 + (i * 7919) % 41))), 5 + (i * 31 + k * 17) % 60 + (i % 7) * 10
	FROM generate_series(1, 200) i, generate_series(0, 9) k WHERE k <= (i * i + 3 * i) % 11
	  AND (i * 37) % 240 + power(k, 1.3) * (3 + (i * 7919) % 41) < 500;};

# A gate at the end of each step's work, inside its transaction: open unless a session holds the lock (42, step).
our $gates = q{
	CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
	'BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(42, NEW.number); RETURN NEW; END';
	CREATE TRIGGER gate BEFORE UPDATE ON shop_data.step FOR EACH ROW EXECUTE FUNCTION gate();};

# More orders, each time those of other customers, a new customer among them.
sub buy
{
	my ($node, $round) = @_;
	$node->safe_psql('postgres',
		"INSERT INTO orders SELECT (i * 13 + $round * 7) % 210 + 1, timestamptz '2025-05-20 12:00Z' + "
		  . "interval '1 day' * ($round + i % 3), 20 + i % 9 FROM generate_series(1, 8) i");
}

# The columns by which two pipelines, or two moments of one, can be compared: no numbers of runs, no times of the clock.
my %queries;
# The views of a pipeline, each with its count of rows and a digest of what can be compared.
sub contents
{
	my ($node, $pipeline, $database) = @_;
	$queries{$pipeline} //= $node->safe_psql($database // 'postgres', qq{
		SELECT string_agg(format('SELECT %L,
										 md5(coalesce(string_agg(q::text, chr(10) ORDER BY q::text COLLATE "C"),
											 '''')), count(*)
								  FROM (SELECT %s FROM %I.%I) q',
			v.table_name, v.columns, v.table_schema, v.table_name), ' UNION ALL ' ORDER BY v.table_name)
		FROM (SELECT table_schema, table_name,
					 string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) AS columns
			FROM information_schema.columns WHERE table_schema = '$pipeline' AND table_name NOT IN ('runs', 'run_steps')
			  AND column_name NOT IN ('run', 'previous_run', 'model_run') AND data_type NOT LIKE 'timestamp%'
			  GROUP BY 1, 2) v});
	return $node->safe_psql($database // 'postgres', $queries{$pipeline});
}

# A psql that works on its own: (handle, its output, its errors).
sub background
{
	my ($node, $sql, $user) = @_;
	my ($out, $err) = ('', '');
	my $handle = IPC::Run::start(['psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d',
		$node->connstr('postgres') . ($user ? " user=$user" : ''),
			'-c', $sql ], '<', '/dev/null', '>', \$out, '2>', \$err);
	return { handle => $handle, out => \$out, err => \$err };
}

# crash(NODE, PID): kills a backend, and waits until the server, which then restarts all others, takes connections
# again. The log tells: a psql that is refused may be gone before it is given its query, and the writer dies of the
# closed pipe.
sub crash
{
	my ($node, $pid) = @_;
	my $position = -s $node->logfile;

	kill 'KILL', $pid;
	foreach (1 .. 1800)
	{
		return if slurp_file($node->logfile, $position) =~ /database system is ready to accept connections/;
		usleep(100_000);
	}
	die 'the server does not come back';
}

# Waits for the end of a session; returns what it wrote to stderr.
sub finish
{
	my ($session) = @_;
	eval { $session->{handle}->finish };
	return ${ $session->{err} };
}

# The process that has come to a gate and waits there.
sub at_gate
{
	my ($node) = @_;
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks
		WHERE locktype = 'advisory' AND classid = 42 AND NOT granted})
	  or die 'no session has come to the gate';
	return $node->safe_psql('postgres', q{SELECT pid FROM pg_locks
		WHERE locktype = 'advisory' AND classid = 42 AND NOT granted});
}

# The latest run as its view tells it.
sub latest
{
	my ($node, @columns) = @_;
	return $node->safe_psql('postgres', 'SELECT ' . join(', ', @columns) . ' FROM shop.runs ORDER BY run DESC LIMIT 1');
}

1;
