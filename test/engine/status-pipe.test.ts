import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseStatus, readStatusPipe, type AppStatus } from '../../electron/engine/status-pipe.ts';

describe('a line of the launcher', () => {
  test.each<[string, AppStatus]>([
    ['started 4711', { kind: 'started', pid: 4711 }],
    ['exited 3', { kind: 'ended', exit: { kind: 'code', code: 3 } }],
    ['signalled 15', { kind: 'ended', exit: { kind: 'signal', signal: 15 } }],
    ['stopped 20', { kind: 'stopped', signal: 20 }],
    ['continued', { kind: 'continued' }],
    ['empty', { kind: 'empty' }],
    ['failed exec 2', { kind: 'failed', failure: { code: 'command-not-found' } }],
    ['failed exec 13', { kind: 'failed', failure: { code: 'command-not-executable', detail: 'EACCES' } }],
    [
      'failed netns 1',
      { kind: 'failed', failure: { code: 'launch-failed', step: 'netns', detail: 'EPERM' } },
    ],
  ])('%s', (line, status) => {
    expect(parseStatus(line)).toEqual(status);
  });

  test('that is in no known form says nothing, whatever it is', () => {
    for (const line of ['', 'started', 'started x', 'exited', 'hello 1'])
      expect(parseStatus(line)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (line) => {
        parseStatus(line);
      }),
    );
  });
});

/** Writes the pieces into a pipe, closes it, and answers what was heard until then. */
async function hear(...pieces: string[]): Promise<AppStatus[]> {
  const dir = mkdtempSync(join(tmpdir(), 'culvert-status-'));
  try {
    const path = join(dir, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, 'r+');
    const heard: AppStatus[] = [];
    const over = new Promise<void>((resolve) => {
      readStatusPipe(openSync(path, 'r'), (status) => {
        heard.push(status);
        if (['empty', 'lost', 'failed'].includes(status.kind)) resolve();
      });
    });
    const writer = openSync(path, 'w');
    closeSync(reader);
    for (const piece of pieces) writeSync(writer, piece);
    closeSync(writer);
    await over;
    return heard;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

test('lines are heard however they are cut', async () => {
  expect((await hear('star', 'ted 1\nexi', 'ted 0\nempty\n')).map(({ kind }) => kind)).toEqual([
    'started',
    'ended',
    'empty',
  ]);
});

test('an end without “empty” is the loss of the supervisor', async () => {
  expect((await hear('started 1\n')).map(({ kind }) => kind)).toEqual(['started', 'lost']);
});
