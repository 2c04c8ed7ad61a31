# orders.sh - the orders that the examples start from: those of DATA, else the CDNOW log where it lies beside the
# repository, else a simulated shop. To be sourced after stage.sh.

# stage_orders NEEDS: stage() with the file to be taken along.
stage_orders()
{
	local cdnow=${CLV_SHARED:-$(dirname "${BASH_SOURCE[0]}")/../../shared}/data/cdnow_log_sample.csv

	if [ -z "${CLV_STAGE:-}" ]; then
		if [ -n "${DATA:-}" ] && [ ! -r "$DATA" ]; then
			say "DATA=$DATA: there is no such file, or it cannot be read"
			exit 1
		fi
		[ -n "${DATA:-}" ] || [ ! -r "$cdnow" ] || DATA=$cdnow
	fi
	stage "$1" "${DATA:-}" "${DATA:+$(basename "$DATA")}"
}

run_psql()
{
	psql -X -q -v ON_ERROR_STOP=1 -P pager=off -P footer=off -P null='-' "$@"
}

# Puts the CSV into the table orders: every column as text first, then the three that matter, converted.
load_csv()
{
	local file=$1 header separator=, column columns= customer= date= amount=

	header=$(head -1 "$file" | tr -d '\r"' | sed 's/^\xef\xbb\xbf//' | tr '[:upper:]' '[:lower:]')
	[[ "$header" == *,* ]] || [[ "$header" != *\;* ]] || separator=';'
	local number=0
	while IFS= read -r -d "$separator" column; do
		number=$((number + 1))
		column=$(echo "$column" | sed 's/^ *//; s/ *$//')
		columns="$columns${columns:+, }c$number text"
		case $column in
			customer_id) customer=c$number ;;
			date) date=c$number ;;
			amount) amount=c$number ;;
		esac
	done <<<"$header$separator"
	if [ -z "$customer" ] || [ -z "$date" ] || [ -z "$amount" ]; then
		say "the file must have the columns customer_id, date and amount; it has: $header"
		return 1
	fi
	run_psql -v customer="$customer" -v date="$date" -v amount="$amount" <<-SQL
		CREATE TEMP TABLE raw ($columns);
		\\copy raw FROM '$file' WITH (FORMAT csv, HEADER, DELIMITER '$separator')
		CREATE TABLE orders AS
		SELECT nullif(:customer, '') AS customer_id, nullif(:date, '')::timestamptz AS ordered_at,
		       nullif(:amount, '')::numeric AS amount
		FROM raw;
		ANALYZE orders;
	SQL
}

# Compiles, and installs into the private PostgreSQL.
build_clv()
{
	echo "clv: building ($("$PG_CONFIG" --version))"
	if ! make_here -j"$(nproc)" all install >"$log_dir/build" 2>&1; then
		cat "$log_dir/build"
		say "the extension could not be built"
		return 1
	fi
}

# Fills the table orders(customer_id, ordered_at, amount).
load_orders()
{
	if [ -e "$work_dir/input" ]; then
		echo "clv: loading $INPUT_NAME"
		load_csv "$work_dir/input"
	else
		echo "clv: making a simulated shop (examples/shop.sql)"
		run_psql -f examples/shop.sql
	fi
}
