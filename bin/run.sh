# Read by `porthole` and `portholed`, which set $self (this folder's script, links resolved), $program (in a
# checkout), $built (where Porthole is built) and $flags (of Node). Runs the program on its own Node 26, else on
# the system's if that is new enough to run TypeScript.
folder=${self%/*}
root=$folder/..
node=$root/node_modules/.bin/node
if [ -e "$root/$built" ]; then
  program=$built
  node=$root/bin/node
  # Built in a checkout, whose Node it takes.
  [ -x "$node" ] || node=$root/../node_modules/.bin/node
fi
if ! [ -x "$node" ]; then
  node=$(command -v node || true)
  major=$("${node:-false}" --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
  if [ "${major:-0}" -lt 26 ]; then
    echo "${self##*/}: Node 26 is missing: run \`npm ci\` in $root" >&2
    exit 1
  fi
fi
# shellcheck disable=SC2086 # $flags may be several words.
exec "$node" $flags --require "$root/bin/compile-cache.cjs" "$root/$program" "$@"
