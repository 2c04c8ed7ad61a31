package Docs;

# Docs.pm - the SQL of a Markdown page, run in order and compared with the output the page shows.
#
# A block that opens with ```sql is run; ```sql error must fail; ```sql no-run is left alone. Where a block
# that opens with ``` or ```text follows at once, it is what psql prints, with trailing blanks ignored; a line
# of three dots there stands for any number of lines.

use strict;
use warnings;

use File::Temp;

# All the blocks of a page, each { line, sql, fails, shown, shown_at, shown_lines }.
sub blocks
{
	my ($file) = @_;
	my (@blocks, $block, $waiting);
	my $into = '';

	open my $page, '<', $file or die "$file: $!";
	while (my $line = <$page>)
	{
		if ($into eq '' && $line =~ /^```(.*?)\s*$/)
		{
			my $kind = $1;
			if ($kind =~ /^sql\b/)
			{
				$into = $kind =~ /\bno-run\b/ ? 'nothing' : 'sql';
				$block = { line => $., sql => '', fails => scalar($kind =~ /\berror\b/) };
			}
			elsif ($kind =~ /^(text)?$/ && $waiting)
			{
				$into = 'shown';
				$block->{shown} = '';
				$block->{shown_at} = $.;
			}
			else
			{
				$into = 'nothing';
			}
			$waiting = 0;
		}
		elsif ($line =~ /^```\s*$/)
		{
			push @blocks, $block if $into eq 'sql';
			$waiting = $into eq 'sql';
			$into = '';
		}
		elsif ($into eq 'sql' || $into eq 'shown')
		{
			$block->{$into} .= $line;
		}
		elsif ($into eq '' && $line =~ /\S/)
		{
			$waiting = 0;
		}
	}
	close $page;
	return @blocks;
}

# Runs the blocks in one psql session over the connection of the environment and the given database; sets
# got (standard output) and said (errors, notices) of each.
sub run
{
	my ($psql, $database, @blocks) = @_;
	my $script = File::Temp->new;
	my $errors = File::Temp->new;
	my $mark = '-- the next block --';

	print $script "\\set VERBOSITY terse\n\\pset pager off\n";
	print $script "\\echo '$mark'\n\\warn '$mark'\n$_->{sql}\n" foreach @blocks;
	close $script;

	my $out = `$psql -X -q -d '$database' -f $script 2>$errors`;
	my $err = do { local $/; open my $f, '<', "$errors" or die $!; <$f> };

	my (undef, @got) = split /^\Q$mark\E\n/m, $out, -1;
	my (undef, @said) = split /^\Q$mark\E\n/m, $err, -1;
	for my $i (0 .. $#blocks)
	{
		$blocks[$i]->{got} = tidy($got[$i] // '');
		$blocks[$i]->{said} = $said[$i] // 'the session ended before this block';
		$blocks[$i]->{said} =~ s/^psql:\S+ //mg;
	}
	return;
}

# Without trailing blanks and empty lines at the end.
sub tidy
{
	my ($text) = @_;

	$text =~ s/[ \t]+$//mg;
	$text =~ s/\n*\z/\n/;
	return $text eq "\n" ? '' : $text;
}

# Whether the session of a block ended with an error.
sub failed
{
	my ($block) = @_;

	return $block->{said} =~ /(ERROR|FATAL|PANIC): |session ended|invalid command|server closed/;
}

# Does the output look as the page shows it?
sub as_shown
{
	my ($block) = @_;
	my $pattern = quotemeta tidy($block->{shown});

	$pattern =~ s/^\\\.\\\.\\\.\\\n/(?:.*\\n)*/mg;
	# an error is shown by its message, a table by its lines
	my $got = $block->{fails} ? tidy($block->{said}) : $block->{got};
	return $got =~ /\A$pattern\z/;
}

1;
