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

/** What a verb prints that succeeds. */
function must(...args: string[]): string {
  const { status, stdout, stderr } = culvert(...args);
  expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: '' });
  return stdout;
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

  test.each([
    ['stop', '1-1'],
    ['stop', '--all'],
    ['switch', '1-1', 'none'],
    ['check', '1-1'],
    ['close', '--all'],
  ])('%s %s says so and ends with 6', (...args) => {
    const { status, stdout, stderr } = culvert(...args);
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' });
    expect(stderr).toMatch(/^culvert: no running Culvert was found — .+ — .+\n$/);
  });
});

describe('rules', () => {
  const ids = () =>
    (JSON.parse(must('rule', 'ls', '--json')) as { rules: { id: string; isOff?: boolean }[] }).rules.map(
      ({ id, isOff }) => (isOff === true ? `${id} off` : id),
    );

  test('are added, moved, switched and deleted as they are typed', () => {
    expect(must('rule', 'add', 'block', '--to', '.ads.test', '--id', 'ads')).toBe('ads\n');
    expect(must('rule', 'add', 'proxy', '--to', '10.0.0.0/8', '--port', '80', '--id', 'near')).toBe('near\n');
    must('rule', 'add', 'block', '--app', 'curl', '--protocol', 'udp', '--id', 'udp', '--first');
    expect(ids()).toEqual(['udp', 'ads', 'near']);
    must('rule', 'move', 'udp', '--last');
    must('rule', 'move', 'near', '1');
    expect(ids()).toEqual(['near', 'ads', 'udp']);
    must('rule', 'disable', 'ads', 'udp');
    must('rule', 'enable', 'udp');
    expect(ids()).toEqual(['near', 'ads off', 'udp']);
    expect(must('rule', 'test', 'curl', 'x.ads.test:443', '--profile', 'direct')).toMatch(
      /off, or it would: ads/,
    );
    must('rule', 'rm', 'near', 'ads');
    expect(ids()).toEqual(['udp']);
    expect(culvert('rule', 'rm', 'near').status).toBe(3);
    must('rule', 'rm', 'udp');
    // Many starts of the program, one after the other.
  }, 60_000);
});

test.each([
  ['ps'],
  ['connections'],
  ['traffic'],
  ['profile', 'ls'],
  ['profile', 'show', 'none'],
  ['rule', 'ls'],
  ['rule', 'test', 'curl', 'example.test:443', '--profile', 'none'],
  ['app', 'ls'],
  ['launcher', 'ls'],
])('%s has its list as JSON, on one line', (...verb) => {
  const text = must(...verb, '--json');
  expect(text.trimEnd().split('\n')).toHaveLength(1);
  expect(JSON.parse(text)).toMatchObject({ schema: 1 });
});

test('a verb that needs an isolated network ends with 5 where there can be none', () => {
  const { status, stdout, stderr } = culvert('check', '-p', 'direct');
  expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
  expect(stderr).toMatch(/^culvert: Culvert's native part is missing — .+ — .+\n$/);
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
