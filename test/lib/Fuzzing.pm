# A server for damaged input, which must not crash it.

package Fuzzing;

use strict;
use warnings;
use Exporter 'import';

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT_OK = qw(fuzzed_server stop_standing);

my %started;

# fuzzed_server(NAME, SETTINGS): one with the extension, which comes back after a crash, so that the next input is
# tried; its log has nothing but crashes, unless the settings say otherwise
sub fuzzed_server
{
	my ($name, $settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf('postgresql.conf',
		"jit = off\nfsync = off\nrestart_after_crash = on\n"
		. "log_min_messages = panic\nlog_min_error_statement = panic\n" . ($settings // ''));
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION clv');
	$started{$name} = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');
	return $node;
}

# stop_standing(NODE): tests that neither the server nor a backend of it has gone down, or has broken a rule that a
# build with assertions or sanitizers watches; and stops it
sub stop_standing
{
	my ($node) = @_;

	is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $started{ $node->name },
		'the server never went down');
	unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP|Sanitizer|runtime error/,
		'and no backend did');
	$node->stop;
	return;
}

1;
