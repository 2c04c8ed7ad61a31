# stage.sh - a private place to build and run in, gone without a trace afterwards.
#
# A command sources this file and calls   stage "$@"   first. Called by the user, stage() brings what is missing,
# copies the sources and a whole PostgreSQL (which finds its files relative to its programs) into a temporary
# directory, and runs the command again in there as an unprivileged user, because a server refuses root. The
# system's PostgreSQL and the sources stay as they are. That second time stage() returns, with these set:
#
#   source_dir   the copy of the sources (current directory)     bin_dir    programs of the PostgreSQL copy
#   work_dir     where everything lies                           log_dir    logs
#   CLV_SHARED   reference data, if there are any                PG_CONFIG  of the PostgreSQL copy

# shellcheck source=test/lib/packages.sh
. "$(dirname "${BASH_SOURCE[0]}")/packages.sh"

say()
{
	echo "clv: $*" >&2
}

now()
{
	date +%s
}

# stage NEEDS [FILE NAME]: NEEDS as of packages_need; FILE is taken along as $work_dir/input, NAME as $INPUT_NAME;
# the files of the sources that keep_files names come back afterwards.
stage()
{
	if [ -n "${CLV_STAGE:-}" ]; then
		work_dir=$CLV_STAGE
		source_dir=$work_dir/source
		log_dir=$work_dir/log
		bin_dir=$(dirname "$PG_CONFIG")
		cd "$source_dir" || exit 1
		return
	fi

	packages_need "$1" || exit 1
	pg_config=$(find_pg_config)
	root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
	command=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
	command=${command#"$root_dir"/}
	work_dir=$(mktemp -d "${TMPDIR:-/tmp}/clv.XXXXXX") || exit 1
	inside=
	trap 'clean_up; exit 130' INT
	trap 'clean_up; exit 143' TERM HUP
	trap clean_up EXIT

	mkdir "$work_dir/source" "$work_dir/log" "$work_dir/tmp"
	copy_sources && copy_postgres "$pg_config" || exit 1
	npm_packages "$1" || exit 1
	INPUT_NAME=${3:-}
	if [ -n "${2:-}" ]; then
		cat "$2" >"$work_dir/input" || exit 1
	fi
	copy_shared
	run_inside
	status=$?
	# results that are to stay
	for file in ${keep_files:-}; do
		[ ! -e "$work_dir/source/$file" ] || cat "$work_dir/source/$file" >"$root_dir/$file"
	done
	exit $status
}

# What a clean checkout holds, with the changes not yet committed.
copy_sources()
{
	tar -C "$root_dir" -cf - --exclude=./.git --exclude=./build \
		--exclude=./results --exclude=./test/results --exclude=./tmp_check \
		--exclude='*.o' --exclude='*.so' --exclude='*.bc' --exclude='./clv--*.sql' --exclude=node_modules \
		--exclude=.observablehq --exclude=./examples/dashboard/dist --exclude=./examples/dashboard/src/lib . |
		tar -C "$work_dir/source" -xf - --no-same-owner
}

# What the dashboard is built with, fetched by the caller, whose npm knows how. Tests go on without it, unless
# CLV_COMPLETE is set.
npm_packages()
{
	local log=$work_dir/log/npm

	[ "$1" = dashboard ] || { [ "$1" = test ] && browser_wanted && has_node && find_browser >/dev/null; } || return 0
	(cd "$work_dir/source/examples/dashboard" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1 && return 0
	tail -20 "$log" >&2
	say "npm could not fetch what the dashboard is built with; its last lines are above"
	rm -rf "$work_dir/source/examples/dashboard/node_modules"
	[ "$1" = test ] && [ -z "${CLV_COMPLETE:-}" ]
}

# Programs by name, since some systems keep them among all others; the rest by directory.
copy_postgres()
{
	local dir program

	dir=$("$1" --bindir)
	mkdir -p "$work_dir$dir"
	for program in "$dir"/postgres "$dir"/initdb "$dir"/psql "$dir"/pg_* "$dir"/createdb "$dir"/dropdb; do
		cp -L "$program" "$work_dir$dir/" || return 1
	done
	PG_CONFIG=$work_dir$dir/pg_config
	for dir in "$("$1" --pkglibdir)" "$(dirname "$("$1" --pgxs)")/../.." "$("$1" --sharedir)" \
		"$("$1" --includedir-server)"; do
		dir=$(cd "$dir" && pwd)
		[ ! -e "$work_dir$dir" ] || continue
		mkdir -p "$work_dir$dir"
		tar -C "$dir" -chf - --exclude=./bitcode . | tar -C "$work_dir$dir" -xf - --no-same-owner || return 1
	done
}

# The reference data beside the repository, copied where the unprivileged user could not read them.
copy_shared()
{
	local shared=${CLV_SHARED:-$root_dir/../shared}

	CLV_SHARED=$work_dir/shared
	[ -d "$shared/data" ] || return 0
	mkdir "$work_dir/shared"
	cp -R "$shared/data" "$work_dir/shared/"
	[ ! -d "$shared/oracles" ] || cp -R "$shared/oracles" "$work_dir/shared/"
	chmod -R u+w "$work_dir/shared"
}

# The unprivileged half runs in a session of its own, so that a signal to us can end all of it.
run_inside()
{
	local user become=

	if [ "$(id -u)" = 0 ]; then
		user=postgres
		id -u $user >/dev/null 2>&1 || user=nobody
		chown -R "$user" "$work_dir"
		become="setpriv --reuid=$(id -u $user) --regid=$(id -g $user) --clear-groups"
	fi
	# shellcheck disable=SC2086
	setsid $become env -i \
		PATH="$PATH" HOME="$work_dir" TMPDIR="$work_dir/tmp" LC_ALL=C.UTF-8 TERM="${TERM:-dumb}" \
		CLV_STAGE="$work_dir" CLV_SHARED="$CLV_SHARED" PG_CONFIG="$PG_CONFIG" \
		INPUT_NAME="$INPUT_NAME" COMMIT="${COMMIT:-}" \
		${CLV_COMPLETE:+CLV_COMPLETE="$CLV_COMPLETE"} ${CC:+CC="$CC"} ${ONLY:+ONLY="$ONLY"} ${SCALE:+SCALE="$SCALE"} \
		${ROUNDS:+ROUNDS="$ROUNDS"} ${SEED:+SEED="$SEED"} ${MINUTES:+MINUTES="$MINUTES"} \
		${PORT:+PORT="$PORT"} ${CHECK:+CHECK="$CHECK"} ${PYTHONPATH:+PYTHONPATH="$PYTHONPATH"} \
		bash "$work_dir/source/$command" </dev/null &
	inside=$!
	wait $inside
}

clean_up()
{
	local pid_file pids= try

	trap '' INT TERM HUP
	trap - EXIT
	if [ -n "$inside" ] && kill -0 "$inside" 2>/dev/null; then
		kill -TERM -- "-$inside" 2>/dev/null
		wait "$inside" 2>/dev/null
	fi
	# the data may be a link to a directory that stays
	for pid_file in $(find "$work_dir" "$work_dir/data/" -name postmaster.pid 2>/dev/null); do
		pids="$pids $(head -1 "$pid_file")"
	done
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill -QUIT $pids 2>/dev/null
	for try in 1 2 3 4 5 6 7 8 9 10; do
		# shellcheck disable=SC2086
		[ -n "$pids" ] && kill -0 $pids 2>/dev/null || break
		sleep 0.3
	done
	[ -z "${KEEP:-}" ] || { say "kept: $work_dir"; return; }
	rm -rf "$work_dir"
}

# start_server [SETTING ...]: a cluster in $work_dir/data, made where there is none; afterwards psql and its friends
# find it by themselves
start_server()
{
	local setting

	export PATH=$bin_dir:$PATH PGHOST=$work_dir/tmp PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	if [ ! -e "$work_dir/data/PG_VERSION" ]; then
		"$bin_dir/initdb" -A trust -U postgres -E UTF8 --locale=C.UTF-8 --no-sync -D "$work_dir/data" \
			>"$log_dir/initdb" 2>&1 || { cat "$log_dir/initdb"; return 1; }
		echo "include 'stage.conf'" >>"$work_dir/data/postgresql.conf"
	fi
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$work_dir/tmp'"
		for setting in fsync=off synchronous_commit=off full_page_writes=off "$@"; do
			echo "$setting"
		done
	} >"$work_dir/data/stage.conf"
	"$bin_dir/pg_ctl" -D "$work_dir/data" -l "$log_dir/server" -w start >"$log_dir/pg_ctl" 2>&1 ||
		{ cat "$log_dir/pg_ctl" "$log_dir/server"; return 1; }
}

stop_server()
{
	"$bin_dir/pg_ctl" -D "$work_dir/data" -m fast -w stop >>"$log_dir/pg_ctl" 2>&1
}

# A make that knows nothing of the make that called us.
make_here()
{
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s PG_CONFIG="$PG_CONFIG" ${CC:+CC="$CC"} "$@"
}
