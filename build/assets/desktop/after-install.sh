#!/bin/sh
# After a package was installed, deb or rpm: where programs need a profile of AppArmor's to make user namespaces, this
# one gets it. An AppArmor that does not know the rule has no need of it, and would complain of the file at each start.
set -e
from=@INSTALL_DIR@/resources/apparmor-profile
to=/etc/apparmor.d/culvert
if [ -d /etc/apparmor.d ] && command -v apparmor_parser >/dev/null &&
	apparmor_parser --skip-kernel-load --debug "$from" >/dev/null 2>&1; then
	cp "$from" "$to"
	chmod 644 "$to"
	if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
		apparmor_parser --replace --write-cache --skip-read-cache "$to" || true
	fi
fi
