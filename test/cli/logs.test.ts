import { appendFileSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatEntry, Tail } from '../../electron/cli/logs.ts';

describe('the tail of a file', () => {
  let dir: string;
  let path: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'culvert-tail-'));
    path = join(dir, 'log');
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  test('is what has come since the last look, in whole lines', () => {
    const tail = new Tail(path);
    expect(tail.read()).toBe('');
    writeFileSync(path, 'one\ntw');
    expect(tail.read()).toBe('one\n');
    appendFileSync(path, 'o\nthree\n');
    expect(tail.read()).toBe('two\nthree\n');
    expect(tail.read()).toBe('');
  });

  test('goes on in the next file when this one is moved away, and loses nothing of it', () => {
    writeFileSync(path, 'one\n');
    const tail = new Tail(path);
    expect(tail.read()).toBe('one\n');
    appendFileSync(path, 'two\n');
    renameSync(path, `${path}.1`);
    expect(tail.read()).toBe('two\n');
    writeFileSync(path, 'three\n');
    expect(tail.read()).toBe('three\n');
  });

  test('begins again when the file is cut', () => {
    writeFileSync(path, 'a long line\n');
    const tail = new Tail(path);
    tail.read();
    truncateSync(path, 0);
    appendFileSync(path, 'short\n');
    expect(tail.read()).toBe('short\n');
  });
});

test('an entry is one line, and cannot drive the terminal', () => {
  const at = '2026-02-03T04:05:06.789Z';
  const text = formatEntry(
    { at, pid: 12, event: 'lane.opened', lane: '12-1', app: 'a\u001b[2Jb', ms: 5 },
    false,
  );
  expect(text).toMatch(/^2026-02-0[234] [0-9:]{8} {2}lane\.opened {2}lane=12-1 app=\S+ ms=5$/);
  expect(text).not.toContain('\u001b');
  expect(formatEntry({ pid: 12, event: 'engine.started', why: 'it is so' }, false)).toMatch(
    /^- +engine\.started {2}why="it is so" engine=12$/,
  );
});
