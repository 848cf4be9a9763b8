import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readLine, typed } from '../../electron/cli/password.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'culvert-password-'));
});

afterAll(() => {
  rmSync(dir, { recursive: true });
});

function linesOf(content: string): { line: string | undefined; rest: string } {
  const path = join(dir, 'input');
  writeFileSync(path, content);
  const fd = openSync(path, 'r');
  try {
    return { line: readLine(fd), rest: readFileSync(fd, 'utf8') };
  } finally {
    closeSync(fd);
  }
}

describe('the first line of stdin', () => {
  test('is taken without its end, and the rest is left for the app', () => {
    expect(linesOf('pass word\nfor the app\n')).toEqual({ line: 'pass word', rest: 'for the app\n' });
  });

  test('may end with CRLF, may be the only one, may be empty, may have any letters', () => {
    expect(linesOf('secret\r\nx').line).toBe('secret');
    expect(linesOf('secret').line).toBe('secret');
    expect(linesOf('\nx').line).toBe('');
    expect(linesOf('pässwörd\n').line).toBe('pässwörd');
  });

  test('is none when nothing comes, or when it is longer than any password', () => {
    expect(linesOf('').line).toBeUndefined();
    expect(linesOf(`${'x'.repeat(3000)}\n`).line).toBeUndefined();
  });
});

describe('a password that is typed', () => {
  test('ends with Enter or Ctrl+D', () => {
    expect(typed('ab', 'c\r')).toEqual({ line: 'abc', end: 'done' });
    expect(typed('ab', '\u0004')).toEqual({ line: 'ab', end: 'done' });
  });

  test('can be corrected, also behind a letter that is not ASCII', () => {
    expect(typed('', 'aä\u007fb')).toEqual({ line: 'ab' });
    expect(typed('a😀', '\b')).toEqual({ line: 'a' });
    expect(typed('wrong', '\u0015right')).toEqual({ line: 'right' });
  });

  test('is given up with Ctrl+C', () => {
    expect(typed('ab', 'c\u0003')).toEqual({ line: '', end: 'interrupted' });
  });
});
