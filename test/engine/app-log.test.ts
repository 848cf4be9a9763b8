import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppLog, maxLogBytes, readLog } from '../../electron/engine/app-log.ts';

let dir: string;
let lanes: string;
let env: { HOME: string };

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'culvert-log-'));
  lanes = join(dir, '.local/state/culvert/lanes');
  env = { HOME: dir };
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

test('a log is a file of its lane that only its user can read, and stays when the lane is gone', () => {
  {
    using log = AppLog.open(env);
    writeSync(log.fd, 'before\n');
    log.nameFor('12-3');
    writeSync(log.fd, 'after\n');
    expect(log.path).toBe(join(lanes, '12-3.log'));
  }
  expect(statSync(join(lanes, '12-3.log')).mode & 0o777).toBe(0o600);
  expect(readLog('12-3', env)).toBe('before\nafter\n');
});

test('a log of a lane that never came to be is removed', () => {
  AppLog.open(env)[Symbol.dispose]();
  expect(readdirSync(lanes)).toEqual([]);
});

test('a log that has become too large keeps its end, and goes on behind it', () => {
  using log = AppLog.open(env);
  log.nameFor('1-1');
  writeSync(log.fd, `${'x'.repeat(maxLogBytes)}the end\n`);
  log.trim();
  writeSync(log.fd, 'more\n');
  const text = readFileSync(join(lanes, '1-1.log'), 'utf8');
  expect(text.length).toBeLessThan(300_000);
  expect(text.startsWith('[…]\nxxx')).toBe(true);
  expect(text.endsWith('xthe end\nmore\n')).toBe(true);
});

test('a log of the allowed size is left as it is', () => {
  using log = AppLog.open(env);
  log.nameFor('1-1');
  writeSync(log.fd, 'x'.repeat(maxLogBytes));
  log.trim();
  expect(statSync(join(lanes, '1-1.log')).size).toBe(maxLogBytes);
});

test('the oldest logs go when there are many; other files stay', () => {
  AppLog.open(env)[Symbol.dispose]();
  for (let at = 1; at <= 60; at += 1) {
    writeFileSync(join(lanes, `7-${at}.log`), '');
    utimesSync(join(lanes, `7-${at}.log`), at, at);
  }
  writeFileSync(join(lanes, 'notes.txt'), '');
  AppLog.open(env)[Symbol.dispose]();
  expect(readdirSync(lanes)).toHaveLength(50);
  expect([existsSync(join(lanes, '7-11.log')), existsSync(join(lanes, '7-12.log'))]).toEqual([false, true]);
  expect(existsSync(join(lanes, 'notes.txt'))).toBe(true);
});

test('without a place for it the output goes nowhere, and nothing is thrown', () => {
  writeFileSync(join(dir, 'file'), '');
  using log = AppLog.open({ HOME: join(dir, 'file') });
  log.nameFor('1-1');
  expect(writeSync(log.fd, 'lost\n')).toBe(5);
  log.trim();
  expect(log.path).toBeUndefined();
});

test('only the log of a lane is read, its end where it is long', () => {
  AppLog.open(env)[Symbol.dispose]();
  writeFileSync(join(lanes, '1-1.log'), 'abcdef');
  writeFileSync(join(lanes, '../secret.log'), 'secret');
  expect(readLog('1-1', env, 3)).toBe('def');
  expect(readLog('../secret', env)).toBe('');
  expect(readLog('2-2', env)).toBe('');
});
