# The dashboard as a person sees it: every page in a browser, light and dark, with the numbers that SQL gives; and a
# build that fails where it has not got them.

use strict;
use warnings;

use Cwd;
use FindBin;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$FindBin::Bin/../..";
my $dashboard = "$root/examples/dashboard";
my ($browser) = grep { chomp; $_ } map { scalar `command -v $_ 2>/dev/null` } 'chromium', 'chromium-headless-shell';

foreach my $need ([ 'Node.js 18', `node --version 2>&1` =~ /^v(\d+)/ && $1 >= 18 ], [ 'a chromium', $browser ],
	[ 'examples/dashboard/node_modules (npm ci)', -d "$dashboard/node_modules" ])
{
	next if $need->[1];
	die "there is no $need->[0]" if $ENV{CLV_COMPLETE};
	plan skip_all => "there is no $need->[0]";
}

my $node = PostgreSQL::Test::Cluster->new('dashboard');
$node->init;
$node->append_conf('postgresql.conf', "jit = off\nfsync = off\ntimezone = 'UTC'");
$node->start;
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'),
		'-f', "$root/examples/shop.sql", '-f', "$dashboard/pipeline.sql" ], 'the shop and its pipeline');

# The output of a query over the views of the shop.
sub ask
{
	my ($query) = @_;

	return $node->safe_psql('postgres', "SET search_path = shop; $query");
}

# The environment of a build: no more than the dashboard's role is needed, wherever and whenever it runs.
sub with_role
{
	my ($do) = @_;
	local @ENV{qw(PGHOST PGPORT PGDATABASE PGUSER TZ)} =
	  ($node->host, $node->port, 'postgres', 'dashboard', 'Asia/Tokyo');
	my $here = getcwd();

	chdir $dashboard or die "$dashboard: $!";
	my @result = $do->();
	chdir $here;
	return @result;
}

# Builds the dashboard; returns the exit status and the log.
sub build
{
	return with_role(sub { my $log = `npm run build 2>&1`; return ($?, $log) });
}

my ($status, $log) = build();
is($status, 0, 'the pages are built') or diag $log;
my %rows = $log =~ /clv: page (\w+): (\d+) rows/g;
is(join(' ', sort keys %rows), 'base check cohorts customers segments todo trust', 'seven pages have data');
is(join(' ', grep { $rows{$_} > 5000 } keys %rows), '', 'none of more than 5,000 rows');
unlike($log, qr/npm:\S+ \x{2192}|npm:\S+ \xe2\x86\x92/, 'the build asks no registry');
my $strangers = `grep -rhoE 'https?://[^/"\` ]+' $dashboard/dist | sort -u`;
is($strangers, "http://www.w3.org\n", 'the pages name no other host than that of XML');

foreach my $secret ('shop_data.customer', 'public.orders')
{
	isnt($node->psql('postgres', "SET ROLE dashboard; SELECT count(*) FROM $secret"), 0,
		"the dashboard's role may not read $secret");
}

# --- what is on the pages --------------------------------------------------------------------------------------

my $see = q[({
	background: getComputedStyle(document.querySelector("figure.chart")).backgroundColor,
	marks: Object.fromEntries([...document.querySelectorAll("figure.chart")].map((figure) => {
		const marks = {};
		for (const g of figure.querySelectorAll("svg g[aria-label]")) {
			const kind = g.getAttribute("aria-label");
			if (!/axis|grid|rule/.test(kind)) marks[kind] = (marks[kind] ?? 0) + g.children.length;
		}
		const rows = figure.querySelectorAll("tbody tr").length;
		if (rows) marks.row = rows;
		return [figure.id, Object.keys(marks).sort().map((kind) => `${kind} ${marks[kind]}`).join(", ")];
	})),
	unnamed: [...document.querySelectorAll("figure.chart svg")].filter((svg) =>
		svg.querySelectorAll(`g[aria-label^="x-axis label"], g[aria-label^="y-axis label"]`).length < 1).length,
	untitled: [...document.querySelectorAll("figure.chart h2, .card h2")].filter((h) => !h.innerText.trim()).length,
	broken: document.querySelector("main").innerText.match(/\b(undefined|NaN|null|Infinity)\b/g)?.join(" ") ?? ""
})];
my $sort = q[(() => {
	const figure = document.querySelector("#most_valuable");
	const at = [...figure.querySelectorAll("th")].findIndex((th) => th.innerText.startsWith("bought"));
	const cells = () => [...figure.querySelectorAll("tbody tr")].map(
		(tr) => Number(tr.cells[at].innerText.replace(",", "")));
	const click = () => figure.querySelectorAll("th button")[at].click();
	click();
	const down = cells();
	click();
	return {down, up: cells(), said: figure.querySelectorAll("th")[at].getAttribute("aria-sort")};
})()];

# Serves the dashboard and opens these pages in a browser; returns what was seen of each.
sub browse
{
	my (%pages) = @_;
	my ($url, $out, $err) = ('', '', '');

	with_role(sub {
		local $ENV{PORT} = 0;
		my $server = IPC::Run::start([ 'node', 'serve.js' ], '>', \$url, IPC::Run::timeout(120));
		$server->pump until $url =~ m{(http://127\.0\.0\.1:\d+)/\n};
		IPC::Run::run([ 'node', "$root/test/lib/browser.mjs", $browser, $url =~ m{(.*)/\n}, encode_json(\%pages) ], '>',
			\$out,
			'2>', \$err, IPC::Run::timeout(250));
		$server->signal('TERM');
		$server->finish;
	});
	my $seen = eval { decode_json($out) };
	ok($seen, 'the browser looks at the pages') or BAIL_OUT($err);
	return map { ("$_->{path} $_->{scheme}" => $_) } @$seen;
}

# A number of the database as the dashboard writes whole numbers.
sub whole { my ($number) = @_; return ask("SELECT to_char(round(($number)::numeric), 'FM999,999,999,999')") }

# A share of the database as the dashboard writes per cents.
sub percent
{
	my ($query) = @_;
	my $share = ask($query);

	return sprintf($share < 0.0995 ? '%.1f %%' : '%.0f %%', 100 * $share);
}

# rows of a query of the dashboard
sub rows_of
{
	my ($page, $query) = @_;
	my $sql = slurp_file("$dashboard/queries/$page/$query.sql");

	$sql =~ s/;\s*\z//;
	return "($sql) $query";
}

# The number of rows of a view, or of those with a condition.
sub number_of { my ($from, $where) = @_; return ask("SELECT count(*) FROM $from WHERE " . ($where // 'true')) }

my $months = number_of('forecast', "segment = '(all)'");
my $segments = number_of('segments');
my $squares = number_of(rows_of('segments', 'past_future'));
my $moves = number_of('migration');
my $retention = number_of(rows_of('cohorts', 'retention'));
my $tracking = rows_of('trust', 'tracking');
my $weeks = number_of($tracking);
my $classes = number_of('calibration');
my $parameters = number_of('model_parameters');
ok($months >= 12 && $segments > 5 && $squares > 50 && $moves > 10 && $retention > 200 && $weeks > 100 && $classes > 5,
	'there is something to show');

my %marks = (
	'/' => { forecast => "rect $months", cumulative => "area 1, dot $months, line 1", lorenz => 'dot 2, line 3' },
	'/segments' => { size => 'dot ' . 2 * $segments . ", link $segments", quadrants => "rect $squares, text 4",
		migration => "cell $moves, text $moves" },
	'/customers' => { map { $_ => 'row 100' } 'winback', 'next_best', 'most_valuable' },
	'/todo' => { alerts => 'row ' . number_of(rows_of('todo', 'alerts')),
		reasons => 'bar ' . number_of(rows_of('todo', 'reasons')), tiers => 'bar 3', next_orders => 'row 100',
		conversations => 'row ' . number_of(rows_of('todo', 'conversations')) },
	'/check' => { findings => 'row ' . number_of('"check"') },
	'/cohorts' => { retention => "cell $retention, text $retention", value => 'bar ' . 2 * number_of('cohorts') },
	'/trust' => { tracking => "dot $weeks, line 2, rect 1", calibration => "bar $classes, dot $classes",
		lift => 'bar 10, dot 10', parameters => "dot $parameters, link $parameters", estimates => "row $parameters" });

my $quadrant = rows_of('segments', 'past_future');
my %numbers = (
	'/' => [ whole('SELECT customers FROM equity'), whole('SELECT clv FROM equity'),
		whole('SELECT lifetime_value FROM equity'),
		whole("SELECT max(cumulative_revenue) FROM forecast WHERE segment = '(all)'"),
		percent("SELECT cumulative_value_share FROM lorenz WHERE basis = 'future value' AND percentile = 20") ],
	'/segments' => [ percent('SELECT max(clv) / sum(clv) FROM segments'),
		'Declining: ' . whole("SELECT sum(customers) FROM $quadrant WHERE past_step >= 0 AND future_step < 0")
			. ' customers',
		'the largest move: '
			. whole("SELECT max(customers)
			FROM migration
			WHERE moved AND from_segment <> '(new)' AND to_segment <> '(gone)'")
			. ' from' ],
	'/customers' => [ whole('SELECT sum(value_at_risk) FROM winback WHERE rank <= 100'),
		whole('SELECT sum(next_purchase_value) FROM next_best WHERE rank <= 100'),
		whole('SELECT sum(clv) FROM (SELECT clv FROM customers ORDER BY clv DESC NULLS LAST LIMIT 100) c') ],
	'/todo' => [ whole('SELECT count(*) FROM alerts') . ' customers will', whole('SELECT sum(clv) FROM alerts'),
		percent(q{SELECT sum(clv) FILTER (WHERE tier = 'high') / sum(clv) FROM customers}),
		ask('SELECT lapse_date FROM alerts WHERE rank = 1'), ask('SELECT reason FROM alerts WHERE rank = 1') ],
	'/check' => [ ask('SELECT finding FROM "check" WHERE number = 1'),
		ask('SELECT advice FROM "check" WHERE number = 1'),
		whole('SELECT past_revenue FROM equity') ],
	'/cohorts' => [ 'after 12 months '
		. percent('SELECT sum(buyers)::float8 / sum(customers)
		FROM cohort_retention
		WHERE age_months = 12 AND complete'),
		'up to ' . percent('SELECT max(retention) FROM cohort_retention WHERE age_months > 0 AND complete'),
		'The cohort of '
			. ask("SELECT to_char(cohort_month, 'YYYY-MM')
			FROM cohorts
			ORDER BY clv_per_customer DESC NULLS LAST LIMIT 1")
			. ' ' ],
	'/trust' => [ 'expected ' . whole("SELECT sum(expected) FROM $tracking WHERE held_out"),
		'made ' . whole("SELECT sum(actual) FROM $tracking WHERE held_out"),
		'made ' . percent('SELECT cumulative_share FROM lift WHERE decile = 1') ]);

my $whom = ask('SELECT customer_key FROM customers ORDER BY clv DESC NULLS LAST, customer_key OFFSET 700 LIMIT 1');
my $find = qq[(() => {
	const input = document.querySelector("#key");
	const say = (key) => {
		input.value = key;
		input.dispatchEvent(new Event("input"));
		return document.querySelector("#found").innerText;
	};
	return {here: say("$whom"), gone: say("nobody"), scrolls: document.querySelector("#winback .more").innerText,
		more: document.querySelector("#winback .table").scrollHeight
			> document.querySelector("#winback .table").clientHeight};
})()];

my %seen = browse(map { $_ => $_ eq '/customers' ? "Object.assign($see, {sorted: $sort, found: $find})" : $see }
	  keys %marks);
foreach my $path (sort keys %marks)
{
	foreach my $scheme ('light', 'dark')
	{
		my $page = $seen{"$path $scheme"};
		my $name = "$path in the $scheme";

		is_deeply($page->{errors}, [], "$name: no error");
		is_deeply($page->{foreign}, [], "$name: nothing asked of other hosts");
		is_deeply($page->{value}{marks}, $marks{$path}, "$name: as many marks as there are rows");
		is_deeply([ grep { index($page->{text}, $_) < 0 } @{ $numbers{$path} } ], [], "$name: the numbers of SQL");
		ok(!$page->{value}{$_}, "$name: nothing $_") foreach 'unnamed', 'untitled', 'broken';
	}
	isnt($seen{"$path light"}{value}{background}, $seen{"$path dark"}{value}{background}, "$path is dark in the dark");
}
my $sorted = $seen{'/customers light'}{value}{sorted};
is_deeply($sorted->{down}, [ sort { $b <=> $a } @{ $sorted->{down} } ], 'a click on a heading sorts downwards');
is_deeply($sorted->{up}, [ sort { $a <=> $b } @{ $sorted->{up} } ], 'another one upwards');
is($sorted->{said}, 'ascending', '... and says so to screen readers');
my $found = $seen{'/customers light'}{value}{found};
my $segment_of = ask("SELECT segment FROM customers WHERE customer_key = '$whom'");
like($found->{here}, qr/^Customer $whom: segment \Q$segment_of\E, tier /, 'a customer is found by their key');
like($found->{gone}, qr/^nobody is not among the 2,000 customers/, '... and it is said who is not');
is($found->{scrolls}, '100 rows: scroll down for those below', 'a long list says that it scrolls');
ok($found->{more}, '... and does');
unlike($seen{'/customers light'}{text}, qr/with one purchase each/, 'no headline promises an effect of a purchase');

# --- a pipeline that knows no money, and no moves

$node->safe_psql('postgres', q{CALL clv_create_pipeline('No Money', source => 'orders', customer => 'customer_id',
	bought_at => 'ordered_at')});
$node->safe_psql('postgres', q{CALL clv_refresh('No Money')});
$node->safe_psql('postgres',
	q{GRANT USAGE ON SCHEMA "No Money" TO dashboard; GRANT SELECT ON ALL TABLES IN SCHEMA "No Money" TO dashboard});
{
	local $ENV{CLV_PIPELINE} = 'No Money';
	($status, $log) = build();
}
is($status, 0, 'a pipeline without amounts has pages too') or diag $log;
%seen = browse(map { $_ => $see } keys %marks);
foreach my $page (map { $seen{$_} } sort keys %seen)
{
	my $name = "$page->{path} in the $page->{scheme}, without money";

	is_deeply($page->{errors}, [], "$name: no error");
	is($page->{value}{broken}, '', "$name: nothing broken");
}
like($seen{'/customers light'}{text}, qr/No customers to win back/, 'what is not there is said not to be');
like($seen{'/segments light'}{text}, qr/No moves yet/, '... nor are moves after the first refresh');

# --- a pipeline with a season and a calendar

$node->safe_psql('postgres', q{
	CREATE TABLE campaign AS
	SELECT month::date AS since, extract(month FROM month) % 3 = 0 AS campaign
	FROM generate_series(timestamp '2015-01-01', '2019-12-01', '1 month') month});
$node->safe_psql('postgres', q{CALL clv_create_pipeline('Seasons', source => 'orders', customer => 'customer_id',
	bought_at => 'ordered_at', amount => 'amount', season => 1, calendar_source => 'campaign', holdout => '13 weeks')});
$node->safe_psql('postgres', q{CALL clv_refresh('Seasons')});
$node->safe_psql('postgres',
	q{GRANT USAGE ON SCHEMA "Seasons" TO dashboard; GRANT SELECT ON ALL TABLES IN SCHEMA "Seasons" TO dashboard});
{
	local $ENV{CLV_PIPELINE} = 'Seasons';
	($status, $log) = build();
}
is($status, 0, 'a pipeline with a season has pages too') or diag $log;
%seen = browse('/' => $see, '/trust' => $see);
foreach my $page (map { $seen{$_} } sort keys %seen)
{
	my $name = "$page->{path} in the $page->{scheme}, with a season";

	is_deeply($page->{errors}, [], "$name: no error");
	ok(!$page->{value}{$_}, "$name: nothing $_") foreach 'unnamed', 'untitled', 'broken';
}
is($seen{'/trust light'}{value}{marks}{season}, 'bar 12', 'the season is twelve months');
is($seen{'/trust light'}{value}{marks}{effects}, 'dot 1, link 1', '... and the campaign one effect');
my ($high) = ask(q{SELECT to_char(period_start, 'FMMonth YYYY')
	FROM "Seasons".forecast
	WHERE segment = '(all)'
	ORDER BY expected_revenue / (period_end - period_start + 1) DESC
	LIMIT 1});
like($seen{'/ light'}{text}, qr/and most a day in $high/, 'the forecast names its highest month');

# --- builds that must tell another story ------------------------------------------------------------------------

my $earlier = ask("SELECT as_of - 31 FROM equity");
$node->safe_psql('postgres', "CALL clv_refresh('shop', as_of => '$earlier')");
($status, $log) = build();
is($status, 0, 'built again');
my ($file) = glob "$dashboard/dist/_file/data/base.*.json";
is(decode_json(slurp_file($file))->{equity}[0]{as_of}, $earlier, '... it shows what the views say now');

$node->safe_psql('postgres', 'REVOKE SELECT ON shop.lift FROM dashboard');
($status, $log) = build();
isnt($status, 0, 'a query that fails, fails the build');
like($log, qr{queries/trust/lift\.sql: permission denied for view lift}, '... which says where');
$node->safe_psql('postgres', 'GRANT SELECT ON shop.lift TO dashboard');

my $many = "$dashboard/queries/customers/too_many.sql";
append_to_file($many, 'SELECT generate_series(1, 2701)');
($status,
	$log) = with_role(sub { my $said = `node 'src/data/[page].json.js' --page=customers 2>&1`; return ($?, $said) });
unlink $many;
isnt($status, 0, 'rows too many fail it too');
like($log, qr/page customers fetches 5001 rows, more than 5000/, '... which says how many');

$node->stop;
done_testing();
