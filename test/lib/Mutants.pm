# Values damaged by chance, as text and as bytes, and what the forms of a type must agree on.

package Mutants;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(mutated try_bytes try_texts forms_agree);

# What has an end worth trying in text, and in bytes.
my @words = ((split / /, '0 -1 1 9 - . , : e " ] [ } { null true 2147483648 -2147483648 4294967296 9223372036854775807 1e308 1e-320 -0.0 1e400 NaN "Infinity" "" {} [] "refund" "unknown"'), ' ');
my @bytes = ("\0", "\xff", "\x7f", "\x80", "\x17", "\0\0\0\0", "\xff\xff\xff\xff", "\x7f\xff\xff\xff", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\x80\0\0\0\0\0\0\0",
	"\x7f\xf0\0\0\0\0\0\0", "\x7f\xf8\0\0\0\0\0\0", "\x7f\xf8\0\0\0\0\0\1", "\0\0\0\0\0\0\0\1");

# mutated(VALUE, IS_TEXT): with one to three places changed, overwritten, put in, left out, doubled or cut off
sub mutated
{
	my ($value, $is_text) = @_;

	foreach (0 .. int rand 3)
	{
		my $at = int rand(length($value) + 1);
		my $length = 1 + int rand 9;
		my $how = int rand 16;
		my $new = $is_text ? $words[ rand @words ] : $how % 2 ? $bytes[ rand @bytes ] : chr int rand 256;

		if ($how < 6 && $at < length $value) { substr($value, $at, length $new) = $new }
		elsif ($how < 8) { substr($value, $at, 0) = $new }
		elsif ($how < 10 && $at < length $value) { substr($value, $at, $length) = '' }
		elsif ($how < 12) { substr($value, $at, 0) = substr($value, int rand(length($value) + 1), $length) }
		elsif ($how == 12) { $value = substr($value, 0, $at) }
		elsif ($at < length $value && !$is_text) { substr($value, $at, 1) ^= chr(1 << int rand 8) }
		elsif ($at < length $value) { substr($value, $at, 1) = substr('0123456789{}[],:."eE+-abnrtu/ \\', int(rand 31), 1) }
	}
	return $value;
}

# try_bytes(NODE, TYPE, DIRECTORY, VALUES): take in what the type does, into the table taken (id, value); NODE has the
# table tried (id, type, bytes). Returns what psql says.
sub try_bytes
{
	my ($node, $type, $directory, @values) = @_;
	my $script = '';

	$node->safe_psql('postgres', "CREATE TABLE IF NOT EXISTS tried_$type (id int, bytes bytea); CREATE TABLE IF NOT EXISTS taken_$type (id int, value $type)");
	foreach my $i (0 .. $#values)
	{
		open my $file, '>:raw', "$directory/$type$i" or die "$directory/$type$i: $!";
		print $file "PGCOPY\n\xff\r\n\0", pack('NN', 0, 0), pack('n', 2), pack('NN', 4, $i), pack('N', length $values[$i]), $values[$i], pack('n', 0xffff);
		close $file;
		$script .= "COPY taken_$type FROM '$directory/$type$i' (FORMAT binary);\n";
	}
	my ($rc, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);
	while (my @some = splice @values, 0, 500)
	{
		$node->safe_psql('postgres', "INSERT INTO tried_$type SELECT (SELECT count(*) FROM tried_$type) + n - 1, b FROM unnest(ARRAY[" .
			join(',', map { "'\\x" . unpack('H*', $_) . "'::bytea" } @some) . ']) WITH ORDINALITY u (b, n)');
	}
	return $err;
}

# try_texts(NODE, TYPE, TEXTS): take in what the type does, into the table texts_TYPE (value); returns what psql says
sub try_texts
{
	my ($node, $type, @texts) = @_;

	$node->safe_psql('postgres', "CREATE TABLE IF NOT EXISTS texts_$type (value $type)");
	my ($rc, $out, $err) = $node->psql('postgres', join('', map { s/[\0\x80-\xff]/?/gr =~ s/\$/S/gr =~ s/(.*)/INSERT INTO texts_$type VALUES (\$t\$$1\$t\$);\n/sr } @texts), on_error_stop => 0);
	return $err;
}

# forms_agree(NODE, TYPE, DIRECTORY): what does not. Bytes that were taken in are sent again as they came; what is taken
# in in any form comes back, to the byte, through text, JSON and bytes.
sub forms_agree
{
	my ($node, $type, $directory) = @_;

	return $node->safe_psql('postgres', qq{
		SET client_min_messages = warning;
		SET extra_float_digits = -15;
		SET DateStyle = 'SQL, DMY';
		CREATE TABLE again_$type (value $type, sent bytea);
		CREATE FUNCTION same_$type(v $type) RETURNS text LANGUAGE plpgsql AS \$\$
		BEGIN
			RETURN concat_ws(', ', CASE WHEN ${type}_send(v::text::$type) <> ${type}_send(v) THEN 'text differs' END,
				CASE WHEN ${type}_send(v::jsonb::$type) <> ${type}_send(v) THEN 'jsonb differs' END,
				CASE WHEN ${type}_send(v::text::jsonb::$type) <> ${type}_send(v) THEN 'json differs' END);
		EXCEPTION WHEN OTHERS THEN
			RETURN SQLSTATE || ' ' || SQLERRM;
		END \$\$;
		CREATE VIEW all_$type AS SELECT value FROM taken_$type UNION ALL SELECT value FROM texts_$type;
		COPY (SELECT value, ${type}_send(value) FROM all_$type) TO '$directory/all_$type' (FORMAT binary);
		COPY again_$type FROM '$directory/all_$type' (FORMAT binary);
		SELECT 'sent otherwise than it came: ' || encode(bytes, 'hex') FROM tried_$type JOIN taken_$type USING (id) WHERE ${type}_send(value) <> bytes
		UNION ALL SELECT 'comes back different: ' || same_$type(value) || ': ' || encode(${type}_send(value), 'hex') FROM all_$type WHERE same_$type(value) <> ''
		UNION ALL SELECT 'received otherwise: ' || encode(sent, 'hex') FROM again_$type WHERE ${type}_send(value) <> sent
		LIMIT 3});
}

1;
