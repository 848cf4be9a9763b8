/**
 * Lays out what packages are made of, below dist/package: product-ARCH/ (engine, helper, command line, native parts, what
 * they need of node_modules), system/ (what belongs below /usr), completions/, the menu's entry, notices.
 */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { entryText } from './desktop-entry.js';
import { depends, maintainer } from './depends.js';
import { identity } from './identity.js';
import { noticesText } from './notices.js';

const {
  appId,
  installDir,
  installedHelper,
  policyName,
  polkitAction,
  productName,
  productPath,
  windowProgram,
} = identity;

const programs = ['cli', 'engine', 'helper', 'keyring', 'start'].map((name) => `${name}.cjs`);
const nativeParts = ['libculvert.so', 'culvert-launch'];
/** What electron-builder calls a machine, and what npm and compilers call it. */
const compilers = { x64: 'x86_64-linux-gnu-gcc', arm64: 'aarch64-linux-gnu-gcc' };

/** @typedef {keyof typeof compilers} Arch */

/**
 * A script with a place for the Node of packages.
 * @param {string} text
 * @param {RegExp} place
 * @param {string} node
 */
function withNode(text, place, node) {
  if (!place.test(text)) throw new Error('a starter in build/bin has no place for Node');
  return text.replace(place, () => node);
}

/** Starters that take Electron's program, found from where they lie. @param {string} from @param {string} to */
function stageStarters(from, to) {
  const read = (/** @type {string} */ name) => readFileSync(join(from, name), 'utf8');
  mkdirSync(to, { recursive: true });
  const culvert = withNode(read('culvert'), /# <node>\n[^]*# <\/node>\n/, read('installed-node.sh'));
  const up = relative(join(productPath, 'bin'), '');
  const helper = withNode(read('culvert-helper'), /"@NODE@"/, `"\${0%/*}/${up}/${windowProgram}"`);
  writeFileSync(join(to, 'culvert'), culvert.replace('@WINDOW@', `${up}/${windowProgram}`), { mode: 0o755 });
  writeFileSync(join(to, 'culvert-helper'), helper, { mode: 0o755 });
}

/**
 * Only what is loaded of the two packages with native code.
 * @param {string} root @param {string} to @param {Arch} arch
 */
function stageModules(root, to, arch) {
  const names = [
    ...['package.json', 'LICENSE.txt', 'index.cjs', 'src/koffi/index.cjs', 'src/koffi/src/static.cjs'].map(
      (name) => `koffi/${name}`,
    ),
    `@koromix/koffi-linux-${arch}`,
    ...['@napi-rs/keyring', `@napi-rs/keyring-linux-${arch}-gnu`],
  ];
  for (const name of names) {
    const from = join(root, 'node_modules', name);
    if (!existsSync(from))
      throw new Error(`${from} is missing: npm install --no-save --force --cpu=${arch} --ignore-scripts`);
    cpSync(from, join(to, 'node_modules', name), { recursive: true });
  }
}

/** @param {string} root @param {string} to @param {Arch} arch */
function stageProduct(root, to, arch) {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(join(to, 'native'), { recursive: true });
  for (const name of programs) cpSync(join(root, 'dist', name), join(to, name));
  stageStarters(join(root, 'build/bin'), join(to, 'bin'));
  stageModules(root, to, arch);
  const native = join(to, 'native');
  if (arch === process.arch) {
    for (const name of nativeParts) cpSync(join(root, 'dist/native', name), join(native, name));
  } else {
    const make = ['--silent', '-C', join(root, 'native'), `OUT=${native}`, `CC=${compilers[arch]}`];
    execFileSync('make', make, { stdio: 'inherit' });
  }
}

/** @param {string} text @param {Readonly<Record<string, string>>} values */
function filled(text, values) {
  return text.replace(/@([A-Z_]+)@/g, (_all, name) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing is known as ${name}`);
    return value;
  });
}

/**
 * What belongs below /usr, with the pages and scripts that the program itself prints.
 * @param {string} root
 * @param {string} to
 */
export function stageSystem(root, to) {
  for (const name of ['system', 'completions', 'desktop'])
    rmSync(join(to, name), { recursive: true, force: true });
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const put = (/** @type {string} */ path, /** @type {string | Uint8Array} */ content) => {
    mkdirSync(join(to, dirname(path)), { recursive: true });
    writeFileSync(join(to, path), content);
  };
  const printed = (/** @type {string[]} */ ...args) =>
    execFileSync(process.execPath, [join(root, 'dist/cli.cjs'), ...args], { encoding: 'utf8' });
  const values = {
    APP_ID: appId,
    NAME: productName,
    VERSION: manifest.version,
    HOMEPAGE: manifest.homepage,
    DATE: releaseDate(root),
    POLKIT_ACTION: polkitAction,
    HELPER: installedHelper,
    INSTALL_DIR: installDir,
    WINDOW: windowProgram,
    MAINTAINER: maintainer,
    DEPENDS: depends.deb.join(', '),
    RECOMMENDS: depends.debRecommends.join(', '),
    // What depends on the machine is package-deb.sh's to know.
    ARCHITECTURE: '@ARCHITECTURE@',
    KIBIBYTES: '@KIBIBYTES@',
  };
  const template = (/** @type {string} */ name) =>
    filled(readFileSync(join(root, 'build/assets/desktop', name), 'utf8'), values);
  const share = 'system/usr/share';
  for (const [page, section] of [
    ['culvert', 1],
    ['culvert-run', 1],
    ['culvert-profile', 5],
  ])
    put(
      `${share}/man/man${section}/${page}.${section}.gz`,
      gzipSync(printed('manual', String(page)), { level: 9 }),
    );
  put(`${share}/bash-completion/completions/culvert`, printed('completion', 'bash'));
  put(`${share}/fish/vendor_completions.d/culvert.fish`, printed('completion', 'fish'));
  put('completions/_culvert', printed('completion', 'zsh'));
  put(`${share}/metainfo/${appId}.metainfo.xml`, template('metainfo.xml'));
  put(`${share}/polkit-1/actions/${policyName}`, template('polkit.policy'));
  for (const name of ['apparmor-profile', 'after-install.sh', 'after-remove.sh', 'control'])
    put(name, template(name));
  put('install-dir', installDir);
  put(`desktop/${appId}.desktop`, entryText());
  const icons = join(root, 'build/assets/icons');
  const hicolor = `${share}/icons/hicolor`;
  for (const name of readdirSync(icons).filter((file) => file.endsWith('.png')))
    put(`${hicolor}/${name.slice(0, -4)}/apps/${appId}.png`, readFileSync(join(icons, name)));
  put(`${hicolor}/scalable/apps/${appId}.svg`, readFileSync(join(icons, 'scalable.svg')));
  put(`${hicolor}/symbolic/apps/${appId}-symbolic.svg`, readFileSync(join(icons, 'symbolic.svg')));
  mkdirSync(join(to, 'system/usr/bin'), { recursive: true });
  symlinkSync(`${installDir}/${productPath}/bin/culvert`, join(to, 'system/usr/bin/culvert'));
  put('notices/LICENSE.culvert', readFileSync(join(root, 'LICENSE')));
  put('notices/LICENSES.npm.txt', noticesText(root));
}

/**
 * The day of the version, out of the changelog; of one that is not released, the day of the last change.
 * @param {string} root
 */
function releaseDate(root) {
  const path = join(root, 'CHANGELOG.md');
  const [, day] = /^## \S+ [–—-] ([0-9]{4}-[0-9]{2}-[0-9]{2})$/m.exec(readFileSync(path, 'utf8')) ?? [];
  return day ?? statSync(path).mtime.toISOString().slice(0, 10);
}

/** @param {string} root @param {string} to @param {readonly Arch[]} archs */
export function stage(root, to, archs) {
  for (const arch of archs) stageProduct(root, join(to, `product-${arch}`), arch);
  stageSystem(root, to);
  for (const name of [
    'system',
    'completions',
    'desktop',
    'notices',
    ...archs.map((arch) => `product-${arch}`),
  ])
    settleModes(join(to, name));
}

/** What root installs is nobody else's to write, whatever the umask was. @param {string} dir */
function settleModes(dir) {
  chmodSync(dir, 0o755);
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    chmodSync(path, (statSync(path).mode & 0o111) === 0 ? 0o644 : 0o755);
  }
}
