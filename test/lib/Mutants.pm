# Values damaged by chance, as text and as bytes, and what the forms of a type must agree on.

package Mutants;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(make_sound sound_texts sound_bytes mutated try_bytes try_texts forms_agree);

# values of every type, with every part that a form has
my $sound = q{
	SET client_min_messages = error;
	CREATE TABLE customer AS
	SELECT c, clv_history(date '2020-01-01' + i * (c % 7) * 9, c + i / 7.0::numeric(5,2)) AS h
		FROM generate_series(1, 50) c, generate_series(0, 3) i GROUP BY c;

	CREATE TABLE sound_clv_history AS
	SELECT t::clv_history AS value FROM (VALUES
		('{"occasion":1,"days":[["1997-01-01",29.33],["1997-03-02",-11.77,"refund"],["1997-03-05",null]]}'),
		('{"occasion":7,"days":[["1996-12-30",29.33],["1997-03-03",5.5,"unknown",300],["2024-12-30",1]]}'),
		('{"occasion":1,"days":[["1997-01-01",0.30000000000000004],["1997-01-02",-10.5,"refund"],
			["1997-01-03",null],["1997-01-04",2,"unknown",3]]}')
		,
		('{"occasion":1,"days":[["0044-03-15 BC",9223372036854775806],["2001-01-01",1]]}'),
		('{"occasion":1,"days":[]}')) v (t)
	UNION ALL SELECT clv_history(date '2010-01-11' + 31 * i, i + i / 100.0) FROM generate_series(0, 40) i;

	CREATE TABLE sound_clv_model AS
	SELECT '{"version": 1, "time_unit": "7 days", "as_of": "1997-09-30", "occasion": 1,
		"purchase": {"family": "mbg/nbd", "parameters": {"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5},
			"customers": 2357, "skipped": 3, "converged": true,
			"log_likelihood": -9582.5, "gradient_norm": 1e-9, "iterations": 6,
			"covariance": [[0.0025], [0.001, 0.01], [0, 0, 0.04], [0, 0, 0.03, 0.0625]]},
		"spend": {"family": "gamma/gamma", "parameters": {"p": 6, "q": 4, "gamma": 16}, "basis": "all",
			"customers": 946, "skipped": 2, "converged": true,
			"log_likelihood": -4056.25, "iterations": 9, "frequency_spend_correlation": 0.125},
		"candidates": [{"family": "bg/nbd", "log_likelihood": -9582.75, "bic": 19195.9, "converged": true},
			{"family": "pareto/nbd", "converged": false}]}'::clv_model AS value
	UNION ALL SELECT '{"version": 1, "time_unit": "7 days", "as_of": "1997-09-30", "occasion": 1,
		"purchase": {"family": "mbg/nbd", "parameters": {"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5},
			"covariates": [{"name": "x", "centre": 5, "purchase": 0.5}],
			"customers": 2358, "skipped": 3, "converged": true,
			"log_likelihood": -9582.5, "gradient_norm": 1e-9, "iterations": 6,
			"covariance": [[0.0025], [0.001, 0.01], [0, 0, 0.04], [0, 0, 0.03, 0.0625],
				[0, 0, 0, 0, 0.5], [0, 0, 0, 0, 0, 0.25]]}}'
	UNION ALL SELECT clv_model('mbg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 month',
		covariates => '[{"name": "z", "centre": 2019.5, "churn": 0.5}, {"name": "Ünit", "purchase": -0.25}]')
	UNION ALL SELECT '{"version": 1, "time_unit": "1 mon", "grace": "3 days", "spend_skipped": 7,
		"purchase": {"family": "sbg", "parameters": {"alpha": 0.7, "beta": 1.2}}}'
	UNION ALL SELECT clv_model('bdw', '{"alpha": 0.26, "beta": 1.72, "c": 1.58}', '1 year', periods => 'calendar')
	UNION ALL SELECT clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}')
	UNION ALL SELECT clv_model('mbg/nbd', '{"r": 0.25, "alpha": 4.5, "a": 0.75, "b": 2.5}', '1 week',
		'1997-09-30')
		|| clv_model('gamma/gamma', '{"p": 6, "q": 4, "gamma": 16}')
	UNION ALL SELECT clv_with_shock(clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week',
		'2020-12-31'), ROW(52, 0.25, 0.75, 0.5, 12.5, 0.0625, 0.125)::clv_common_shock)
	UNION ALL SELECT clv_model('pareto/nbd/cor', '{"r": 0.5, "alpha": 10, "s": 0.6, "beta": 12, "m": 0.01}', '1 month')
	UNION ALL SELECT clv_model('mbg/cnbd-k', '{"k": 2, "r": 0.5, "alpha": 10, "a": 0.6, "b": 1.2}', '1 day',
		'2020-12-31')
	UNION ALL SELECT clv_model('pareto/nbd', '{"r": 1.8, "alpha": 93, "s": 0.6, "beta": 50}', '1 week',
		covariates => '[{"name": "g", "purchase": 0.3, "churn": -0.6}, {"name": "h", "purchase": 0.6}]')
	UNION ALL SELECT clv_fit(h, clv_options(as_of => '2020-12-31')) FROM customer
	UNION ALL SELECT clv_fit(h,
		clv_options(as_of => '2020-12-31', model => 'bg/bb', time_unit => '30 days', spend => 'none'))
	FROM customer
	UNION ALL SELECT clv_fit(h, clv_options(as_of => '2020-12-31', covariates => '{g}', penalty => 1), ARRAY[c % 2])
		FROM customer;

	CREATE TABLE months AS
	SELECT clv_calendar((date '2018-01-01' + i * interval '1 month')::date, ARRAY[i % 3], '{n}') AS w
	FROM generate_series(0, 60) i;
	CREATE TABLE sound_clv_cells AS
	SELECT clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0) AS value
		FROM generate_series(1, 40) x
	UNION ALL SELECT clv_cells(h,
		clv_options(as_of => '2020-06-30', model => 'bg/nbd',
			start => clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week')))
	FROM customer
	UNION ALL SELECT clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0,
		clv_options(covariates => '{z,longer name}', penalty => 0.01, start =>
		clv_model('mbg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week',
			covariates => '[{"name": "z", "centre": 1.5, "churn": 0.5}]')), ARRAY[x % 3, x / 8.0])
		FROM generate_series(1, 40) x
	UNION ALL SELECT clv_cells(h,
		clv_options(model => 'sbg', as_of => '2020-12-31', time_unit => '30 days', grace => '1 day'))
	FROM customer
	UNION ALL SELECT clv_cells(h, clv_options(model => 'bdw', as_of => '2020-12-31', time_unit => '1 month'))
	FROM customer
	UNION ALL SELECT clv_cells(x % 4, CASE WHEN x % 4 > 0 THEN x / 7.0 ELSE 0 END, 10, x / 3.0, x % 3 = 0,
		clv_options(model => 'rfmtc'))
	FROM generate_series(1, 9) x
	UNION ALL SELECT clv_cells(h,
		clv_options(model => 'mbg/cnbd-k', shape_penalty => 0.5, time_unit => '1 month', max_iterations => 9))
	FROM customer
	UNION ALL SELECT clv_cells(h, clv_options(model => 'mbg/cnbd-k', calendar => w)) FROM customer, months
	UNION ALL SELECT clv_cells(h, clv_options(model => 'auto', spend => 'none', covariates => '{g}'), ARRAY[c % 2], w)
		FROM customer, months;

	CREATE TABLE sound_clv_calendar AS
	SELECT clv_calendar(date '2022-01-03' + 7 * i, ARRAY[(i % 13 = 12)::int, 9.9 + i / 20],
			   '{campaign,price}') AS value
	FROM generate_series(0, 60) i
	UNION ALL SELECT '{"version":1,"names":["n"],"end":"2020-02-01",
		"steps":[["2020-01-01",1e-300],["2020-01-02",-1e300]]}'
	UNION ALL SELECT '{"version":1,"names":["a name","Preis"],"last":"2020-01-09","longest":300,
		"steps":[["0044-03-15 BC",0.1,2],["2020-01-02",0.30000000000000004,0]]}'
	UNION ALL SELECT clv_calendar('2020-01-01', '{1}', '{n}');

	CREATE TABLE sound_clv_sums AS
	WITH model (m) AS (SELECT value FROM sound_clv_model WHERE value::jsonb #>> '{purchase,customers}' = '2357')
	SELECT clv_sums(m, h, '1 year', 0.1, 0.3, '2020-12-31') AS value FROM model, customer
	UNION ALL SELECT clv_sums(m, h, '1 year', 0.1, -0.3, '2020-12-31', 0.5) FROM model, customer WHERE c = 5
	UNION ALL SELECT clv_sums(m, h, '1 year', 0, 1, '2019-12-31') FROM model, customer
	UNION ALL SELECT clv_sums(clv_with_shock(m, ROW(52, 0.25, 0.75, 0.5, 12.5, 0.0625, 0.125)::clv_common_shock), h,
		'1 year', 0, 1, '2020-12-31') FROM model, customer
	UNION ALL SELECT clv_sums(m, h, '1 year')
		FROM customer,
			 clv_model('bg/bb', '{"alpha": 1.2, "beta": 5, "gamma": 0.7, "delta": 8}', '1 month',
				 '2020-12-31') m
	UNION ALL SELECT clv_sums(p || s, h, '1 year')
		FROM customer, clv_model('bg/nbd', '{"r": 1, "alpha": 4, "a": 1, "b": 2}', '1 week', '2020-12-31') p,
			clv_model('gamma/gamma', '{"p": 2, "q": 0.5, "gamma": 10}') s
	UNION ALL SELECT clv_sums(m, h, '1 year', 0, 1, '2020-12-31', 0.95, ARRAY[c % 2])
		FROM customer,
			 (SELECT clv_fit(h, clv_options(as_of => '2020-12-31', covariates => '{g}', penalty => 1),
						 ARRAY[c % 2])
			FROM customer) f (m);

	CREATE TABLE sound_clv_population AS
	SELECT clv_population(h, '2020-12-31') AS value FROM customer
	UNION ALL SELECT clv_population(h, '2020-12-31',
		clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week')
			|| clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}'), 3)
	FROM customer
	UNION ALL SELECT clv_population(h, '2019-12-31', NULL, 100) FROM customer;

	CREATE TABLE sound_clv_cuts AS
	SELECT rfmtc_cuts(h, '2020-12-31') AS value FROM customer
	UNION ALL SELECT rfmtc_cuts(h, '2020-12-31',
		clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week')
			|| clv_model('gamma/gamma', '{"p": 6.25, "q": 3.74, "gamma": 15.44}'), 3)
	FROM customer
	UNION ALL SELECT clv_cuts('{30,90}', '{1,3,9}', as_of => '2020-12-31')
	UNION ALL SELECT clv_cuts(m => '{100}', c => '{0.5}',
		model => clv_model('bg/nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}', '1 week'))};

# make_sound(NODE): the tables sound_TYPE (value). Returns the types, which are all that the extension has a binary
# form of; those of clv_internal are text.
sub make_sound
{
	my ($node) = @_;

	$node->safe_psql('postgres', $sound);
	return split /\n/, $node->safe_psql('postgres', q{
		SELECT t.typname FROM pg_type t
			JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
		JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND e.extname = 'clv'
		WHERE t.typtype = 'b' AND t.typelem = 0 AND t.typnamespace <> 'clv_internal'::regnamespace ORDER BY 1});
}

# sound_texts(NODE, TYPE), sound_bytes(NODE, TYPE): the sound values as text, and on the wire
sub sound_texts {my ($node, $type) = @_; return split /\n/,
	$node->safe_psql('postgres', "SELECT value FROM sound_$type") }
# The sound values of a type in binary form, one string of bytes each.
sub sound_bytes {my ($node, $type) = @_; return map { pack 'H*', $_ } split /\n/,
	$node->safe_psql('postgres', "SELECT encode(clv_internal.${type}_send(value), 'hex') FROM sound_$type") }

# What has an end worth trying in text, and in bytes.
my @words = ((0 .. 9),
	split(/ /,
		'- . e E + , : " [ ] { } [] {} [[ ]] null true -1 2147483647 2147483648 -2147483648 '
	. '4294967295 4294967296 9223372036854775807 9223372036854775808 '
	. '1e308 1e400 1e-320 -0.0 -0 NaN Infinity "NaN" "Infinity" "2020-02-30" "" '
	. '0x1 1. .5 \\ \\u0000 "refund" "unknown"'),
		' ');
my @bytes = ((map { chr } 0, 1, 2, 0x17, 0x7f, 0x80, 0xff), "\0\0\0\0", "\xff\xff\xff\xff", "\x7f\xff\xff\xff",
	"\x80\0\0\0", "\x7f\xff\xff\xff\xff\xff\xff\xff", "\x80\0\0\0\0\0\0\0",
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
		elsif ($at < length $value)
		{
			substr($value, $at, 1) = substr('0123456789{}[],:."eE+-abnrtu/ \\', int(rand 31), 1);
		}
	}
	return $value;
}

# try_bytes(NODE, TYPE, DIRECTORY, VALUES): take in what the type does, into the table taken (id, value); NODE has the
# table tried (id, type, bytes). Returns what psql says.
sub try_bytes
{
	my ($node, $type, $directory, @values) = @_;
	my $script = '';

	$node->safe_psql('postgres', "CREATE TABLE IF NOT EXISTS tried_$type (id int, bytes bytea);
		CREATE TABLE IF NOT EXISTS taken_$type (id int, value $type)");
	foreach my $i (0 .. $#values)
	{
		open my $file, '>:raw', "$directory/$type$i" or die "$directory/$type$i: $!";
		print $file "PGCOPY\n\xff\r\n\0", pack('NN', 0, 0), pack('n', 2), pack('NN', 4, $i),
			pack('N', length $values[$i]), $values[$i], pack('n', 0xffff);
		close $file;
		$script .= "COPY taken_$type FROM '$directory/$type$i' (FORMAT binary);\n";
	}
	my ($rc, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0);
	while (my @some = splice @values, 0, 500)
	{
		$node->safe_psql('postgres',
			"INSERT INTO tried_$type SELECT (SELECT count(*) FROM tried_$type) + n - 1, b FROM unnest(ARRAY[" .
			join(',', map { "'\\x" . unpack('H*', $_) . "'::bytea" } @some) . ']) WITH ORDINALITY u (b, n)');
	}
	return $err;
}

# try_texts(NODE, TYPE, TEXTS): take in what the type does, into the table texts_TYPE (value); returns what psql says
sub try_texts
{
	my ($node, $type, @texts) = @_;

	$node->safe_psql('postgres', "CREATE TABLE IF NOT EXISTS texts_$type (value $type)");
	my ($rc, $out, $err) = $node->psql('postgres',
		join('',
			map {s/[\0\x80-\xff]/?/gr =~ s/\$/S/gr =~ s/(.*)/INSERT INTO texts_$type VALUES (\$t\$$1\$t\$);\n/sr }
				@texts), on_error_stop => 0);
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
			RETURN concat_ws(', ',
				CASE
					WHEN clv_internal.${type}_send(v::text::$type) <> clv_internal.${type}_send(v)
						THEN 'text differs' END,
				CASE
					WHEN clv_internal.${type}_send(v::jsonb::$type) <> clv_internal.${type}_send(v)
						THEN 'jsonb differs' END,
				CASE
					WHEN clv_internal.${type}_send(v::text::jsonb::$type) <> clv_internal.${type}_send(v)
						THEN 'json differs' END);
		EXCEPTION WHEN OTHERS THEN
			RETURN SQLSTATE || ' ' || SQLERRM;
		END \$\$;
		CREATE VIEW all_$type AS SELECT value FROM taken_$type UNION ALL SELECT value FROM texts_$type;
		COPY (SELECT value, clv_internal.${type}_send(value) FROM all_$type) TO '$directory/all_$type' (FORMAT binary);
		COPY again_$type FROM '$directory/all_$type' (FORMAT binary);
		SELECT 'sent otherwise than it came: ' || encode(bytes, 'hex') FROM tried_$type JOIN taken_$type USING (id)
			WHERE clv_internal.${type}_send(value) <> bytes
		UNION ALL SELECT 'comes back different: ' || same_$type(value) || ': '
			|| encode(clv_internal.${type}_send(value), 'hex')
		FROM all_$type WHERE same_$type(value) <> ''
		UNION ALL SELECT 'received otherwise: ' || encode(sent, 'hex') FROM again_$type
			WHERE clv_internal.${type}_send(value) <> sent
		LIMIT 3});
}

1;
