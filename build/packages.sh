# shellcheck shell=bash
# What is missing of build/packages.txt, and how to get it: sourced by build/setup.sh.
#
# Installs by apt where there is apt, as root or through sudo. It must not call apt-get when nothing is
# missing, and must not leave a server running that came along with a package for the tests. Elsewhere it only
# names the packages. Ends the set-up with status 4 when an administrator is needed, 5 when the network is.
#
# CULVERT_OS_RELEASE (a file) stands for /etc/os-release in the tests of this script.

# Asked by packages that want to start a server; no such file means that they may (invoke-rc.d(8)).
policy_file=/usr/sbin/policy-rc.d

# has PROBE: whether the thing is there (see packages.txt).
has() {
	local paths=$PATH:/usr/local/sbin:/usr/sbin:/sbin
	case $1 in
	header:*) echo "#include <${1#*:}>" | gcc -E - >/dev/null 2>&1 ;;
	# All of it is read: a grep that stops at its line ends ldconfig by a signal, which pipefail takes for a failure.
	lib:*) PATH=$paths ldconfig -p 2>/dev/null | grep -F "${1#*:} " >/dev/null ;;
	file:*) [ -e "${1#*:}" ] ;;
	static:*) PATH=$paths command -v "${1#*:}" >/dev/null && ! ldd "$(PATH=$paths command -v "${1#*:}")" >/dev/null 2>&1 ;;
	*) PATH=$paths command -v "$1" >/dev/null ;;
	esac
}

# missing_rows LIST WHEN...: the rows of the list for these purposes whose probe fails.
missing_rows() {
	local list=$1 when probe rest
	shift
	while read -r when probe rest; do
		case " $* " in
		*" $when "*) has "$probe" || echo "$when $probe $rest" ;;
		esac
	done <"$list"
}

# package_manager: apt, dnf, pacman or zypper, from the words of os-release; empty when it is none of them.
package_manager() {
	local file=${CULVERT_OS_RELEASE:-/etc/os-release} words=
	# shellcheck disable=SC1090
	[ -r "$file" ] && words=$(. "$file" && echo "${ID:-} ${ID_LIKE:-}")
	case " $words " in
	*" debian "* | *" ubuntu "*) echo apt ;;
	*" fedora "* | *" rhel "* | *" centos "*) echo dnf ;;
	*" arch "*) echo pacman ;;
	*" suse "* | *" opensuse "* | *" opensuse-"*) echo zypper ;;
	esac
}

# column_of MANAGER: where packages.txt has its names.
column_of() {
	case $1 in
	apt) echo 3 ;;
	dnf) echo 4 ;;
	pacman) echo 5 ;;
	zypper) echo 6 ;;
	esac
}

# package_names MANAGER: reads rows, writes each package once, alternatives as they are.
package_names() {
	awk -v column="$(column_of "$1")" '$column != "-" && !seen[$column]++ { print $column }'
}

# install_command MANAGER: how an administrator installs packages with it.
install_command() {
	case $1 in
	apt) echo "apt-get install --no-install-recommends" ;;
	dnf) echo "dnf install" ;;
	pacman) echo "pacman -S --needed" ;;
	zypper) echo "zypper install" ;;
	esac
}

# known_to_apt A|B: the first of the alternatives that apt can install, else the first.
known_to_apt() {
	local name
	for name in ${1//|/ }; do
		if apt-cache policy "$name" 2>/dev/null | grep 'Candidate: [^(]' >/dev/null; then
			echo "$name"
			return
		fi
	done
	echo "${1%%|*}"
}

# become_root: sets the words in front of a command that root is to run; fails where there is no way to root.
become_root() {
	as_root=()
	[ "$(id -u)" -eq 0 ] && return
	command -v sudo >/dev/null || return 1
	# Without a terminal nobody could type the password.
	if [ -t 0 ]; then as_root=(sudo); else sudo -n true 2>/dev/null && as_root=(sudo -n); fi
}

# as_administrator ROWS MANAGER WHY: says what to install by hand, and ends the set-up.
as_administrator() {
	local rows=$1 manager=$2 why=$3 names left
	names=$(echo "$rows" | package_names "$manager" | sed 's/|.*//' | paste -sd ' ' -)
	say "$why"
	[ -n "$names" ] && say "as administrator, run: $(install_command "$manager") $names"
	left=$(echo "$rows" | awk -v column="$(column_of "$manager")" '$column == "-" { print $2 }' | paste -sd ' ' -)
	[ -n "$left" ] && say "not packaged there, to be installed by hand: $left"
	exit 4
}

# without_servers COMMAND...: runs it as root while packages cannot start servers.
without_servers() (
	if [ ! -e "$policy_file" ]; then
		trap '"${as_root[@]}" rm -f "$policy_file"' EXIT
		printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy_file" >/dev/null
		"${as_root[@]}" chmod 755 "$policy_file"
	fi
	"${as_root[@]}" "$@"
)

# disable_servers PACKAGE...: servers that were installed for the tests do not start with the system.
disable_servers() {
	local name unit
	command -v systemctl >/dev/null || return 0
	for name in "$@"; do
		case $name in
		dante-server) unit=danted ;;
		openssh-server) unit=ssh ;;
		tinyproxy | redsocks | nscd) unit=$name ;;
		*) continue ;;
		esac
		"${as_root[@]}" systemctl disable --quiet "$unit" 2>/dev/null || say "could not disable $unit: see systemctl"
	done
}

# install_by_apt ROWS: installs the packages; servers among them are neither started nor enabled.
install_by_apt() {
	local rows=$1 packages=() name
	become_root ||
		as_administrator "$rows" apt "packages are missing, and this user cannot install them (not root, no sudo)"
	"${as_root[@]}" apt-get update -qq ||
		fail 5 "the package lists of this system could not be fetched: is there a network?"
	for name in $(echo "$rows" | package_names apt); do packages+=("$(known_to_apt "$name")"); done
	say "installing by apt: ${packages[*]}"
	without_servers env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >/dev/null ||
		fail 5 "apt could not install ${packages[*]}: see its words above; is there a network?"
	disable_servers "${packages[@]}"
}

# need_packages LIST WHEN...: brings what is missing, or ends the set-up with a sentence.
need_packages() {
	local rows manager
	rows=$(missing_rows "$@")
	[ -n "$rows" ] || return 0
	manager=$(package_manager)
	case $manager in
	apt)
		command -v apt-get >/dev/null || as_administrator "$rows" apt "packages are missing, and apt-get is not there"
		install_by_apt "$rows"
		;;
	"")
		fail 4 "this system is not known here; install what brings: $(echo "$rows" | awk '{ print $2 }' | paste -sd ' ' -)"
		;;
	*) as_administrator "$rows" "$manager" "packages are missing, and only apt is used by this script itself" ;;
	esac
	rows=$(missing_rows "$@")
	[ -z "$rows" ] || fail 4 "still missing after the installation: $(echo "$rows" | awk '{ print $2 }' | paste -sd ' ' -)"
}
