# The documentation is right: every SQL block of README.md and docs/ runs, and prints what the page shows.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";

use Docs;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::Bin/../..";

my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\ntimezone = 'UTC'");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', 'CREATE EXTENSION clv');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('shop'),
		'-f', "$root/examples/shop.sql" ], 'the simulated shop loads');

my $number = 0;
foreach my $page ("$root/README.md", sort glob("$root/docs/*.md"))
{
	my $name = substr $page, length "$root/";
	my $database = 'page' . ++$number;

	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE shop");
	my @blocks = Docs::blocks($page);
	{
		local $ENV{PGHOST} = $node->host;
		local $ENV{PGPORT} = $node->port;
		Docs::run('psql', $database, @blocks);
	}
	foreach my $block (@blocks)
	{
		my $where = "$name line $block->{line}";

		if ($block->{fails})
		{
			ok(Docs::failed($block), "$where fails, as it says") or diag $block->{got};
		}
		else
		{
			ok(!Docs::failed($block), "$where runs") or diag $block->{said};
		}
		if (defined $block->{shown})
		{
			ok(Docs::as_shown($block), "$where prints what the page shows")
			  or diag "the page shows\n$block->{shown}but it is\n"
			  . ($block->{fails} ? $block->{said} : $block->{got});
		}
	}
	$node->safe_psql('postgres', "DROP DATABASE $database");
}

# What users call, which is whatever is outside of clv_internal, is in the documentation.
my $text = join '', map { slurp_file($_) } "$root/README.md", glob("$root/docs/*.md");
my @names = split /\n/, $node->safe_psql('shop', q{
	SELECT DISTINCT p.proname
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'clv'
	WHERE p.pronamespace <> 'clv_internal'::regnamespace
	ORDER BY 1});
is(join(' ', grep { $text !~ /\b\Q$_\E\b/ } @names), '', 'every function is documented');

# The table of options in the page on fits has those of clv_options(), no more and no fewer.
my $fit = slurp_file("$root/docs/fit.md");
my ($options) = $fit =~ /^\| option \| default \| \|\n\|---\|---\|---\|\n((?:\|.*\n)+)/m;
my @options = $options =~ /^\| `(\w+)`/mg;
is(join(' ', sort @options),
	$node->safe_psql('shop',
		q{SELECT string_agg(o, ' ' ORDER BY o COLLATE "C") FROM unnest((SELECT proargnames FROM pg_proc
		WHERE oid = 'clv_options'::regproc)) o}),
	'every option of clv_options() is in the table of docs/fit.md');

# The queries of the dashboard are in the page that explains them, word for word.
my $bi = slurp_file("$root/docs/bi.md");
my @unexplained = grep {index($bi, "```sql\n" . slurp_file($_) . "```\n")
	< 0 } glob("$root/examples/dashboard/queries/*/*.sql");
is("@unexplained", '', 'docs/bi.md has the queries of the dashboard');

# Links between the pages lead somewhere.
foreach my $page ("$root/README.md", glob("$root/docs/*.md"))
{
	my ($directory) = $page =~ m{^(.*)/};
	my $name = substr $page, length "$root/";
	my @dead = grep { !m{^(https?:|\#)} && !-e "$directory/" . s/\#.*//r } slurp_file($page) =~ /\]\(([^)\s]+)\)/g;
	is("@dead", '', "the links of $name lead somewhere");
}

$node->stop;
done_testing();
