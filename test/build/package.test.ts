/** What packages are made of, before any is made: names that agree, texts that tools accept, fuses. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { depends } from '../../build/depends.js';
import { categories, entry, entryText } from '../../build/desktop-entry.js';
import { configuration, fuses } from '../../build/electron-builder.js';
import { identity } from '../../build/identity.js';
import { stageSystem } from '../../build/package-stage.js';
import { repository } from './sample-tree.ts';

const { appId, installDir, installedHelper, policyName, polkitAction, windowProgram } = identity;
const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Record<string, string>;

let dir: string;
const cli = join(repository, 'dist/cli.cjs');
const staged = (path: string) => readFileSync(join(dir, path), 'utf8');

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'culvert-package-'));
  stageSystem(repository, dir);
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('the one name', () => {
  test('is that of the desktop’s file, of what Electron calls its windows, and of the icon', () => {
    expect(manifest['desktopName']).toBe(`${appId}.desktop`);
    expect(configuration.appId).toBe(appId);
    expect(configuration.linux?.syncDesktopName).toBe(true);
    expect(readdirSync(join(dir, 'desktop'))).toEqual([`${appId}.desktop`]);
    expect([entry.Icon, entry.StartupWMClass]).toEqual([appId, appId]);
    expect(staged(`system/usr/share/metainfo/${appId}.metainfo.xml`)).toContain(`<id>${appId}</id>`);
  });

  test('is that of polkit’s action as far as polkit allows, and its helper lies where packages put it', () => {
    expect(polkitAction.startsWith(policyName.replace('.policy', '.'))).toBe(true);
    expect(polkitAction).toMatch(/^[A-Za-z0-9.-]+$/);
    const policy = staged(`system/usr/share/polkit-1/actions/${policyName}`);
    expect(policy).toContain(`<action id="${polkitAction}">`);
    expect(policy).toContain(`exec.path">${installedHelper}<`);
    expect(policy).not.toMatch(/allow_gui|auth_self|>yes</);
    expect(installDir).toBe(`/opt/${configuration.productName ?? ''}`);
    expect(configuration.linux?.executableName).toBe(windowProgram);
    expect(staged('apparmor-profile')).toContain(`"${installDir}/${windowProgram}" flags=(unconfined)`);
  });

  test('leaves no place of a text unfilled', () => {
    for (const name of ['after-install.sh', 'after-remove.sh', 'apparmor-profile'])
      expect(staged(name)).not.toMatch(/@[A-Z_]+@/);
    expect(staged('control').match(/@[A-Z_]+@/g)).toEqual(['@ARCHITECTURE@', '@KIBIBYTES@']);
  });
});

describe('the desktop', () => {
  test('accepts the entry, which asks for no kind of file and no link', () => {
    const checked = spawnSync('desktop-file-validate', [join(dir, 'desktop', `${appId}.desktop`)], {
      encoding: 'utf8',
    });
    expect([checked.stdout, checked.status]).toEqual(['', 0]);
    expect(entryText()).not.toContain('MimeType');
    expect(categories).toBe('Network;');
  });

  test('accepts what software centres show', () => {
    const path = join(dir, 'system/usr/share/metainfo', `${appId}.metainfo.xml`);
    const checked = spawnSync('appstreamcli', ['validate', '--no-net', path], { encoding: 'utf8' });
    expect([checked.stdout, checked.status]).toEqual([
      expect.stringContaining('Validation was successful'),
      0,
    ]);
    expect(staged(`system/usr/share/metainfo/${appId}.metainfo.xml`)).toContain(
      `version="${manifest['version'] ?? ''}"`,
    );
  });

  test('has the icon in every size that it was drawn for, and as an outline', () => {
    const icons = join(dir, 'system/usr/share/icons/hicolor');
    expect(readdirSync(icons).sort()).toEqual([
      '128x128',
      '256x256',
      '48x48',
      '512x512',
      '64x64',
      'scalable',
      'symbolic',
    ]);
    for (const size of readdirSync(icons).filter((name) => name.includes('x'))) {
      const png = readFileSync(join(icons, size, 'apps', `${appId}.png`));
      expect(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`).toBe(size);
    }
  });
});

describe('the pages of the manual', () => {
  const page = (name: string) =>
    execFileSync('man', ['--warnings', '-l', join(dir, `system/usr/share/man/man${name}.gz`)], {
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '160', MANPAGER: 'cat', LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  test('have every verb and every option of the program, and no other', () => {
    const script = execFileSync(process.execPath, [cli, 'completion', 'bash'], { encoding: 'utf8' });
    const main = page('1/culvert.1');
    const run = page('1/culvert-run.1');
    const verbs = [...script.matchAll(/^ {4}'([a-z ]*)'\) verbs='.*' flags='(.*)' operands=/gm)];
    expect(verbs.length).toBeGreaterThan(30);
    for (const [, path = '', flags = ''] of verbs.filter(([, path]) => !/(^| )help$/.test(path ?? ''))) {
      const shown = path === 'run' ? run : sectionOf(main, path);
      for (const flag of flags.split(' ').filter((name) => name !== '--help' && name !== ''))
        expect(shown).toContain(flag);
    }
    const known = new Set(verbs.map(([, path]) => path));
    const titles = [...main.matchAll(/^ {3}culvert ([a-z]+(?: [a-z]+)?)(?= |$)/gm)].map(
      ([, path = '']) => path,
    );
    expect(titles.filter((path) => !known.has(path) && !known.has(path.split(' ')[0]))).toEqual([]);
  });

  test('have the exit status of a command that never ran, and the fields of the configuration', () => {
    expect(page('1/culvert-run.1')).toMatch(/EXIT STATUS[^]*125[^]*126[^]*127/);
    const fields = page('5/culvert-profile.5');
    for (const name of ['profiles[].chain.servers[].fingerprint', 'rules[].match.to', 'apps', 'probe.url'])
      expect(fields).toContain(name);
  });

  test('come out of the formatter without a complaint', () => {
    for (const name of ['1/culvert.1', '1/culvert-run.1', '5/culvert-profile.5']) {
      const path = join(dir, `system/usr/share/man/man${name}.gz`);
      const env = { ...process.env, MANPAGER: 'cat', LC_ALL: 'C.UTF-8' };
      expect(spawnSync('man', ['--warnings', '-l', path], { encoding: 'utf8', env }).stderr).toBe('');
    }
  });

  /** What the page says of one verb: up to the next verb's title. */
  function sectionOf(text: string, path: string): string {
    if (path === '') return text;
    const start = text.search(new RegExp(`^ {3}culvert ${path}( |$)`, 'm'));
    expect(start, `culvert ${path}`).toBeGreaterThan(0);
    const end = text.slice(start + 1).search(/^ {3}culvert /m);
    return end === -1 ? text.slice(start) : text.slice(start, start + 1 + end);
  }
});

describe('electron-builder', () => {
  test('makes deb, rpm and AppImage for both machines', () => {
    const targets = configuration.linux?.target as { target: string; arch: string[] }[];
    expect(targets.map(({ target }) => target)).toEqual(['deb', 'rpm', 'AppImage']);
    expect(targets.every(({ arch }) => arch.join() === 'x64,arm64')).toBe(true);
  });

  test('lets nobody in by the environment or an inspector, and nothing but the archive run', () => {
    expect(fuses).toEqual({
      runAsNode: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      onlyLoadAppFromAsar: true,
      enableCookieEncryption: true,
      grantFileProtocolExtraPrivileges: false,
    });
  });

  test('registers no link and no kind of file, and publishes nowhere', () => {
    expect([configuration.protocols, configuration.fileAssociations, configuration.publish]).toEqual([
      undefined,
      undefined,
      null,
    ]);
  });

  test('asks for what tells notices, and for what lanes are made with', () => {
    expect(depends.deb).toEqual(expect.arrayContaining(['libnotify4', 'iproute2', 'nftables', 'util-linux']));
    expect(depends.rpm).toEqual(expect.arrayContaining(['libnotify', 'iproute', 'nftables', 'util-linux']));
  });
});

describe('what runs when a package comes and goes', () => {
  test.for(['after-install.sh', 'after-remove.sh'])('%s is read by every shell', (name) => {
    expect(spawnSync('sh', ['-n', join(dir, name)], { encoding: 'utf8' })).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(staged(name)).toMatch(/^#!\/bin\/sh\n/);
  });
});
