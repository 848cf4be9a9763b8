/** Who makes packages, and which others they need, by the names of distributions. */

/** What Electron's program is linked with (what comes along with these is not named), what it loads, what Culvert runs. */
export const depends = {
  deb: [
    ...[
      'libc6',
      'libgcc-s1',
      'libgtk-3-0 | libgtk-3-0t64',
      'libnss3',
      'libgbm1',
      'libxkbcommon0',
      'libudev1',
    ],
    ...['libasound2 | libasound2t64', 'libcups2 | libcups2t64', 'libatspi2.0-0 | libatspi2.0-0t64'],
    ...['libatk-bridge2.0-0 | libatk-bridge2.0-0t64', 'libnotify4', 'xdg-utils'],
    ...['iproute2', 'nftables', 'util-linux'],
  ],
  debRecommends: [
    'pkexec | policykit-1',
    'polkitd | policykit-1',
    'libappindicator3-1 | libayatana-appindicator3-1',
  ],
  rpm: [
    ...['gtk3', 'nss', 'mesa-libgbm', 'libxkbcommon', 'alsa-lib', 'cups-libs', 'at-spi2-core', 'at-spi2-atk'],
    ...['libnotify', 'xdg-utils', 'iproute', 'nftables', 'util-linux', 'polkit'],
  ],
};

/** Who made the packages, as their headers say it. */
export const maintainer = 'Culvert contributors <culvert-app@users.noreply.github.com>';
