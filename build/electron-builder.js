/**
 * What electron-builder makes: deb, rpm and AppImage for x64 and arm64. build/package.js runs it.
 *
 * The window is in app.asar. Everything that a Node runs (engine, helper, command line, native parts) lies beside it as
 * files, since root must be able to read the helper without Electron's reading of archives, and libraries are loaded
 * from files.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Arch } from 'electron-builder';
import { depends, maintainer } from './depends.js';
import { categories, entry } from './desktop-entry.js';
import { identity } from './identity.js';
import { settle } from './package-modes.js';

const { appId, installDir, productName, productPath, windowProgram } = identity;

/** Where build/package.js lays everything out, below the repository. */
export const staging = 'dist/package';

/**
 * RunAsNode stays on: engine, helper and command line run on Electron's own Node, so that a package needs no other. What
 * that gives to somebody who can start programs as this user is what any interpreter on the computer gives; root runs
 * the helper by a starter with an empty environment. What would let others into a running Culvert is off: NODE_OPTIONS
 * and --inspect. The integrity of app.asar is checked by no Electron on Linux, so that fuse is left as it is.
 * @type {import('electron-builder').Configuration['electronFuses']}
 */
export const fuses = {
  runAsNode: true,
  enableNodeOptionsEnvironmentVariable: false,
  enableNodeCliInspectArguments: false,
  onlyLoadAppFromAsar: true,
  enableCookieEncryption: true,
  grantFileProtocolExtraPrivileges: false,
};

/** @param {string} zsh directory of completions that packages bring */
const systemFiles = (zsh) => [
  `${staging}/system/usr/=/usr`,
  `${staging}/completions/_culvert=${zsh}/_culvert`,
  '--directories',
  installDir,
];

/** @type {import('electron-builder').Configuration} */
export const configuration = {
  appId,
  productName,
  directories: { output: `${staging}/made`, buildResources: 'build/assets' },
  files: ['dist/main.cjs', 'dist/preload.cjs', 'dist/renderer/**/*', 'package.json', '!node_modules'],
  extraMetadata: { dependencies: {}, devDependencies: {}, scripts: {}, imports: {} },
  asar: true,
  npmRebuild: false,
  nodeGypRebuild: false,
  publish: null,
  electronLanguages: ['en-US', 'zh-CN'],
  electronFuses: fuses,
  toolsets: { appimage: '1.0.3' },
  afterPack: ({ appOutDir, arch }) => {
    cpSync(`${staging}/product-${Arch[arch]}`, join(appOutDir, productPath), { recursive: true });
    cpSync(`${staging}/notices`, appOutDir, { recursive: true });
    settle(appOutDir);
    return Promise.resolve();
  },
  linux: {
    target: ['deb', 'rpm', 'AppImage'].map((target) => ({
      target: /** @type {'deb'} */ (target),
      arch: /** @type {('x64' | 'arm64')[]} */ (['x64', 'arm64']),
    })),
    executableName: windowProgram,
    syncDesktopName: true,
    icon: 'build/assets/icons',
    category: categories,
    maintainer,
    vendor: maintainer,
    synopsis: 'Start any app on its own network whose only way out is a proxy',
    desktop: { entry },
  },
  deb: {
    packageCategory: 'net',
    depends: depends.deb,
    recommends: depends.debRecommends,
    afterInstall: `${staging}/after-install.sh`,
    afterRemove: `${staging}/after-remove.sh`,
    appArmorProfile: `${staging}/apparmor-profile`,
    fpm: systemFiles('/usr/share/zsh/vendor-completions'),
  },
  rpm: {
    depends: depends.rpm,
    afterInstall: `${staging}/after-install.sh`,
    afterRemove: `${staging}/after-remove.sh`,
    appArmorProfile: `${staging}/apparmor-profile`,
    fpm: systemFiles('/usr/share/zsh/site-functions'),
  },
};
