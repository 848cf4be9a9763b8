import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  configDir,
  enginePidOf,
  engineSocket,
  helperSocket,
  helperSocketPid,
  runtimeDir,
  stateDir,
} from '#shared/paths.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'culvert-paths-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

test('the runtime directory is made below XDG_RUNTIME_DIR, for its owner alone', () => {
  const made = runtimeDir({ XDG_RUNTIME_DIR: dir });
  expect(made).toBe(join(dir, 'culvert'));
  expect(statSync(made).mode & 0o777).toBe(0o700);
});

test('one that others may enter is closed to them', () => {
  mkdirSync(join(dir, 'culvert'), { mode: 0o755 });
  chmodSync(join(dir, 'culvert'), 0o755);
  expect(statSync(runtimeDir({ XDG_RUNTIME_DIR: dir })).mode & 0o777).toBe(0o700);
});

test('a link in its place is refused', () => {
  mkdirSync(join(dir, 'elsewhere'));
  symlinkSync(join(dir, 'elsewhere'), join(dir, 'culvert'));
  expect(() => runtimeDir({ XDG_RUNTIME_DIR: dir })).toThrow(/cannot be used/);
});

test('a relative XDG_RUNTIME_DIR is ignored', () => {
  expect(runtimeDir({ XDG_RUNTIME_DIR: 'somewhere' })).not.toContain('somewhere');
});

test('the name of an engine’s socket tells its process', () => {
  expect(enginePidOf('engine-42.sock')).toBe(42);
  expect(engineSocket('/d', 42)).toBe('/d/engine-42.sock');
  for (const name of ['engine-0.sock', 'engine-.sock', 'helper-42-x.sock', 'engine-42.sock.bak']) {
    expect(enginePidOf(name)).toBeUndefined();
  }
});

test('the name of the socket for a helper tells who waits there', () => {
  const name = basename(helperSocket('/d', 42, '0af3'));
  expect(helperSocketPid(name)).toBe(42);
  for (const other of [
    'helper-42.sock',
    'helper-0-a.sock',
    'helper-42-x.sock',
    'engine-42.sock',
    `${name}.bak`,
  ])
    expect(helperSocketPid(other)).toBeUndefined();
});

test('the directories for what stays are made below their variables or the home, for their owner alone', () => {
  const home = join(dir, 'home');
  const env = { HOME: home, XDG_CONFIG_HOME: join(dir, 'deep/config'), XDG_STATE_HOME: 'relative' };
  expect(configDir(env)).toBe(join(dir, 'deep/config/culvert'));
  expect(stateDir(env)).toBe(join(home, '.local/state/culvert'));
  expect(configDir({ HOME: home })).toBe(join(home, '.config/culvert'));
  for (const made of ['deep', 'deep/config/culvert', 'home/.local/state/culvert', 'home/.config'])
    expect(statSync(join(dir, made)).mode & 0o777).toBe(0o700);
});

test('a directory that cannot be made is named all the same', () => {
  writeFileSync(join(dir, 'file'), '');
  expect(configDir({ XDG_CONFIG_HOME: join(dir, 'file') })).toBe(join(dir, 'file/culvert'));
});
