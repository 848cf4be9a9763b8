import { symlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import { targetOf, type AppTarget } from '../../../electron/engine/apps/app-target.ts';
import { Catalogue } from '../../../electron/engine/apps/catalogue.ts';
import { appWithId } from '../../../electron/engine/apps/resolve.ts';
import { planApp, planProgram } from '../../../electron/engine/apps/start-plan.ts';
import { inTerminal } from '../../../electron/engine/apps/terminal.ts';
import { Home } from './home.ts';

let home: Home;
beforeEach(() => {
  home = new Home();
});
afterEach(() => {
  home[Symbol.dispose]();
});

const target = (path: string) => targetOf(path, { env: home.env, cwd: home.dir });

async function failureOf(action: Promise<unknown>): Promise<{ code: string; detail?: string }> {
  const error = await action.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof CulvertError)) throw error;
  return error.failure;
}

describe('the start of an app', () => {
  const plan = async (keys: Record<string, string>, options = {}, more = '') => {
    home.entry('system/applications/app', keys, more);
    return planApp(await appWithId('app', new Catalogue(home.env)), {
      cwd: '/tmp',
      env: home.env,
      ...options,
    });
  };

  it('is its command with the program found, in the directory of its entry', async () => {
    expect(
      await plan({ Exec: 'true %U', Path: home.dir }, { targets: ['a b', 'https://example.test/', '-x'] }),
    ).toEqual({
      argvs: [[home.path('bin/true'), '/tmp/a b', 'https://example.test/', '/tmp/-x']],
      cwd: home.dir,
    });
    expect((await plan({})).cwd).toBe('/tmp');
  });

  it('may be one of its own actions', async () => {
    const more = '[Desktop Action new]\nName=New\nExec=true --new\n';
    expect((await plan({ Actions: 'new;' }, { action: 'new' }, more)).argvs).toEqual([
      [home.path('bin/true'), '--new'],
    ]);
    expect((await failureOf(plan({}, { action: 'other' }))).code).toBe('app-unknown');
  });

  it('is refused where its program or its directory is not there, or only the bus could do it', async () => {
    expect((await failureOf(plan({ Exec: 'no-such' }))).code).toBe('command-not-found');
    expect(await failureOf(plan({ Path: '/no/such' }))).toMatchObject({ code: 'entry-invalid' });
    expect((await failureOf(plan({ Exec: '', DBusActivatable: 'true' }))).detail).toMatch(/session bus/);
  });

  it('of a program is its path, if that may be executed', async () => {
    home.write('plain', '#!/bin/sh\n');
    const found = (await target('plain')) as Extract<AppTarget, { kind: 'program' }>;
    expect(() => planProgram(found, [], '/')).toThrow(CulvertError);
    const ready = (await target('bin/true')) as Extract<AppTarget, { kind: 'program' }>;
    expect(planProgram(ready, ['-x', '%U'], '/')).toEqual({
      argvs: [[home.path('bin/true'), '-x', '%U']],
      cwd: '/',
    });
  });

  it('in a terminal goes into one that keeps it in its lane', async () => {
    home.program('xterm');
    expect((await plan({ Exec: 'true -x', Terminal: 'true' })).argvs).toEqual([
      [home.path('bin/xterm'), '-e', home.path('bin/true'), '-x'],
    ]);
  });
});

describe('the terminal', () => {
  const terminal = async (env = {}) => (await inTerminal(['x'], { ...home.env, ...env })).slice(0, -1);

  it('is the one that the user has chosen, told not to hand over', async () => {
    for (const name of ['xterm', 'konsole', 'xfce4-terminal', 'foot']) home.program(name);
    expect(await terminal({ TERMINAL: '/usr/bin/xfce4-terminal' })).toEqual([
      home.path('bin/xfce4-terminal'),
      '--disable-server',
      '--execute',
    ]);
    home.write('config/xdg-terminals.list', '# mine\norg.gnome.Terminal.desktop\nxterm.desktop\n');
    home.write('config/kde-xdg-terminals.list', 'org.kde.konsole.desktop:new-window\n');
    expect(await terminal()).toEqual([home.path('bin/xterm'), '-e']);
    expect(await terminal({ XDG_CURRENT_DESKTOP: 'KDE' })).toEqual([
      home.path('bin/konsole'),
      '--separate',
      '-e',
    ]);
  });

  it('is the alternative of Debian where that is one', async () => {
    for (const name of ['xterm', 'konsole']) home.program(name);
    symlinkSync('xterm', home.path('bin/x-terminal-emulator'));
    expect(await terminal()).toEqual([home.path('bin/xterm'), '-e']);
  });

  it('is never one that hands its command over to a server', async () => {
    for (const name of [
      'gnome-terminal',
      'kgx',
      'ptyxis',
      'xdg-terminal-exec',
      'x-terminal-emulator',
      'constructor',
    ]) {
      home.program(name);
    }
    expect((await failureOf(inTerminal(['x'], { ...home.env, TERMINAL: 'gnome-terminal' }))).code).toBe(
      'terminal-missing',
    );
    expect((await failureOf(inTerminal(['x'], { ...home.env, TERMINAL: 'constructor' }))).code).toBe(
      'terminal-missing',
    );
  });
});
