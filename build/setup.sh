#!/usr/bin/env bash
# setup.sh run | test: the two commands of the README, from a bare clone to a running Culvert or to its tests.
#
# Both bring what is missing (system packages, npm packages, the Electron runtime) and
# build. `run` then opens the window, or the demo in the terminal where there is none; `test` runs every check
# and every test and ends with one line of figures. The second time only what changed is done again.
#
# Status: 1 something failed, 2 usage, 3 Node.js, 4 packages that an administrator must install, 5 the network;
# for `run` and `test` themselves, that of the program.
set -euo pipefail

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
# shellcheck source-path=SCRIPTDIR source=packages.sh
. "$root/build/packages.sh"

say() { echo "culvert set-up: $*" >&2; }

fail() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

# The file from which a window is made; without it there is no need for Electron.
has_window() { [ -e "$root/electron/main/index.ts" ]; }

need_node() {
	local version
	version=$(node --version 2>/dev/null) ||
		fail 3 "Node.js was not found: install Node.js 20.19 or newer (with npm), then run this again"
	case $version in
	v[0-9].* | v1[0-9].* | v20.[0-9].* | v20.1[0-8].*)
		fail 3 "Node.js is too old: this is $version, and 20.19 or newer is needed" ;;
	esac
	command -v npm >/dev/null ||
		fail 3 "npm was not found: it comes with Node.js (on Debian it is a package of its own, npm)"
}

# No package needs its install script: what esbuild, koffi and the like run is a package of its own.
need_npm_packages() {
	node build/npm-packages.js && return
	say "installing npm packages"
	# What npm has in its cache needs no network; where there is none, it is not to try for minutes.
	npm ci --ignore-scripts --no-fund --no-audit --loglevel=error --prefer-offline \
		--fetch-retries=1 --fetch-retry-mintimeout=2000 --fetch-retry-maxtimeout=5000 >/dev/null ||
		fail 5 "the npm packages could not be installed: is there a network?"
}

# Only the window needs Electron: a failure is told and nothing else stops.
want_electron() {
	if ! node build/electron-runtime.js >/dev/null; then
		say "the window cannot be opened without Electron; the command line works"
	fi
}

has_display() { [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; }

# prepare WHEN...: brings everything and builds; WHEN as in packages.txt.
prepare() {
	need_node
	need_packages build/packages.txt "$@"
	need_npm_packages
	want_electron
	node build/build.js || fail 1 "the build failed: see above"
}

run() {
	local electron
	if has_window && has_display; then prepare run window; else prepare run; fi
	if has_display && [ "$(id -u)" -ne 0 ] && [ -e dist/main.cjs ] && electron=$(node build/electron-runtime.js); then
		exec "$electron" "$root"
	fi
	exec dist/bin/culvert demo
}

check_and_test() {
	[ "$(id -u)" -eq 0 ] ||
		fail 4 "the tests make network namespaces and start apps as other users: run this as root (npm run test:unit needs no root)"
	if has_window; then prepare run test window; else prepare run test; fi
	npm run --silent check || fail 1 "the checks failed, so the tests were not run"
	exec node build/run-tests.js
}

main() {
	cd "$root"
	case ${1:-} in
	run) run ;;
	test) check_and_test ;;
	*) fail 2 "usage: build/setup.sh run | test" ;;
	esac
}

# Sourced by its tests, it only defines.
if [ "${BASH_SOURCE[0]}" = "$0" ]; then main "$@"; fi
