#!/bin/sh
# Runs the tests of the page's pure modules, tests/js/**/*.test.mjs (or .js), with the Node that playwright carries,
# else with the system's.
set -eu

files=$(find tests/js -name '*.test.js' -o -name '*.test.mjs' 2>/dev/null | sort)
[ -n "$files" ] || exit 0

node=$(.venv/bin/python -c 'from playwright._impl._driver import compute_driver_executable as d; print(d()[0])' || true)
[ -x "$node" ] || node=$(command -v node || true)
if [ -z "$node" ]; then
    echo "Node is not installed: the tests of the page's modules are skipped."
    [ "${CI:-}" != true ] || exit 1
    exit 0
fi

# shellcheck disable=SC2086  # one word per file
exec "$node" --test $files
