#!/usr/bin/env bash
# icons.sh: draws build/assets/icons/SIZExSIZE.png from scalable.svg. Run by hand when the drawing has changed; needs
# chromium, which draws as the desktop does. Not part of any build.
set -euo pipefail
icons=$(cd "$(dirname "${BASH_SOURCE[0]}")/assets/icons" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for size in 48 64 128 256 512; do
	# A window may not be that small: the picture is cut out of a larger one by its own page.
	cat >"$work/page.html" <<-PAGE
		<!doctype html><style>*{margin:0}img{display:block;width:${size}px;height:${size}px}</style>
		<img src="file://$icons/scalable.svg">
	PAGE
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor=1 \
		--default-background-color=00000000 --window-size="$size,$size" --user-data-dir="$work/profile" \
		--screenshot="$icons/${size}x${size}.png" "file://$work/page.html" 2>/dev/null
done
