# The world of one launch, run by bash as root in a mount namespace of its own; see world.ts for the variables.
# Descriptors 0 to 2, 4 and 5 are the launcher's and are left alone.

set -eu

mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir /tmp/etc /tmp/work /tmp/files
mount -t overlay -o lowerdir=/etc,upperdir=/tmp/etc,workdir=/tmp/work overlay /etc
mount -t tmpfs -o mode=0755 tmpfs /run
echo "culvert-test:x:$APP_UID:$APP_GID::/tmp/files:/bin/bash" >>/etc/passwd
echo "culvert-test:x:$APP_GID:" >>/etc/group
echo "culvert-crew:x:$CREW_GID:culvert-test" >>/etc/group
echo 'culvert-test:*:19000:0:99999:7:::' >>/etc/shadow
mkdir -p "/run/user/$APP_UID" /run/user/4242 /run/dbus /run/lock
chown "$APP_UID:$APP_GID" "/run/user/$APP_UID" /tmp/files
chmod 0700 "/run/user/$APP_UID"
eval "$SETUP"

# The part that has to be inside the user namespace of a rootless lane.
export INNER='
cat /proc/self/mountinfo >/tmp/files/mounts-before
app=; gateway=; trap "kill \$app \$gateway 2>/dev/null" EXIT
setpriv --pdeathsig KILL unshare --net sleep 300 </dev/null >/dev/null 2>&1 4<&- 5>&- & app=$!
setpriv --pdeathsig KILL unshare --net sleep 300 </dev/null >/dev/null 2>&1 4<&- 5>&- & gateway=$!
here=$(readlink /proc/self/ns/net)
for pid in $app $gateway; do
  until [ "$(readlink /proc/$pid/ns/net)" != "$here" ]; do kill -0 $pid; done
done
inside() { nsenter --net=/proc/$app/ns/net "$@" 4<&- 5>&-; }
for name in $INTERFACES; do inside ip link add $name type veth peer name gw-$name netns $gateway; done
exec 3</proc/$app/ns/net
kill $app; app=
[ "$APP_PGRP" != self ] || APP_PGRP=$$
trap : TSTP
env -i $LAUNCHER $FAULT $MODE $LAUNCH_UID $TERMINAL $APP_PGRP <&0 & launcher=$!
exec 3<&- 4<&- 5>&- </dev/null
# A trap ends wait early; when the launcher has ended before, wait still knows how.
while code=0; wait $launcher || code=$?; kill -0 $launcher 2>/dev/null; do :; done
exit $code
'
if [ "$MODE" = rootless ]; then
	exec setpriv --reuid "$APP_UID" --regid "$APP_GID" --groups "$APP_GID,$CREW_GID" --inh-caps=-all \
		unshare --user --map-current-user --keep-caps --mount --propagation private bash --norc -c "$INNER"
fi
exec bash --norc -c "$INNER"
