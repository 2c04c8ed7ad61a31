# What released versions have stored is read by this one: values of every type, as text and as bytes, answer what they
# answered, and a pipeline shows what it showed, is brought up to date by its next refresh, and is then like a new one.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../lib";
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Shop;
use Test::More;

my $fixtures = "$FindBin::Bin/../fixtures";
my @versions = map { s{.*/}{}r } grep { -d } glob "$fixtures/*";
plan skip_all => 'no version has been released yet' unless @versions;

my $node = PostgreSQL::Test::Cluster->new('fixtures');
$node->init;
Shop::configure($node);
$node->append_conf('postgresql.conf', 'timezone = UTC');
$node->start;

# The lines of a file.
sub lines
{
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	chomp(my @lines = <$file>);
	close $file;
	return @lines;
}

# The answers that differ by more than 1e-12 of themselves, or in anything but a number.
my $differences = q{
	SELECT concat_ws(' | ', name, question, o.answer, n.answer)
	FROM expected o FULL JOIN answer n USING (name, question)
	WHERE o.answer IS DISTINCT FROM n.answer
	  AND CASE WHEN concat(o.answer, '/', n.answer) ~ '^-?[0-9.]+(e[-+]?[0-9]+)?/-?[0-9.]+(e[-+]?[0-9]+)?$'
		THEN abs(o.answer::float8 - n.answer::float8) > 1e-12 * abs(o.answer::float8) ELSE true END
	ORDER BY 1};

foreach my $version (@versions)
{
	my $directory = "$fixtures/$version";
	my $bytes = $node->basedir . "/$version.bin";

	# ---- values ----
	open my $file, '>:raw', $bytes or die "$bytes: $!";
	print $file pack 'H*', join '', lines("$directory/kept.hex");
	close $file;
	foreach my $form ([ 'text', "$directory/kept.txt", '' ], [ 'bytes', $bytes, 'WITH BINARY' ])
	{
		my $database = "$form->[0]_$version" =~ s/\./_/gr;

		$node->safe_psql('postgres', "CREATE DATABASE $database");
		$node->safe_psql($database,
			'CREATE EXTENSION clv; CREATE TABLE expected (name text, question text, answer text)');
		$node->safe_psql($database, join '', map { "$_\n" } lines("$fixtures/answers.sql"));
		$node->safe_psql($database, "\\copy kept FROM '$form->[1]' $form->[2]\n"
			. "\\copy expected FROM '$directory/answers.csv' CSV");
		cmp_ok($node->safe_psql($database, 'SELECT count(*) FROM expected'), '>', 1000, "$version: many answers");
		is($node->safe_psql($database, $differences), '', "$version: $form->[0] of values answers as it did");
	}

	# ---- a pipeline ----
	my $shop = "shop_$version" =~ s/\./_/gr;
	$node->safe_psql('postgres', "CREATE DATABASE $shop");
	$node->safe_psql($shop, join '', map { "$_\n" } lines("$directory/pipeline.sql"));
	my @wrong = grep
	{
		my ($view, $columns, $rows, $digest) = split /\|/;
		$node->safe_psql($shop, qq{
			SELECT count(*), md5(string_agg(q::text, ' ' ORDER BY q::text COLLATE "C"))
			FROM (SELECT $columns FROM shop.$view) q}) ne "$rows|" . ($digest // '');
	} lines("$directory/views.csv");
	is("@wrong", '', "$version: the views of a pipeline show what they showed");
	$node->safe_psql($shop, "INSERT INTO orders VALUES (8, '2023-12-04', 25, '2024-01-03'), (62, '2023-12-05', 35,
		'2024-01-03'); CALL clv_refresh('shop')");
	is($node->safe_psql($shop, 'SELECT status FROM shop.runs ORDER BY run DESC LIMIT 1'), 'done',
		"$version: the pipeline is refreshed");
	$node->safe_psql($shop, q{
		CALL clv_create_pipeline('twin', 'orders', 'customer', 'day', 'amount', changed_at => 'written', overlap => '0',
			discount_rate => 0.1, margin => 0.4, level => 0.9, options => clv_options(shape_penalty => 0.1),
			rating_source => 'answers', rating => 'rating', attribute_source => 'people', attributes => 'channel');
		CALL clv_refresh('twin'); CALL clv_refresh('shop', 'full')});
	is($node->safe_psql($shop, q{
			SELECT to_jsonb(c) FROM shop.customers c EXCEPT SELECT to_jsonb(c) FROM twin.customers c}), '',
		"$version: in full, its customers are those of a new pipeline");
	is($node->safe_psql($shop, q{
			SELECT count(*) FROM (SELECT table_name, column_name, data_type FROM information_schema.columns
				WHERE table_schema IN ('twin', 'twin_data')
			EXCEPT SELECT table_name, column_name, data_type FROM information_schema.columns
				WHERE table_schema IN ('shop', 'shop_data')) d WHERE table_name !~ '_[0-9]+$'}), 0,
		"$version: and it has every view and column of one");
}

$node->stop;
done_testing();
