# What users call is in the schema of the extension and in the reference of README.md, each as in the other, and no page
# needs what is in clv_internal.

use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::Bin/../..";
my ($reference) = slurp_file("$root/README.md") =~ /^## Reference\n(.*?)^## Errors\n/ms;

# What the first column of the tables under a heading of the reference puts between backticks.
sub first_column
{
	my ($heading) = @_;
	my ($section) = $reference =~ /^### $heading\b.*?\n(.*?)(?=^### |\z)/ms;

	return map { /`(.*?)`/g } $section =~ /^\| *(`.*?) \| /mg;
}

# The distinct words, sorted, in one line.
sub line_of
{
	my %seen = map { $_ => 1 } @_;

	return join ' ', sort keys %seen;
}

my @sections = $reference =~ /^### (\w+)/mg;
my @codes = map { first_column($_) } @sections;

my $node = PostgreSQL::Test::Cluster->new('reference');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION clv');

# listed(COMMAND): the names in what a command of psql lists
sub listed
{
	my ($command) = @_;

	return line_of(map { (split /\|/)[1] } grep { /\|/ } split /\n/, $node->safe_psql('postgres', $command));
}

is(listed('\df'), line_of(map { /(\w+)\(/g } @codes), 'the reference has the functions that \df lists, and no other');
is(listed('\df clv_*'), line_of(grep { /^clv_/ } map { /(\w+)\(/g } @codes), 'and those that \df clv_* lists');
is(listed('\dT'), line_of(first_column('Types')), 'the types that \dT lists');
is(listed('\d'), line_of(grep { /^clv_(segment_map|pipelines)$/ } @codes), 'and the tables and views that \d lists');

# --- no page calls what is in clv_internal ---
my @internal = split /\n/, $node->safe_psql('postgres', q{
	SELECT DISTINCT proname FROM pg_catalog.pg_proc WHERE pronamespace = 'clv_internal'::pg_catalog.regnamespace
		ORDER BY 1});
my @pages = grep { !m{/architecture\.md$} } "$root/README.md", glob "$root/docs/*.md";
push @pages, grep { -f } map { glob "$root/examples/$_" } qw(* dashboard/* dashboard/queries/*/* dashboard/src/*.md);

cmp_ok(scalar @internal, '>', 200, 'the functions of clv_internal are known');
foreach my $page (@pages)
{
	my $text = slurp_file($page);

	is(join(' ', grep { $text =~ /\b\Q$_\E\b/ } 'clv_internal', @internal), '',
		substr($page, length "$root/") . ' needs nothing of clv_internal');
}

$node->stop;
done_testing();
