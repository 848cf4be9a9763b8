/** The pure parts of `culvert app`, `open` and `launcher`. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listedApps } from '../../electron/cli/app-bindings.ts';
import { namesOfText, typedApp } from '../../electron/engine/app-names.ts';
import { ownProgram } from '../../electron/engine/own-program.ts';
import { withReport } from '../../electron/cli/open-background.ts';
import { waysWords } from '../../electron/cli/open-plan.ts';
import { namedProfile, profileFor } from '../../electron/cli/stored-profile.ts';
import { boundProfile, namesOfApp } from '../../electron/engine/app-choice.ts';
import { Catalogue, type App, type RunningInstance } from '../../electron/engine/apps/index.ts';
import { config as configSchema } from '../../electron/shared/profile.ts';
import { parse } from 'valibot';

const app = (id: string, name: string, more: Partial<App> = {}): App => ({
  ...{ id, name, exec: `/usr/bin/${id} %U`, source: `/apps/${id}.desktop`, packaging: 'host' },
  ...{ keywords: [], categories: [], actions: [] },
  ...{ isTerminal: false, isOnBus: false, isShown: true, isLauncher: false },
  ...more,
});
const config = parse(configSchema, {
  version: 1,
  defaultProfile: 'work',
  profiles: [
    { id: 'work', name: 'Work' },
    { id: 'a', name: 'Twice' },
    { id: 'b', name: 'Twice' },
  ],
  apps: { firefox: 'a', curl: 'b' },
});

describe('the list of apps', () => {
  const installed = [app('firefox', 'Firefox'), app('org.example.Maps', 'Maps', { packaging: 'flatpak' })];

  test('has the profiles that apps are bound to, and programs that are bound besides', () => {
    expect(listedApps(installed, config, '')).toEqual([
      { id: 'firefox', name: 'Firefox', profile: 'a', kind: 'host' },
      { id: 'org.example.Maps', name: 'Maps', kind: 'flatpak' },
      { id: 'curl', name: 'curl', profile: 'b', kind: 'program' },
    ]);
  });

  test('is searched', () => {
    expect(listedApps(installed, config, 'map').map(({ id }) => id)).toEqual(['org.example.Maps']);
    expect(listedApps(installed, config, 'CURL').map(({ id }) => id)).toEqual(['curl']);
  });
});

describe('what an app is called', () => {
  test('is its id first, then its program', () => {
    expect(namesOfApp(app('firefox-esr', 'Firefox'))).toEqual(['firefox-esr']);
    const wrapped = app('maps', 'Maps', { exec: 'env LANG=C /opt/maps/start %u' });
    expect(namesOfApp(wrapped)).toEqual(['maps', 'env', 'start']);
  });

  test('is the name of a program that was found in PATH, and the path where one was typed', async () => {
    const nothing = new Catalogue({ HOME: '/nonexistent', XDG_DATA_DIRS: '/nonexistent' });
    const names = (await typedApp('sh', nothing)).names;
    expect(names[0]).toBe('sh');
    expect(names[1]).toMatch(/^\/.*\/sh$/);
    expect((await typedApp('/bin/sh', nothing)).names).toEqual(['/bin/sh', 'sh']);
  });

  test('is what was typed, for rules about one that is not here', async () => {
    const nothing = new Catalogue({ HOME: '/nonexistent', XDG_DATA_DIRS: '/nonexistent' });
    expect(await namesOfText('no-such-app', nothing)).toEqual(['no-such-app']);
    await expect(typedApp('no-such-app', nothing)).rejects.toThrow(/no such app/);
    await expect(typedApp('/etc', nothing)).rejects.toThrow(/cannot be opened as an app/);
  });
});

describe('the profile of an app', () => {
  test('is the named one, the bound one, or the default, in this order', () => {
    expect(profileFor(config, 'direct', ['firefox']).id).toBe('direct');
    expect(profileFor(config, undefined, ['firefox']).id).toBe('a');
    expect(profileFor(config, undefined, ['vim']).id).toBe('work');
    const { defaultProfile: _, ...without } = config;
    expect(() => profileFor(without, undefined, ['vim'])).toThrow(/no profile was chosen/);
  });

  test('is found by a name that only one has', () => {
    expect(namedProfile(config, 'Work').id).toBe('work');
    expect(() => namedProfile(config, 'Twice')).toThrow(/several: a, b/);
    expect(() => namedProfile(config, 'gone')).toThrow(/no such profile/);
  });

  test('is none for words that JavaScript knows of every object', () => {
    expect(boundProfile(config, ['constructor', 'toString', '__proto__'])).toBeUndefined();
  });
});

test('in the background an app gets the same words, and those behind -- are its own', () => {
  expect(withReport(['open', '--detach', '-p', 'work', 'app', '--', '--detach'])).toEqual([
    ...['open', '--report-fd=3', '-p', 'work', 'app', '--', '--detach'],
  ]);
});

test('what runs outside is told with the ways there are', () => {
  const found = {
    ...{ kind: 'firefox', pid: 7, startTicks: '1', place: 'outside', certainty: 'certain' },
    ways: ['close-and-reopen', 'separate-profile'],
  } as const satisfies RunningInstance;
  expect(waysWords({ name: 'Firefox' }, found)).toMatch(
    /^Firefox already runs outside .* process 7; close that one first, or use --separate-profile$/,
  );
  const possible = { ...found, certainty: 'possible', ways: ['close-and-reopen'] } as const;
  expect(waysWords({ name: 'Vim' }, possible)).toMatch(/, or use --anyway if it never hands over/);
});

test('a launcher starts the usual program where that leads here, else the one that lies here', () => {
  const dir = mkdtempSync(join(tmpdir(), 'culvert-launcher-'));
  try {
    mkdirSync(join(dir, 'product/bin'), { recursive: true });
    const program = join(dir, 'product/bin/culvert');
    writeFileSync(program, '');
    const link = join(dir, 'link');
    expect(ownProgram(join(dir, 'product'), [link])).toBe(program);
    symlinkSync(program, link);
    expect(ownProgram(join(dir, 'product'), [join(dir, 'none'), link])).toBe(link);
    // An AppImage is mounted somewhere else each time.
    expect(() => ownProgram(join(dir, 'product'), [], { APPDIR: dir })).toThrow(/does not stay where it is/);
    expect(() => ownProgram(join(dir, 'none'), [])).toThrow(/there is no/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
