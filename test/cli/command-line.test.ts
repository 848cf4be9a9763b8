/** The verbs as they are typed: what needs no lane. Bundled from the sources, so that no build is needed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { version } from '../../electron/shared/version.ts';
import { bundle } from '../world/artefact.ts';

let script: string;
let runtime: string;

beforeAll(() => {
  script = bundle('electron/cli/index.ts');
  runtime = mkdtempSync(join(tmpdir(), 'culvert-runtime-'));
});

afterAll(() => {
  rmSync(runtime, { recursive: true });
});

function culvert(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    env: { PATH: process.env['PATH'], XDG_RUNTIME_DIR: runtime, HOME: runtime },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { status, stdout, stderr };
}

test('version is printed by verb and by option', () => {
  expect(culvert('version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
  expect(culvert('--version')).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' });
});

test('help goes to stdout, and knows each verb', () => {
  const { status, stdout, stderr } = culvert('help');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const verbs = ['run', 'open', 'ps', 'stop', 'profile', 'rule', 'app', 'launcher', 'doctor', 'demo'];
  for (const verb of verbs) expect(stdout).toMatch(new RegExp(`^ +${verb} `, 'm'));
  expect(stdout).not.toContain('demo-probe');
  expect(culvert('help', 'run').stdout).toContain('--password-stdin');
});

describe('a mistake', () => {
  test.each([
    ['an unknown verb', ['frob']],
    ['an unknown option', ['ps', '--frob']],
    ['an unknown option of run', ['run', '--frob', '--', 'true']],
    ['a run without a proxy', ['run', '--', 'true']],
    ['a run without a command', ['run', '--proxy', 'direct', '--']],
    ['a run with two proxies', ['run', '--proxy', 'direct', '--proxy', 'direct', '--', 'true']],
    ['a proxy that is none', ['run', '--proxy', 'gopher://host', '--', 'true']],
    ['a wrong word', ['run', '--proxy', 'direct', '--isolation', 'maybe', '--', 'true']],
    ['names around the proxy', ['run', '--proxy', 'socks5://192.0.2.1:1', '--dns', 'host', '--', 'true']],
    ['a stop of nothing', ['stop']],
    ['an unknown verb of a group', ['profile', 'frob']],
    ['an unknown option of one', ['rule', 'ls', '--frob']],
    ['a profile without a proxy', ['profile', 'add']],
    ['a profile whose proxy is none', ['profile', 'add', 'gopher://host']],
    ['a length without its mode', ['profile', 'add', 'socks5://192.0.2.1', '--chain-length', '2']],
    ['an import of no file', ['profile', 'import', '/nonexistent']],
    ['a list for nobody', ['profile', 'import', '-', '--as', 'proxy-list']],
    ['a rule without an action', ['rule', 'add', '--to', 'x.test']],
    ['a rule that is none', ['rule', 'add', 'frob']],
    ['a test of no port', ['rule', 'test', 'curl', 'example.com']],
    ['a launcher without a profile', ['launcher', 'create', 'curl']],
    ['an open of nothing', ['open']],
    ['a stop of one and all', ['stop', '1-1', '--all']],
  ])('such as %s ends with 2, one line on stderr and nothing on stdout', (_what, args) => {
    const { status, stdout, stderr } = culvert(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^culvert: .+ — .+\n$/);
  });

  test('does not repeat a password that was typed into the wrong place', () => {
    expect(culvert('run', '--proxy', 'socks5://me:hunter2@', '--', 'true').stderr).not.toContain('hunter2');
  });
});

test('options of the command are not taken for ours, with or without --', () => {
  // Were --frob ours it would be unknown; as it is, the native part is what is missing beside this bundle.
  for (const args of [
    ['--', 'true', '--frob'],
    ['true', '--frob'],
  ]) {
    const { status, stderr } = culvert('run', '--proxy', 'direct', '--quiet', ...args);
    expect(stderr).toMatch(/native part is missing/);
    expect(status).toBe(125);
  }
});

describe('without an engine', () => {
  test('ps lists nothing and succeeds', () => {
    expect(culvert('ps')).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(JSON.parse(culvert('ps', '--json').stdout)).toEqual({ schema: 1, lanes: [] });
  });

  test('stop ends with 6', () => {
    expect(culvert('stop', '1-1').status).toBe(6);
    expect(culvert('stop', '--all').status).toBe(6);
  });
});

test('a directory for sockets that others may own is refused with its sentence', () => {
  const unsafe = mkdtempSync(join(tmpdir(), 'culvert-unsafe-'));
  writeFileSync(join(unsafe, 'culvert'), 'not a directory');
  const { status, stderr } = spawnSync(process.execPath, [script, 'ps'], {
    env: { XDG_RUNTIME_DIR: unsafe },
    encoding: 'utf8',
  });
  rmSync(unsafe, { recursive: true });
  expect(stderr).toMatch(/^culvert: Culvert's directory for sockets cannot be used — /);
  expect(status).toBe(1);
});
