import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import { makeExecutable, targetOf, type AppTarget } from '../../../electron/engine/apps/app-target.ts';
import { appWithId, resolveApp } from '../../../electron/engine/apps/resolve.ts';
import { Catalogue } from '../../../electron/engine/apps/catalogue.ts';
import { fileKind, headBytes } from '../../../electron/engine/apps/file-kind.ts';
import { trustEntry } from '../../../electron/engine/apps/trust.ts';
import { Home } from './home.ts';

let home: Home;
beforeEach(() => {
  home = new Home();
});
afterEach(() => {
  home[Symbol.dispose]();
});

const target = (path: string) => targetOf(path, { env: home.env, cwd: home.dir });

async function reasonOf(path: string): Promise<string> {
  const found = await target(path);
  return found.kind === 'refused' ? found.reason : found.kind;
}

async function failureOf(action: Promise<unknown>): Promise<{ code: string; detail?: string }> {
  const error = await action.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CulvertError)) throw error;
  return error.failure;
}

function compiled(name: string, source: string, ...options: string[]): string {
  const file = home.write(`${name}.c`, source);
  execFileSync('gcc', [...options, '-o', home.path(name), file]);
  return home.path(name);
}

describe('a path', () => {
  it.each([
    ['position independent', []],
    ['at a fixed place', ['-no-pie']],
    ['static', ['-static']],
    ['static and position independent', ['-static-pie']],
  ])('of a program that is %s is a program', async (_, options) => {
    const path = compiled('program', 'int main(void) { return 0; }', ...options);
    expect(await target('program')).toEqual({
      kind: 'program',
      format: 'elf',
      path,
      realPath: path,
      isExecutable: true,
    });
  });

  it('of a program behind links is that program, under the name that was given', async () => {
    copyFileSync('/bin/true', home.path('real'));
    symlinkSync('real', home.path('one'));
    symlinkSync('one', home.path('two'));
    expect(await target('two')).toMatchObject({ path: home.path('two'), realPath: home.path('real') });
  });

  it('of a library, an object, a core or a program for another processor is refused as what it is', async () => {
    compiled('lib.so.1.2', 'int f(void) { return 0; }', '-shared', '-fPIC');
    compiled('plain-library', 'int f(void) { return 0; }', '-shared', '-fPIC', '-nostdlib');
    compiled('part.o', 'int f(void) { return 0; }', '-c');
    const other = Buffer.from(readFileSync('/bin/true'));
    other.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18);
    home.write('other', other, 0o755);
    other.writeUInt16LE(4, 16);
    home.write('core', other, 0o644);
    home.write('cut', Buffer.from('7f454c46020101', 'hex'));
    execFileSync('chmod', ['-x', home.path('plain-library')]);
    const reasons = ['lib.so.1.2', 'plain-library', 'part.o', 'other', 'core', 'cut'].map(reasonOf);
    expect(await Promise.all(reasons)).toEqual([
      'library',
      'library',
      'object',
      'other-processor',
      'core',
      'document',
    ]);
  });

  it.each([1, 2])('of an AppImage of type %i is one, also while it may not be executed', async (type) => {
    const image = Buffer.from(readFileSync('/bin/true'));
    image.set([0x41, 0x49, type], 8);
    const path = home.write('App.AppImage', image);
    expect(await target(path)).toMatchObject({ kind: 'program', format: 'appimage', isExecutable: false });
    await makeExecutable(path, { env: home.env });
    expect(await target(path)).toMatchObject({ format: 'appimage', isExecutable: true });
    expect(statSync(path).mode & 0o777).toBe(0o744);
  });

  it('of a script is one with what reads it', async () => {
    home.write('script', '#! /usr/bin/env -S python3 -u\nprint(1)\n', 0o755);
    home.write('odd', '#!relative\n', 0o755);
    expect(await target('script')).toMatchObject({
      format: 'script',
      interpreter: '/usr/bin/env -S python3 -u',
      isExecutable: true,
    });
    expect(await reasonOf('odd')).toBe('document');
  });

  it('of text that profiles are imported from says so', async () => {
    for (const name of ['a.ppx', 'b.yaml', 'c.conf', 'd.txt', 'e.json', 'F.YML']) {
      home.write(name, 'proxies:\n');
      expect(await target(name)).toEqual({ kind: 'import', path: home.path(name) });
    }
    home.write('windows.ppx', Buffer.from('\ufeff<ProxifierProfile/>', 'utf16le'));
    expect(await target('windows.ppx')).toMatchObject({ kind: 'import' });
    home.write('binary.txt', Buffer.from([1, 0, 2]));
    expect(await reasonOf('binary.txt')).toBe('document');
  });

  it.each([
    ['a.zip', '504b0304', 'archive'],
    ['a.jar', '504b0304', 'java'],
    ['a.tar.gz', '1f8b08', 'archive'],
    ['a.tar.xz', 'fd377a585a0000', 'archive'],
    ['a.7z', '377abcaf271c', 'archive'],
    ['a.zst', '28b52ffd', 'archive'],
    ['a.deb', '213c617263683e0a64656269616e2d62696e617279', 'package'],
    ['a.rpm', 'edabeedb03', 'package'],
    ['a.snap', '68737173', 'package'],
    ['lib.a', '213c617263683e0a2f', 'library'],
    ['setup.exe', '4d5a9000', 'windows'],
    ['mac', 'cffaedfe07', 'mac'],
    ['a.pdf', '255044462d', 'document'],
    ['a.png', '89504e470d0a1a0a', 'document'],
    ['a.flatpakref', '5b466c617470616b205265665d', 'package'],
    ['empty', '', 'empty'],
  ])('of %s is refused', async (name, bytes, reason) => {
    home.write(name, Buffer.from(bytes, 'hex'), 0o755);
    const found = await target(name);
    expect(found).toMatchObject({ kind: 'refused', reason, path: home.path(name) });
    expect((found as { sentence: string }).sentence).toMatch(/^\S.*[^.]$/);
  });

  it('of a tar archive is refused by the word in its middle', async () => {
    home.write('file', 'x');
    execFileSync('tar', ['-cf', home.path('a.tar'), '-C', home.dir, 'file']);
    expect(await reasonOf('a.tar')).toBe('archive');
  });

  it('of what is no file is refused without opening it', async () => {
    execFileSync('mkfifo', [home.path('pipe')]);
    symlinkSync('loop', home.path('loop'));
    mkdirSync(home.path('folder'));
    const paths = ['pipe', 'loop', 'folder', 'nothing', 'bin/true/x', '/dev/zero', '/proc/self/mem'];
    expect(await Promise.all(paths.map(reasonOf))).toEqual([
      ...['special', 'special', 'folder', 'missing', 'missing', 'special'],
      // A file of /proc has nothing to read at its beginning.
      'special',
    ]);
  });

  it('may be a file:// URL of this computer, and nothing else that is a URL', async () => {
    const path = home.program('odd name');
    expect(await target(pathToFileURL(path).href)).toMatchObject({ kind: 'program', path });
    expect(await reasonOf('file://elsewhere/bin/true')).toBe('remote');
    expect(await reasonOf('sftp://example.test/x')).toBe('remote');
  });

  it('of a desktop entry in an application folder is an app that is trusted', async () => {
    const path = home.entry('system/applications/kde/okular', { Name: 'Okular', Exec: 'true --x %U' });
    const found = await target(path);
    expect(found).toMatchObject({ kind: 'entry', needsTrust: false, command: ['true', '--x'] });
    expect((found as Extract<AppTarget, { kind: 'entry' }>).app.id).toBe('kde-okular');
    symlinkSync(path, home.path('on-desktop.desktop'));
    expect(await target('on-desktop.desktop')).toMatchObject({
      needsTrust: false,
      app: { id: 'kde-okular' },
    });
  });

  it('of one from anywhere else needs trust, shows its command, and does not pass for an installed app', async () => {
    home.entry('system/applications/firefox', { Name: 'Firefox' });
    const path = home.entry('downloads/firefox', { Name: 'Firefox', Exec: 'sh -c "evil"' });
    expect(await target(path)).toMatchObject({
      kind: 'entry',
      needsTrust: true,
      command: ['sh', '-c', 'evil'],
      app: { id: path, name: 'Firefox' },
    });
    symlinkSync(dirname(path), home.path('system/applications/linked'));
    expect(await target(join(home.path('system/applications/linked'), 'firefox.desktop'))).toMatchObject({
      needsTrust: true,
    });
    home.entry('downloads/site', { Type: 'Link', URL: 'https://example.test' });
    expect(await reasonOf('downloads/site.desktop')).toBe('no-app');
  });

  it('of one that the user has trusted is trusted as long as it says the same', async () => {
    const path = home.entry('downloads/tool', { Name: 'Tool' });
    const shown = await target(path);
    if (shown.kind !== 'entry') throw new Error('it is no entry');
    // It changes after it was shown: what was trusted is what was shown.
    home.entry('downloads/tool', { Name: 'Tool', Exec: 'true --evil' });
    await trustEntry(path, shown.mark, home.env);
    expect(await target(path)).toMatchObject({ needsTrust: true });
    home.entry('downloads/tool', { Name: 'Tool' });
    expect(await target(path)).toMatchObject({ needsTrust: false, app: { id: path } });
    symlinkSync(path, home.path('elsewhere.desktop'));
    expect(await target('elsewhere.desktop')).toMatchObject({ needsTrust: true });
    expect(statSync(home.path('state/culvert/trusted-entries.json')).mode & 0o777).toBe(0o600);
    home.write('state/culvert/trusted-entries.json', `[["${path}","${shown.mark}"], 1]`);
    expect(await target(path)).toMatchObject({ needsTrust: true });
  });

  it('is made executable only where it is a program', async () => {
    const path = home.write('notes.pdf', 'x');
    expect((await failureOf(makeExecutable(path, { env: home.env }))).code).toBe('app-refused');
    expect(statSync(path).mode & 0o111).toBe(0);
  });
});

test('any bytes are of some kind, under any name', () => {
  const head = fc.uint8Array({ maxLength: 200 });
  const elf = head.map((bytes) => Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, ...bytes]));
  fc.assert(
    fc.property(fc.oneof(head, elf), fc.string(), fc.boolean(), (bytes, name, isExecutable) => {
      expect(fileKind(name, Buffer.from(bytes.subarray(0, headBytes)), isExecutable)).toHaveProperty('kind');
    }),
    { numRuns: 2000 },
  );
});

describe('the name of an app', () => {
  const resolve = (text: string) =>
    resolveApp(text, new Catalogue(home.env), { env: home.env, cwd: home.dir });
  beforeEach(() => {
    home.entry('system/applications/org.example.Maps', { Name: 'Maps', Exec: 'maps-program %U' });
    home.entry('system/applications/one', { Name: 'Viewer' });
    home.entry('system/applications/two', { Name: 'viewer' });
    home.entry('system/applications/office', { Name: 'Office', Exec: 'soffice' });
    home.entry('system/applications/writer', { Name: 'Writer', Exec: 'soffice --writer' });
    home.entry('data/applications/launcher', { Name: 'Maps', 'X-Culvert-Version': '1' });
  });

  it.each(['org.example.Maps', 'org.example.Maps.desktop', 'maps', 'Maps', 'maps-program'])(
    '%s is its id, its name or its program',
    async (text) => {
      expect(await resolve(text)).toMatchObject({ kind: 'app', app: { id: 'org.example.Maps' } });
    },
  );

  it('may be a path, or a command that no app has', async () => {
    expect(await resolve('./bin/true')).toMatchObject({ kind: 'program', path: home.path('bin/true') });
    home.program('only-in-path');
    expect(await resolve('only-in-path')).toMatchObject({
      kind: 'program',
      path: home.path('bin/only-in-path'),
    });
    home.program('soffice');
    expect(await resolve('soffice')).toMatchObject({ kind: 'program' });
  });

  it('that several have is refused with their ids', async () => {
    expect(await failureOf(resolve('Viewer'))).toEqual({ code: 'app-ambiguous', detail: 'Viewer: one, two' });
    expect((await failureOf(resolve('soffice'))).detail).toBe('soffice: office, writer');
  });

  it('that none has is refused with what is like it', async () => {
    expect(await failureOf(resolve('map'))).toEqual({
      code: 'app-unknown',
      detail: 'map; like it: org.example.Maps',
    });
    expect((await failureOf(resolve('zzz'))).detail).toBe('zzz');
  });

  it('may be that of a launcher only by its id', async () => {
    const catalogue = new Catalogue(home.env);
    expect((await appWithId('launcher.desktop', catalogue)).isLauncher).toBe(true);
    expect((await failureOf(appWithId('nothing', catalogue))).code).toBe('app-unknown');
  });
});
