package Stopping;

# Stopping.pm - a session whose statements are told to stop, and what its backend does after that.
#
# A cancel is sent once the backend has worked for a while, and what counts is the processor time that it takes from
# there to the end of the statement: a machine under load makes processes wait, but not work. Where /proc does
# not tell, the time on the clock has to do.

use strict;
use warnings;

use IPC::Run ();
use POSIX ();
use Time::HiRes ();

my $ticks = POSIX::sysconf(POSIX::_SC_CLK_TCK()) || 100;

# A statement that does not stop within so many seconds is given up, and the test with it.
my $given_up = $ENV{CLV_STOPPING_LIMIT} // 120;

# new(COMMAND ...): psql with what it needs to connect; errors come as SQLSTATE and message
sub new
{
	my ($class, @psql) = @_;
	my $self = bless { in => '', out => '', err => '', marks => 0 }, $class;

	$self->{run} = IPC::Run::start([@psql, '-XAtq', '-v', 'VERBOSITY=verbose', '-f', '-'], '<', \$self->{in},
		'>', \$self->{out}, '2>', \$self->{err});
	$self->{pid} = $self->run('SELECT pg_backend_pid()') + 0;
	return $self;
}

# work(): seconds of processor time that the backend has taken so far
sub work
{
	my $self = shift;

	open(my $file, '<', "/proc/$self->{pid}/stat") or return Time::HiRes::time();
	my ($numbers) = <$file> =~ /.*\) (.*)/;
	my @number = split / /, $numbers;
	return ($number[11] + $number[12]) / $ticks;
}

# Sends a statement to the session and does not wait for its end.
sub send_statement
{
	my ($self, $sql) = @_;

	$self->{mark} = "\\echo mark " . ++$self->{marks} . "\n";
	$self->{out} = $self->{err} = '';
	$self->{in} .= "$sql;\n$self->{mark}";
	$self->{run}->pump_nb;
}

# arrived(): whether the statement has ended; dies where the session has
sub arrived
{
	my $self = shift;

	return 1 if $self->{out} =~ /^mark $self->{marks}$/m;
	die "the session is gone: $self->{err}\n" if !$self->{run}->pumpable;
	$self->{run}->pump_nb;
	return 0;
}

# run(SQL): what it answers, as text; an error is at the end of that
sub run
{
	my ($self, $sql) = @_;

	$self->send_statement($sql);
	Time::HiRes::sleep(0.001) while !$self->arrived;
	(my $answer = $self->{out}) =~ s/^mark \d+\n//m;
	chomp $answer;
	$self->{run}->pump_nb;
	return $answer . $self->{err};
}

# stop(SQL, AFTER): runs it, and cancels it when the backend has worked for AFTER seconds. Returns what the backend
# worked until then and from there on, undef where no cancel was needed; the SQLSTATE, 00000 for a result; the message.
sub stop
{
	my ($self, $sql, $after) = @_;
	my $start = $self->work;
	my $due = Time::HiRes::time() + $given_up;
	my $signaled;

	$self->send_statement($sql);
	while (!$self->arrived)
	{
		my $over = Time::HiRes::time() > $due;

		if (!defined $signaled && ($over || $self->work - $start >= $after))
		{
			$signaled = $self->work;
			$due = Time::HiRes::time() + $given_up;
			kill 'INT', $self->{pid};
		}
		elsif ($over)
		{
			die "not stopped within $given_up seconds: $sql\n";
		}
		Time::HiRes::sleep(0.002);
	}
	my $end = $self->work;
	$self->{run}->pump_nb;
	my ($state, $message) = $self->{err} =~ /ERROR:\s+(\w{5}): (.*)/;
	return {before => (defined $signaled ? $signaled : $end) - $start,
		after => defined $signaled ? $end - $signaled : undef,
			 state => $state // '00000', message => $message // '' };
}

# Ends the session.
sub close
{
	my $self = shift;

	$self->{in} .= "\\q\n";
	$self->{run}->finish;
}

1;
