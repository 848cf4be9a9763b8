#!/bin/sh
# After a package was removed: takes away what after-install.sh made. dpkg says remove or purge, rpm how many versions
# are left. What users wrote down (in their homes) stays theirs.
set -e
profile=/etc/apparmor.d/culvert
case $1 in
remove | purge | 0)
	if [ -e "$profile" ]; then
		apparmor_parser --remove "$profile" 2>/dev/null || true
		rm -f "$profile" /var/cache/apparmor/*/culvert
	fi
	;;
esac
