# source.sh - what the packages are made of. To be sourced by release/deb and release/dist.

root_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$root_dir/clv.control")
work_dir=$(mktemp -d "${TMPDIR:-/tmp}/clv-release.XXXXXX")
# the user postgres, who runs the tests where root builds, reads it
chmod 755 "$work_dir"
trap 'rm -rf "$work_dir"' EXIT

fail()
{
	echo "clv: $*" >&2
	exit 1
}

# archive FORMAT PREFIX FILE: what a source archive of the last commit holds; changes that are not committed are said.
archive()
{
	git -C "$root_dir" rev-parse HEAD >/dev/null 2>&1 || fail "archives are made of a clone, not of an archive"
	[ -z "$(git -C "$root_dir" status --porcelain)" ] || echo "clv: changes that are not committed are left out" >&2
	git -C "$root_dir" archive --format "$1" --prefix "$2/" -o "$3" HEAD
}
