import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { enginePidOf, engineSocket, runtimeDir } from '#shared/paths.ts';

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
