import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const dist = join(import.meta.dirname, '../../dist/native');

describe('the native parts', () => {
  test('keep what their C programs say, under AddressSanitizer and UBSan', { timeout: 180_000 }, () => {
    const run = spawnSync('make', ['-C', 'native', 'test'], { encoding: 'utf8', timeout: 170_000 });
    const lines = run.stdout.split('\n');

    expect(lines.filter((line) => line.startsWith('not ok'))).toEqual([]);
    expect(run.status, run.stderr).toBe(0);
    expect(lines.filter((line) => line.startsWith('ok ')).length).toBeGreaterThan(30);
  });

  test.each(['libculvert.so', 'culvert-launch'])('%s is built to be hard to misuse', (name) => {
    const said = execFileSync('readelf', ['--wide', '-h', '-l', '-d', '--dyn-syms', join(dist, name)], {
      encoding: 'utf8',
    });
    // Anywhere in memory; no relocation to write to; no stack to run; its canary; checked calls of the C library.
    expect(said).toMatch(/Type: +DYN/);
    expect(said).toMatch(/GNU_RELRO/);
    // Its threads go on while a process ends that has closed it.
    if (name.endsWith('.so')) expect(said).toContain('NODELETE');
    expect(said).toMatch(/BIND_NOW|Flags: .*NOW/);
    expect(said).toMatch(/GNU_STACK(?: +0x[0-9a-f]+)+ +RW +/);
    expect(said).toContain('__stack_chk_fail');
    expect(said).toMatch(/__[a-z]+_chk@/);
  });
});
