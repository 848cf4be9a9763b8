import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';

describe('the native parts', () => {
  test('keep what their C programs say, under AddressSanitizer and UBSan', { timeout: 180_000 }, () => {
    const run = spawnSync('make', ['-C', 'native', 'test'], { encoding: 'utf8', timeout: 170_000 });
    const lines = run.stdout.split('\n');

    expect(lines.filter((line) => line.startsWith('not ok'))).toEqual([]);
    expect(run.status, run.stderr).toBe(0);
    expect(lines.filter((line) => line.startsWith('ok ')).length).toBeGreaterThan(30);
  });
});
