# What the pages for contributors say of the tree is true: paths and names exist, modules include only what the table in
# docs/architecture.md allows, and there is one version.

use strict;
use warnings;

use File::Find;
use FindBin;
use Test::More;

my $root = "$FindBin::Bin/../..";

# The whole of a file of the tree.
sub content
{
	my ($path) = @_;

	open my $file, '<', "$root/$path" or die "$path: $!";
	local $/;
	return scalar <$file>;
}

# Whether a path of the tree, which may hold a *, leads somewhere.
sub is_there
{
	my ($path) = @_;

	return scalar grep { -e } glob "$root/$path";
}

# The cells of each row, but the head, of the table under a heading of docs/architecture.md.
sub table_under
{
	my ($heading) = @_;
	my ($table) = content('docs/architecture.md') =~ /^##+ $heading\n.*?^\|---[^\n]*\n((?:\|[^\n]*\n)+)/ms;

	return map { [ split /\s*\|\s*/, s/^\|\s*//r ] } split /\n/, $table;
}

# --- paths ---
# What looks like a path of this tree: a directory of it and what follows, or a file at the top.
my $path = qr{(?:\.ci|\.github|bench|debian|docs|examples|expected|release|sql|src|test)
	/[\w.*/-]*|[A-Z][A-Za-z]+(?:\.md|\.json)?|[\w-]+\.control};
my @pages = grep { -e "$root/$_" } qw(docs/architecture.md CONTRIBUTING.md RELEASE.md SECURITY.md test/README.md);
is(scalar @pages, 5, 'the pages are there');
foreach my $page (@pages)
{
	my @paths = grep { m{/|\.} || $_ eq 'Makefile' } grep { m{^$path$} } content($page) =~ /`([^`\s]+)`/g;

	# a source archive comes without what is for forges
	@paths = grep { !/^\./ } @paths unless -e "$root/.gitattributes";
	is(join(' ', grep { !is_there($_) } @paths), '', "the paths in $page exist");
	my ($directory) = $page =~ m{^(.*/)} ? $1 : '';
	my @links = grep { !/^(https?:|\#)/ } content($page) =~ /\]\(([^)\s]+)\)/g;
	is(join(' ', grep { !-e "$root/$directory" . s/\#.*//r } @links), '', "its links lead somewhere");
}

# --- "where is what": the file has the name ---
my @where = table_under('Where is what');
cmp_ok(scalar @where, '>=', 30, 'docs/architecture.md answers thirty questions');
foreach my $row (@where)
{
	my ($file, $name) = map { s/`//gr } @$row[1, 2];

	ok(-f "$root/$file" && index(content($file), $name) >= 0, "$row->[0] $file has $name");
}

# Every other name of ours on the page is a word of the sources.
my $sources = '';
find(sub { $sources .= content($File::Find::name =~ s{^\Q$root\E/}{}r) if -f && /\.(c|h|sql)$/ }, "$root/src");
my @names = content('docs/architecture.md') =~ /`((?:clv_|Clv|CLV_)\w+)`/g;
is(join(' ', grep { $sources !~ /\b\Q$_\E\b/ } @names), '', 'the names in docs/architecture.md exist');

# --- includes ---
# The modules in their order, and for each those that it may include.
my @lines = table_under('Which module may include which');
my @order = map { $_->[0] =~ /(\w+)/ } @lines;
my %may = map { my ($module, $others) = @$_; ($module =~ s/`//gr => { map { $_ => 1 } ($others // '') =~ /\w+/g }) }
  @lines;
my @modules = sort map { m{([^/]+)$} } grep { -d } glob "$root/src/*";
is(join(' ', sort keys %may), "@modules", 'every module has a line of what it may include');

my %over;
my @server;
find(sub {
	my ($module) = $File::Find::name =~ m{/src/(\w+)/.*\.[ch]$} or return;
	my $file = $File::Find::name =~ s{.*/src/}{}r;

	open my $source, '<', $_ or die "$_: $!";
	while (<$source>)
	{
		my ($header) = /^#include "([^"]+)"/ or next;
		my ($other) = $header =~ m{^(\w+)/};
		$other = 'common' if -e "$root/src/$header" && !defined $other;
		if ($module =~ /^(math|families)$/)
		{
			push @server, "$file: $header" unless -e "$root/src/$header" && $header =~ m{^(math|families)/};
		}
		next unless defined $other && exists $may{$other} && $other ne $module;
		$over{"$file: $header"} = 1 unless $may{$module}{$other};
		$over{"$file: $header is private"} = 1 if $header =~ /_private\.h$/;
	}
}, "$root/src");
is(join("\n", sort keys %over), '', 'no module includes what its line does not allow');
is(join("\n", @server), '', 'math and families include nothing of a server');

# Modules include those above them, so there is no circle.
my %rank = map { $order[$_] => $_ } 0 .. $#order;
is(join(' ', grep { my $module = $_; grep { $rank{$_} >= $rank{$module} } keys %{ $may{$module} } } @order), '',
	'and each includes those above it');

# --- lines ---
# What is wrong with the form of a source: lines of more than 120 columns, tabs being 4, and white space at their ends.
sub misshapen
{
	my ($path) = @_;
	my @lines = split /\n/, content($path);
	my @long = grep { length(s/([^\t]*)\t/$1 . ' ' x (4 - length($1) % 4)/ger) > 120 } @lines;

	return map { "$path: $_" } @long, grep { /\s$/ } @lines;
}
my @misshapen;
find({
	wanted => sub {
		push @misshapen, misshapen($File::Find::name =~ s{^\Q$root\E/}{}r)
			if /\.(c|h|sql|pl|pm|py|java|mjs|sh|mk|gp|spec)$|^(run|Makefile|deb|dist)$/ && -f;
	},
	# not even entered: what the dashboard is built with has tens of thousands of files; what a version stored stays
	preprocess => sub { grep { !/^(node_modules|build|results|tmp_check|dist|\d+\.\d+\.\d+)$/ } @_ }
}, map { "$root/$_" } qw(Makefile src sql test bench examples release));
is(join("\n", @misshapen), '', 'lines of code and tests have at most 120 columns, and no white space at their ends');

# --- one version: default_version of clv.control ---
my ($version) = content('clv.control') =~ /^default_version\s*=\s*'([\d.]+)'/m;
my @said = content('META.json') =~ /^\t+"version": "([\d.]+)"/mg;
pop @said;	# of the specification of META.json
is("@said", "$version $version", "META.json says $version, as clv.control does");
SKIP:
{
	skip 'a source archive without debian/', 1 unless -e "$root/debian/changelog";
	like(content('debian/changelog'), qr/\Apostgresql-clv \(\Q$version\E-\d/, 'as has debian/changelog');
}
my @headings = content('CHANGELOG.md') =~ /^## ([\d.]+)/mg;
is(scalar(grep { $_ eq $version } @headings), 1, 'CHANGELOG.md has a heading for it');
my @released = grep { $_ ne $version } content('CHANGELOG.md') =~ /^## ([\d.]+) \(\d{4}-\d\d-\d\d\)/mg;
is(join(' ', grep { !is_there("upgrade/clv--$_--*.sql") } @released), '', 'every earlier release can be upgraded');
ok(!@released || is_there("upgrade/clv--$released[-1].sql"), 'beginning with the script of the first one');
my ($least) = content('META.json') =~ /"PostgreSQL": "(\d+)\./;
like(content('src/compat.h'), qr/PG_VERSION_NUM < ${least}0000\n#error/,
	'META.json wants the PostgreSQL that src/compat.h wants');
like(content('README.md'), qr/PostgreSQL $least or later/, 'as does README.md');

my @elsewhere;
find(sub {
	return if !-f || /\.(png|svg|csv|out|lock|o|so|bc)$|^package-lock\.json$|^clv--/;
	return if /^(CHANGELOG\.md|META\.json|clv\.control)$/;
	return if $File::Find::name =~ m{/(\.git|node_modules|build|results|tmp_check)/};
	my $file = $File::Find::name =~ s{^\Q$root\E/}{}r;
	push @elsewhere, $file if content($file) =~ /(?<![\w.])\Q$version\E(?![\w.])/;
},
	map { "$root/$_" } grep { -e "$root/$_" } qw(
		README.md CONTRIBUTING.md RELEASE.md SECURITY.md Makefile docs src test .ci .github));
is("@elsewhere", '', 'it is written nowhere else');

done_testing();
