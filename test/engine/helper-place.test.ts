/** Whether root may run a helper from where it lies: as root, since who owns what is the whole point. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { helperForRoot, isForRoot, policyFor } from '../../electron/engine/helper-place.ts';
import { installedWindow } from '../../electron/engine/installed.ts';

let dir: string;
let product: string;
const isRoot = process.getuid?.() === 0;
/** A place that only root can write, as /tmp is not. */
const parent = isRoot ? '/var/lib' : tmpdir();

beforeEach(() => {
  dir = mkdtempSync(join(parent, 'culvert-test-'));
  chmodSync(dir, 0o755);
  product = join(dir, 'resources/culvert');
  for (const name of [
    'bin/culvert-helper',
    'helper.cjs',
    'native/libculvert.so',
    'node_modules/koffi/index.cjs',
  ]) {
    mkdirSync(dirname(join(product, name)), { recursive: true });
    writeFileSync(join(product, name), '');
  }
  for (const name of ['culvert-desktop', 'libffmpeg.so']) writeFileSync(join(dir, name), '');
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

const refusal = () => {
  try {
    return helperForRoot(product);
  } catch (error) {
    return (error as Error).message;
  }
};

describe.skipIf(!isRoot)('a packaged copy', () => {
  test('that is root’s alone is one that root runs', () => {
    expect(refusal()).toBe(join(product, 'bin/culvert-helper'));
    expect(installedWindow(product)).toBe(join(dir, 'culvert-desktop'));
  });

  test.for([
    'resources/culvert/helper.cjs',
    'resources/culvert/node_modules/koffi',
    'libffmpeg.so',
    'resources',
  ])('is refused when somebody else owns %s, or may write it', (name) => {
    const path = join(dir, name);
    chownSync(path, 1000, 1000);
    expect(refusal()).toContain(`(${path})`);
    chownSync(path, 0, 0);
    expect(isForRoot(product)).toBe(true);
    chmodSync(path, 0o775);
    expect(refusal()).toContain(`(${path})`);
  });

  test('is refused when a part of it is a link, or it lies in a directory that everybody may write', () => {
    renameSync(join(product, 'helper.cjs'), join(dir, 'elsewhere.cjs'));
    symlinkSync(join(dir, 'elsewhere.cjs'), join(product, 'helper.cjs'));
    expect(isForRoot(product)).toBe(false);
    rmSync(join(product, 'helper.cjs'));
    expect(isForRoot(product)).toBe(true);
    chmodSync(dir, 0o1777);
    expect(refusal()).toContain(`(${dir})`);
  });
});

test('a clone is nobody’s package, whoever owns it', () => {
  rmSync(join(dir, 'culvert-desktop'));
  chmodSync(product, 0o777);
  expect(installedWindow(product)).toBeUndefined();
  expect(isForRoot(product)).toBe(true);
});

test('an action counts only for the helper that it names', () => {
  const file = join(dir, 'x.policy');
  writeFileSync(file, '<annotate key="org.freedesktop.policykit.exec.path">/opt/x/bin/helper</annotate>');
  expect(policyFor('/opt/x/bin/helper', ['/nowhere/x.policy', file])).toBe(file);
  expect(policyFor('/opt/x/bin/help', [file])).toBeUndefined();
});
