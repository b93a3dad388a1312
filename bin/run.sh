# Read by `porthole` and `portholed`, which set $self (this folder's script, links resolved), $program and
# $flags (of Node). Runs the program on the checkout's own Node 26, else on the system's if that is new enough
# to run TypeScript.
folder=${self%/*}
root=${folder%/*}
node=$root/node_modules/.bin/node
if ! [ -x "$node" ]; then
  node=$(command -v node || true)
  major=$("${node:-false}" --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
  if [ "${major:-0}" -lt 26 ]; then
    echo "${self##*/}: Node 26 is missing: run \`npm ci\` in $root" >&2
    exit 1
  fi
fi
# shellcheck disable=SC2086 # $flags may be several words.
exec "$node" $flags --import "$root/bin/compile-cache.mjs" "$root/$program" "$@"
