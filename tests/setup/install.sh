#!/bin/sh
# Installs what the tests need beyond Python packages: Chromium and strace, on Debian and its kin, as root.
# Anywhere else it only says which tests will be skipped. (Node comes inside the playwright package.)
set -eu

missing=""
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
command -v strace >/dev/null || missing="$missing strace"
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "Installing for the tests:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    # shellcheck disable=SC2086  # one word per package
    apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing >/dev/null
    exit 0
fi

for tool in $missing; do
    case $tool in
        chromium) echo "Chromium is not installed: the tests of the page in a real browser will be skipped." ;;
        strace) echo "strace is not installed: the tests of the order of writes and syncs will be skipped." ;;
    esac
done
