/** Launchers as the real `desktop-file-validate` reads them, and as Culvert does itself. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appId } from '#shared/identity.ts';
import { CulvertError } from '#shared/failure.ts';
import { parseDesktopEntry, unescapeValue } from '../../../electron/engine/apps/desktop-entry.ts';
import { execArgvs } from '../../../electron/engine/apps/exec.ts';
import { launcherText } from '../../../electron/engine/apps/launcher-entry.ts';
import {
  createLauncher,
  hasAutostart,
  listLaunchers,
  removeLauncher,
  setAutostart,
} from '../../../electron/engine/apps/launchers.ts';
import { Home } from './home.ts';

let home: Home;
beforeEach(() => {
  home = new Home();
});
afterEach(() => {
  home[Symbol.dispose]();
});

const culvert = '/usr/bin/culvert';
const work = { id: 'work', name: 'Work' };

/** What the validator has to say; nothing at all for a good file. Hints are advice to authors. */
function validate(file: string): string {
  const { stdout, stderr, status } = spawnSync('desktop-file-validate', ['--no-hints', file], {
    encoding: 'utf8',
  });
  return status === 0 && stdout === '' ? stderr : `${stdout}${stderr}(${status})`;
}

function argvOf(text: string, group = 'Desktop Entry', targets: readonly string[] = []): readonly string[] {
  const exec = parseDesktopEntry(text).groups.get(group)?.get('Exec') ?? '';
  return execArgvs(exec, { name: '', targets })[0];
}

async function firefox() {
  const source = home.entry(
    'system/applications/firefox',
    {
      Name: 'Firefox',
      'Name[de]': 'Feuerfuchs',
      'Name[sr@latin]': 'Fajerfoks',
      Icon: 'firefox',
      Exec: '/usr/lib/firefox/firefox %u',
      Categories: 'Network;WebBrowser;X-Own;',
      Keywords: 'web;www\\;x;',
      MimeType: 'text/html;',
      DBusActivatable: 'true',
      StartupWMClass: 'firefox',
      Actions: 'new;',
    },
    '[Desktop Action new]\nName=New\nExec=firefox --new\n',
  );
  return createLauncher({ culvert, app: 'firefox', profile: work, source }, home.env);
}

describe('a launcher', () => {
  it('is named by Culvert’s id and a slug, opens the app through its profile, and has three actions', async () => {
    const launcher = await firefox();
    expect(launcher).toEqual({
      id: `${appId}.launcher.firefox-work`,
      file: home.path(`data/applications/${appId}.launcher.firefox-work.desktop`),
      name: 'Firefox (Work)',
      app: 'firefox',
      profile: 'work',
    });
    expect(validate(launcher.file)).toBe('');
    const text = readFileSync(launcher.file, 'utf8');
    const group = parseDesktopEntry(text).groups.get('Desktop Entry');
    expect(Object.fromEntries(group ?? [])).toMatchObject({
      'Name[de]': 'Feuerfuchs (Work)',
      'Name[sr@latin]': 'Fajerfoks (Work)',
      Icon: 'firefox',
      TryExec: culvert,
      Exec: `${culvert} open --profile=work --app=firefox.desktop -- %U`,
      Terminal: 'false',
      Categories: 'Network;',
      Keywords: String.raw`proxy;culvert;web;www\;x;`,
      Actions: 'direct;stop;show;',
    });
    for (const key of ['DBusActivatable', 'MimeType', 'StartupWMClass']) expect(group?.has(key)).toBe(false);
    const open = (profile: string) => [
      culvert,
      'open',
      `--profile=${profile}`,
      '--app=firefox.desktop',
      '--',
    ];
    expect(argvOf(text, 'Desktop Entry', ['https://example.test/'])).toEqual([
      ...open('work'),
      'https://example.test/',
    ]);
    expect(argvOf(text, 'Desktop Action direct')).toEqual(open('direct'));
    expect(argvOf(text, 'Desktop Action stop')).toEqual([culvert, 'stop', '--app', 'firefox.desktop']);
    expect(argvOf(text, 'Desktop Action show')).toEqual([culvert, 'gui', '--app', 'firefox.desktop']);
  });

  it('takes what the app takes: URLs, files or nothing', () => {
    const taking = (exec: string) => {
      const entry = parseDesktopEntry(`[Desktop Entry]\nName=x\nExec=${exec}`);
      return /-- ?(%.)?$/m.exec(launcherText({ culvert, app: 'x', profile: work, entry }))?.[1];
    };
    expect([taking('x %u'), taking('x %F'), taking('x')]).toEqual(['%U', '%F', undefined]);
  });

  it('may be that of a program, whatever its path and the profile are called', async () => {
    const app = '/home/me/My "Apps" $HOME `x` 50% \\ é;=/Thing.AppImage';
    const odd = '/opt/odd %U "dir" $x/culvert';
    const profile = { id: 'work', name: '“W” 50% \\n; é\n[Evil]\nExec=reboot' };
    const launcher = await createLauncher({ culvert: odd, app, profile, icon: '/x y.png' }, home.env);
    expect(validate(launcher.file)).toBe('');
    expect(launcher.id).toBe(`${appId}.launcher.thing-appimage-work`);
    const text = readFileSync(launcher.file, 'utf8');
    expect([...parseDesktopEntry(text).groups.keys()]).not.toContain('Evil');
    expect(argvOf(text, 'Desktop Entry', ['/a b'])).toEqual([
      ...[odd, 'open', '--profile=work', `--app=${app}`, '--', '/a b'],
    ]);
    const [found] = await listLaunchers(home.env);
    expect(found).toEqual(launcher);
    expect(found).toMatchObject({ app, name: 'Thing.AppImage (“W” 50% \\n; é [Evil] Exec=reboot)' });
  });

  it('is as the validator wants it whatever the app’s entry holds', () => {
    const odd = fc.constantFrom(
      '/',
      '.png',
      '\\',
      ';',
      '%',
      '"',
      ' ',
      '=',
      '[',
      ']',
      '$',
      '\t',
      '\r',
      'é',
      'a',
      '\u0001',
    );
    const text = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.string({ unit: odd, maxLength: 12 }),
    );
    const file = home.path('any.desktop');
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.subarray(['Audio', 'Video', 'Game', 'Nonsense', 'KDE', 'Core']),
        (name, icon, profileName, categories) => {
          const entry = parseDesktopEntry(
            `[Desktop Entry]\nName=${name}\nIcon=${icon}\nExec=x\nCategories=${categories.join(';')}\nKeywords=${name};${icon}`,
          );
          const profile = { id: 'work', name: profileName };
          writeFileSync(file, launcherText({ culvert, app: 'a', profile, entry }));
          expect(validate(file)).toBe('');
          expect(argvOf(readFileSync(file, 'utf8'))[0]).toBe(culvert);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('is refused for a program that no command of a desktop entry can name', async () => {
    for (const path of ['culvert', '/opt/a=b/culvert']) {
      await expect(createLauncher({ culvert: path, app: 'x', profile: work }, home.env)).rejects.toThrow(
        CulvertError,
      );
    }
    await expect(listLaunchers(home.env)).resolves.toEqual([]);
  });

  it('replaces the one for the same app and profile, and leaves every other file as it is', async () => {
    const first = await firefox();
    const before = statSync(first.file).ino;
    const again = await firefox();
    expect(again.file).toBe(first.file);
    expect(statSync(again.file).ino).not.toBe(before);
    const like = await createLauncher({ culvert, app: 'Fire-Fox', profile: work, name: 'Other' }, home.env);
    const unlike = await createLauncher({ culvert, app: 'fire_fox', profile: work, name: 'Third' }, home.env);
    expect([like.id, unlike.id].map((id) => id.replace(`${appId}.launcher.`, ''))).toEqual([
      'fire-fox-work',
      'fire-fox-work-2',
    ]);
    expect(readdirSync(dirname(first.file))).toHaveLength(3);
    expect((await listLaunchers(home.env)).map(({ name }) => name)).toEqual([
      'Firefox (Work)',
      'Other',
      'Third',
    ]);
  });

  it('does not write through a link that lies at its place', async () => {
    mkdirSync(home.path('data/applications'));
    const precious = home.write('precious', 'mine');
    symlinkSync(precious, home.path(`data/applications/${appId}.launcher.x-work.desktop`));
    const made = await createLauncher({ culvert, app: 'x', profile: work }, home.env);
    expect(readFileSync(precious, 'utf8')).toBe('mine');
    expect(made.id).toMatch(/x-work-2$/);
  });

  it('is removed by its id or its slug, and nothing else is', async () => {
    const launcher = await firefox();
    const other = home.entry(`data/applications/${appId}.launcher.stranger`, { Name: 'not ours' });
    home.entry('data/applications/plain', { 'X-Culvert-Version': '1' });
    expect(await removeLauncher('firefox-work', home.env)).toEqual(launcher);
    for (const id of [launcher.id, 'stranger', 'plain', '../plain']) {
      await expect(removeLauncher(id, home.env)).rejects.toMatchObject({
        failure: { code: 'launcher-unknown' },
      });
    }
    expect(readFileSync(other, 'utf8')).toContain('not ours');
    const again = await firefox();
    expect(await removeLauncher(`${again.id}.desktop`, home.env)).toEqual(again);
  });
});

describe('the start with the session', () => {
  it('is an entry that can be put there, read and taken away', async () => {
    expect(await hasAutostart(home.env)).toBe(false);
    await setAutostart(['/opt/Cul vert/culvert', 'gui', '--background'], home.env);
    const file = home.path(`config/autostart/${appId}.desktop`);
    expect(validate(file)).toBe('');
    expect(argvOf(readFileSync(file, 'utf8'))).toEqual(['/opt/Cul vert/culvert', 'gui', '--background']);
    expect(await hasAutostart(home.env)).toBe(true);
    writeFileSync(file, `${readFileSync(file, 'utf8')}Hidden=true\n`);
    expect(await hasAutostart(home.env)).toBe(false);
    await setAutostart(undefined, home.env);
    await setAutostart(undefined, home.env);
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it('is off where the desktop has switched it off', async () => {
    await setAutostart(['/usr/bin/culvert'], home.env);
    const file = home.path(`config/autostart/${appId}.desktop`);
    writeFileSync(file, readFileSync(file, 'utf8').replace('enabled=true', 'enabled=false'));
    expect(await hasAutostart(home.env)).toBe(false);
  });
});

it('what a launcher is made of is never cut inside an escape', () => {
  const entry = parseDesktopEntry(`[Desktop Entry]\nName=${'\\\\'.repeat(5000)}\nExec=x`);
  const name = parseDesktopEntry(launcherText({ culvert, app: 'x', profile: work, entry }))
    .groups.get('Desktop Entry')
    ?.get('Name');
  expect(unescapeValue(name ?? '')).toBe('\\'.repeat(4096));
});
