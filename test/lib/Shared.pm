package Shared;

# Shared.pm - the reference data beside the repository, which no test may need in order to pass.
#
# shared(FILE ...): their directory, CLV_SHARED or ../shared. Where one of the files (each named from there) is
# missing, the test is skipped; where CLV_COMPLETE is set, it dies.

use strict;
use warnings;

use Exporter 'import';
use FindBin;
use Test::More;

our @EXPORT = ('shared');

# The directory of the reference data, which must hold these files; else the test is skipped, or fails where
# CLV_COMPLETE is set.
sub shared
{
	my @files = @_;
	my $shared = $ENV{CLV_SHARED} || "$FindBin::Bin/../../../shared";

	foreach my $file (@files)
	{
		next if -r "$shared/$file";
		die "reference data not found: $shared/$file (set CLV_SHARED)\n" if $ENV{CLV_COMPLETE};
		plan skip_all => "reference data not found: $shared/$file (set CLV_SHARED)";
	}
	return $shared;
}

1;
