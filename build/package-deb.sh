#!/usr/bin/env bash
# package-deb.sh [COMPRESSION]: a deb by Debian's own tools, of what `node build/package.js dir` has laid out: the same
# files in the same places as the deb of electron-builder, without the tools that that one downloads.
#
# Prints the path of the package. COMPRESSION as dpkg-deb(1) knows it; xz unless told.
set -euo pipefail
umask 022

staging=$(cd "$(dirname "${BASH_SOURCE[0]}")/../dist/package" && pwd)
[ -e "$staging/made/linux-unpacked/resources/app.asar" ] || {
	echo "package-deb: there is nothing to pack; run \`node build/package.js dir\` first" >&2
	exit 1
}
install_dir=$(cat "$staging/install-dir")
tree=$staging/deb
rm -rf "$tree"
trap 'rm -rf "$tree"' EXIT

mkdir -p "$tree$(dirname "$install_dir")" "$tree/DEBIAN" "$tree/usr/share/applications" \
	"$tree/usr/share/zsh/vendor-completions" "$tree/usr/share/doc/culvert"
# Hard links: the runtime is large, and nothing here is changed.
cp -al "$staging/made/linux-unpacked" "$tree$install_dir"
cp -a "$staging/system/usr/." "$tree/usr/"
cp "$staging"/desktop/*.desktop "$tree/usr/share/applications/"
cp "$staging/completions/_culvert" "$tree/usr/share/zsh/vendor-completions/"
cp "$staging/apparmor-profile" "$tree$install_dir/resources/"
cp "$staging/notices/LICENSE.culvert" "$tree/usr/share/doc/culvert/copyright"

architecture=$(dpkg --print-architecture)
sed -e "s/@ARCHITECTURE@/$architecture/" -e "s/@KIBIBYTES@/$(du -sk "$tree" | cut -f1)/" \
	"$staging/control" >"$tree/DEBIAN/control"
cp "$staging/after-install.sh" "$tree/DEBIAN/postinst"
cp "$staging/after-remove.sh" "$tree/DEBIAN/postrm"
chmod 755 "$tree/DEBIAN/postinst" "$tree/DEBIAN/postrm"
(cd "$tree" && find opt usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)

package=$staging/made/culvert_$(sed -n 's/^Version: //p' "$tree/DEBIAN/control")_$architecture.deb
dpkg-deb --root-owner-group -Z"${1:-xz}" --build "$tree" "$package" >&2
echo "$package"
