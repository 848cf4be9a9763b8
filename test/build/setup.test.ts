/**
 * build/setup.sh where something is missing, with its real functions: the script is sourced, or started, in a
 * directory of its own, with programs in PATH that stand for the system's package manager and Node.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { repository } from './sample-tree.ts';

/** An id that owns nothing; the tests of the set-up are run as root. */
const nobody = 65_534;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'culvert-setup-'));
  for (const name of ['setup.sh', 'packages.sh'])
    cpSync(join(repository, 'build', name), join(root, 'build', name));
  mkdirSync(join(root, 'bin'));
  for (const dir of [root, join(root, 'bin')]) chmodSync(dir, 0o777);
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text: string): string {
  const file = join(root, path);
  writeFileSync(file, text);
  return file;
}

/** Puts a shell script into PATH before everything else. */
function program(name: string, script: string): void {
  chmodSync(write(`bin/${name}`, `#!/bin/sh\n${script}\n`), 0o755);
}

interface Outcome {
  readonly status: number | null;
  readonly said: string;
  readonly out: string;
}

/** Runs bash with the script sourced; `path` is what stands after the programs of this test. */
function bash(
  script: string,
  { release = 'ID=debian', path = '/usr/bin:/bin', asNobody = false } = {},
): Outcome {
  const env = {
    PATH: `${join(root, 'bin')}:${path}`,
    HOME: root,
    CULVERT_OS_RELEASE: write('os-release', release),
  };
  const args = ['-c', `. "${root}/build/setup.sh"; cd "${root}"; ${script}`];
  const identity = asNobody && process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const { status, stdout, stderr } = spawnSync('/bin/bash', args, {
    ...identity,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return { status, said: stderr, out: stdout };
}

/** A list with one row that is there and two that are not. */
function list(): string {
  return write(
    'packages.txt',
    [
      'run  sh           shell      shell      shell      shell',
      'run  culvert-xyz  xyz        xyz-fed    xyz-arch   xyz-suse',
      'test culvert-abc  abc|abc64  abc-fed    -          abc-suse',
    ].join('\n') + '\n',
  );
}

/** An apt-get that writes down its calls and puts what it installs into PATH. */
function workingApt(): void {
  program(
    'apt-get',
    [
      `echo "$@" >>"${root}/calls"`,
      `case $1 in install) [ -x "${root}/policy" ] && echo policy >>"${root}/calls"`,
      `for n in xyz abc; do printf '#!/bin/sh\\n' >"${root}/bin/culvert-$n"; chmod 755 "${root}/bin/culvert-$n"; done;; esac`,
    ].join('\n'),
  );
  program('apt-cache', 'case $2 in abc) echo "  Candidate: (none)";; *) echo "  Candidate: 1.0";; esac');
  program('systemctl', `echo "systemctl $*" >>"${root}/calls"`);
}

const calls = () =>
  existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').split('\n') : [];
const needs = (...when: string[]) =>
  `policy_file="${root}/policy"; need_packages "${list()}" ${when.join(' ')}`;

describe('packages of the system', () => {
  test('apt is not asked for anything when nothing is missing', () => {
    program('apt-get', `echo "$@" >>"${root}/calls"`);
    write('packages.txt', '');
    const { status, said } = bash(`need_packages "${write('there.txt', 'run sh sh sh sh sh\n')}" run`);
    expect([status, said, calls()]).toEqual([0, '', []]);
  });

  test('apt installs what is missing, of alternatives the one that it knows, with no server started', () => {
    workingApt();
    program('id', 'echo 0');
    const { status } = bash(needs('run', 'test'));
    expect(status).toBe(0);
    expect(calls().slice(0, 3)).toEqual([
      'update -qq',
      'install -y -qq --no-install-recommends xyz abc64',
      'policy',
    ]);
    expect(existsSync(join(root, 'policy'))).toBe(false);
  });

  test('rows for another purpose are left alone', () => {
    workingApt();
    program('id', 'echo 0');
    expect(bash(needs('run')).status).toBe(0);
    expect(calls()[1]).toBe('install -y -qq --no-install-recommends xyz');
  });

  test('a server that came along does not start with the system', () => {
    workingApt();
    expect(bash('as_root=(); disable_servers curl openssh-server dante-server').status).toBe(0);
    expect(calls().filter(Boolean)).toEqual([
      'systemctl disable --quiet ssh',
      'systemctl disable --quiet danted',
    ]);
  });

  test('an ordinary user goes through sudo where it asks for no password', () => {
    workingApt();
    program('sudo', `echo "sudo $*" >>"${root}/calls"; shift; exec "$@"`);
    const { status } = bash(needs('run'), { asNobody: true });
    expect(status).toBe(0);
    expect(calls()).toContain('sudo -n apt-get update -qq');
  });

  test('without root and sudo the command for an administrator is named', () => {
    workingApt();
    program('sudo', 'exit 1');
    const { status, said } = bash(needs('run', 'test'), { asNobody: true });
    expect(status).toBe(4);
    expect(said).toContain('not root, no sudo');
    expect(said).toContain('as administrator, run: apt-get install --no-install-recommends xyz abc\n');
    expect(calls()).toEqual([]);
  });

  test('without a network it says so', () => {
    program('id', 'echo 0');
    program('apt-get', 'exit 100');
    const { status, said } = bash(needs('run'));
    expect(status).toBe(5);
    expect(said).toContain('is there a network?');
  });

  test('a package that does not bring its program is told', () => {
    program('id', 'echo 0');
    program('apt-get', 'exit 0');
    const { status, said } = bash(needs('run'));
    expect(status).toBe(4);
    expect(said).toContain('still missing after the installation: culvert-xyz');
  });

  test.for([
    ['ID=fedora', 'dnf install xyz-fed abc-fed'],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"', 'dnf install xyz-fed abc-fed'],
    ['ID=endeavouros\nID_LIKE=arch', 'pacman -S --needed xyz-arch'],
    ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"', 'zypper install xyz-suse abc-suse'],
  ] as const)('%s: names the packages for its manager and stops', ([release, command]) => {
    const { status, said } = bash(needs('run', 'test'), { release });
    expect(status).toBe(4);
    expect(said).toContain(`as administrator, run: ${command}\n`);
  });

  test('what a distribution has no package for is named as well', () => {
    expect(bash(needs('run', 'test'), { release: 'ID=arch' }).said).toContain('by hand: culvert-abc\n');
  });

  test('on a system that is not known the programs are named', () => {
    const { status, said } = bash(needs('run', 'test'), { release: 'ID=plan9' });
    expect(status).toBe(4);
    expect(said).toContain('install what brings: culvert-xyz culvert-abc\n');
  });

  test.for([
    ['sh', true],
    ['culvert-xyz', false],
    ['header:stdio.h', true],
    ['header:culvert/xyz.h', false],
    ['lib:libc.so.6', true],
    ['lib:libculvert-xyz.so.1', false],
    ['file:/bin/sh', true],
    ['static:sh', false],
  ] as const)('the probe %s finds out: %s', ([probe, isThere]) => {
    expect(bash(`has ${probe}`).status).toBe(isThere ? 0 : 1);
  });

  test('the list of this repository has a purpose, a probe and four names in every row', () => {
    const rows = readFileSync(join(repository, 'build/packages.txt'), 'utf8').split('\n');
    const words = rows.filter((row) => row !== '' && !row.startsWith('#')).map((row) => row.split(/ +/));
    expect(words.length).toBeGreaterThan(20);
    expect(
      words.filter((row) => row.length !== 6 || !['run', 'window', 'test'].includes(row[0] ?? '')),
    ).toEqual([]);
  });
});

describe('Node', () => {
  const start = (what: string) => bash(`bash build/setup.sh ${what}`, { path: join(root, 'few') });

  /** A PATH with nothing of Node's. */
  function fewPrograms(): void {
    mkdirSync(join(root, 'few'));
    for (const name of ['bash', 'readlink', 'dirname', 'id']) {
      cpSync(`/usr/bin/${name}`, join(root, 'few', name), { dereference: true });
    }
  }

  test('missing: says which one is needed', () => {
    fewPrograms();
    const { status, said } = start('run');
    expect([status, said]).toEqual([
      3,
      expect.stringContaining('Node.js was not found: install Node.js 20.19'),
    ]);
  });

  test.for(['v8.17.0', 'v18.20.1', 'v20.9.0', 'v20.18.3'])('%s is too old', (version) => {
    fewPrograms();
    program('node', `echo ${version}`);
    const { status, said } = start('run');
    expect([status, said]).toEqual([3, expect.stringContaining(`this is ${version}, and 20.19`)]);
  });

  test.for(['v20.19.0', 'v20.20.2', 'v22.1.0', 'v24.0.0', 'v100.0.0'])(
    '%s is new enough, but needs npm',
    (version) => {
      fewPrograms();
      program('node', `echo ${version}`);
      const { status, said } = start('run');
      expect([status, said]).toEqual([3, expect.stringContaining('npm was not found')]);
    },
  );
});

test('npm packages that cannot be fetched are told with the likely reason', () => {
  program('node', 'exit 1');
  program('npm', 'exit 1');
  const { status, said } = bash('need_npm_packages');
  expect([status, said]).toEqual([5, expect.stringContaining('is there a network?')]);
});

test('npm is not asked for anything when node_modules fits', () => {
  program('node', 'exit 0');
  program('npm', `echo "$@" >>"${root}/calls"`);
  expect([bash('need_npm_packages').status, calls()]).toEqual([0, []]);
});

test('a failure to fetch Electron is told and stops nothing', () => {
  program('node', 'exit 1');
  const { status, out, said } = bash('want_electron; echo goes on');
  expect([status, out]).toEqual([0, 'goes on\n']);
  expect(said).toContain('the command line works');
});

test.for(['', 'help', 'run-all'])('with "%s" it says how it is used', (what) => {
  const { status, said } = bash(`bash build/setup.sh ${what}`);
  expect([status, said]).toEqual([2, 'culvert set-up: usage: build/setup.sh run | test\n']);
});

test('the tests refuse an ordinary user before anything is installed', () => {
  const { status, said } = bash('bash build/setup.sh test', { asNobody: true });
  expect([status, said]).toEqual([4, expect.stringContaining('run this as root')]);
});
