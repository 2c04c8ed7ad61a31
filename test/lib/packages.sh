# packages.sh - what a machine needs before anything can be built, and how to get it on Debian.
#
# packages_need build|dashboard|test: looks for the things themselves (a header, a program), not for packages, so
# that another PostgreSQL or compiler does as well. Only what is missing is installed; root is needed only for that.
# What a few tests use, and skip without, is brought where that is possible, and missing without harm where it is not.

# The newest PostgreSQL that has a server and its build files, as the path of its pg_config.
find_pg_config()
{
	local candidate

	if [ -n "${PG_CONFIG:-}" ]; then
		command -v "$PG_CONFIG"
		return
	fi
	for candidate in $(ls -d /usr/lib/postgresql/*/bin/pg_config 2>/dev/null | sort -t/ -k5,5nr) \
		"$(command -v pg_config)"; do
		if has_server "$candidate"; then
			echo "$candidate"
			return
		fi
	done
}

# Can this pg_config's PostgreSQL build an extension and run it?
has_server()
{
	[ -x "$1" ] &&
		[ -e "$("$1" --includedir-server)/postgres.h" ] &&
		[ -e "$("$1" --pgxs)" ] &&
		[ -x "$("$1" --bindir)/initdb" ] &&
		[ -x "$("$1" --bindir)/psql" ]
}

has_header()
{
	echo "#include <$1>" | ${CC:-cc} -E -include stddef.h -include stdarg.h -include setjmp.h -include stdint.h \
		-x c - >/dev/null 2>&1
}

# The major version to install: the one half present, else the distribution's own.
server_version()
{
	local half

	half=$(ls -d /usr/lib/postgresql/*/bin/postgres 2>/dev/null | cut -d/ -f5 | sort -nr | head -1)
	[ -n "$half" ] || half=$(apt-cache depends postgresql 2>/dev/null |
		sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -1)
	echo "${half:-15}"
}

has_node()
{
	command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null
}

find_browser()
{
	command -v chromium || command -v chromium-headless-shell
}

# The test of the dashboard takes a browser, unless ONLY leaves it out.
browser_wanted()
{
	[[ test/t/900_dashboard.pl == *"${ONLY:-}"* ]]
}

# Sets missing to the Debian packages that would bring what is not there.
look_for_missing()
{
	missing=
	has_header stdio.h || missing="$missing gcc libc6-dev"
	command -v make >/dev/null || missing="$missing make"
	if [ -z "$(find_pg_config)" ]; then
		missing="$missing postgresql-$(server_version) postgresql-server-dev-$(server_version)"
	fi
	if [ "$1" = dashboard ] && ! has_node; then
		missing="$missing nodejs npm"
	fi
	[ "$1" = test ] || return 0
	if [ -z "$missing" ] && ! has_header cmocka.h || [ -n "$missing" ] && [ ! -e /usr/include/cmocka.h ]; then
		missing="$missing libcmocka-dev"
	fi
	command -v prove >/dev/null || missing="$missing perl"
	perl -MIPC::Run -e 1 2>/dev/null || missing="$missing libipc-run-perl"
}

# want PACKAGE: adds it to wanted, unless the package lists are there and do not know it
want()
{
	compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null && ! apt-cache show "$1" >/dev/null 2>&1 ||
		wanted="$wanted $1"
}

# Sets wanted to the Debian packages of pg_cron, of the drivers of BI tools, and of what shows the dashboard, for the
# tests that use them.
look_for_wanted()
{
	local bin_dir

	wanted=
	[ "$1" = test ] && command -v apt-cache >/dev/null || return 0
	bin_dir=$(find_pg_config)
	bin_dir=$(dirname "${bin_dir:-/usr/lib/postgresql/$(server_version)/bin/pg_config}")
	if [[ $bin_dir =~ ^/usr/lib/postgresql/([0-9]+)/bin$ ]] && [ ! -e "$bin_dir/../lib/pg_cron.so" ]; then
		want "postgresql-${BASH_REMATCH[1]}-cron"
	fi
	compgen -G '/usr/lib/*/odbc/psqlodbcw.so' >/dev/null || want odbc-postgresql
	/usr/bin/python3 -c 'import pyodbc' 2>/dev/null || want python3-pyodbc
	if browser_wanted; then
		has_node || { want nodejs; want npm; }
		find_browser >/dev/null || want chromium
	fi
	# a JDK is 120 MB to fetch, too much for a newcomer who does without
	if command -v javac >/dev/null || [ -n "${CLV_COMPLETE:-}" ]; then
		command -v javac >/dev/null || want default-jdk-headless
		[ -e /usr/share/java/postgresql.jar ] || want libpostgresql-jdbc-java
	fi
}

# Runs apt-get as root, quietly: its output matters only when it fails.
apt_get()
{
	local log=$1

	shift
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 "$@" >>"$log" 2>&1
}

# A lock on the package lists is not covered by apt's own waiting.
apt_update()
{
	local try

	for try in 1 2 3 4 5 6 7 8 9 10 11 12; do
		apt_get "$1" update && return 0
		grep -q 'Could not get lock' "$1" || return 1
		: >"$1"
		sleep 5
	done
	return 1
}

# install_quietly LOG PACKAGE ...: programs are all that is wanted; no cluster is made, no service started.
install_quietly()
{
	local log=$1 quiet_dir=/etc/postgresql-common/createcluster.d rc=0

	shift
	if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
		$as_root mkdir -p $quiet_dir
		echo 'create_main_cluster = false' | $as_root tee $quiet_dir/clv.conf >/dev/null
	fi
	apt_get "$log" install --no-install-recommends "$@" || rc=1
	$as_root rm -f $quiet_dir/clv.conf
	return $rc
}

packages_need()
{
	local what=$1 log rc=0

	if [ -n "${PG_CONFIG:-}" ] && ! has_server "$(command -v "$PG_CONFIG")"; then
		say "PG_CONFIG=$PG_CONFIG: there is no PostgreSQL server with its build files" \
			"(need initdb, psql, postgres.h and pgxs.mk)"
		return 1
	fi
	look_for_missing "$what"
	look_for_wanted "$what"
	[ -n "$missing$wanted" ] || return 0

	as_root=
	if [ "$(id -u)" != 0 ]; then
		as_root=sudo
		# no password is asked for the sake of a few tests
		[ -t 0 ] && [ -n "$missing" ] || as_root="sudo -n"
		if ! $as_root true 2>/dev/null; then
			if [ -z "$missing" ]; then
				say "a few tests will be skipped; as root: apt-get install$wanted"
				return 0
			fi
			say "missing:$missing"
			say "as root: apt-get install$missing"
			return 1
		fi
	fi
	if ! command -v apt-get >/dev/null; then
		say "missing, by their Debian names:$missing"
		say "please install what your system calls them"
		return 1
	fi

	log=$(mktemp)
	say "installing what is missing (once; a few minutes)"
	apt_update "$log" || say "the package lists could not be updated: trying with those at hand"
	look_for_missing "$what"	# the lists may have brought another version
	look_for_wanted "$what"
	say "installing:$missing$wanted"

	# shellcheck disable=SC2086
	[ -z "$missing" ] || install_quietly "$log" $missing || rc=1
	# shellcheck disable=SC2086
	if [ $rc = 0 ] && [ -n "$wanted" ] && ! install_quietly "$log" $wanted; then
		say "could not be installed, so a few tests will be skipped:$wanted"
	fi
	if [ $rc != 0 ]; then
		tail -30 "$log" >&2
		say "apt-get failed; its last lines are above"
	else
		look_for_missing "$what"
		if [ -n "$missing" ]; then
			say "still missing after the installation:$missing"
			rc=1
		fi
	fi
	rm -f "$log"
	return $rc
}
