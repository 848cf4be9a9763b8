import { describe, expect, test } from 'vitest';
import { inEnglish } from '#shared/phrase.ts';
import { linesOf, summaryOf } from '../../electron/cli/doctor.ts';
import { styleFor } from '../../electron/cli/output.ts';
import {
  checks,
  installCommand,
  judgeAll,
  versionIn,
  waysOf,
  type Facts,
} from '../../electron/engine/doctor/index.ts';

const works = { works: true, words: '' };
const broken = (words: string) => ({ works: false, words });
const healthy: Facts = {
  uid: 1000,
  kernel: '6.1.0-18-amd64',
  node: '20.19.0',
  osRelease: 'NAME="Debian GNU/Linux"\nID=debian\n',
  isOnLane: false,
  switches: {},
  tools: {
    ip: { path: '/usr/sbin/ip', works: true, version: '6.1.0' },
    nft: { path: '/usr/sbin/nft', works: true, version: '1.0.6' },
    unshare: { path: '/usr/bin/unshare', works: true, version: '2.38.1' },
  },
  userNamespace: works,
  nftTproxy: works,
  nftRedirect: works,
  hasIpv6: true,
  pkexec: true,
  polkitAction: undefined,
  isForRoot: true,
  sudo: true,
  noNewPrivs: false,
  electron: undefined,
  openFiles: { soft: 1024, hard: 524_288 },
  native: works,
  splice: works,
  runtimeDir: { works: true, words: '/run/user/1000/culvert' },
  lane: { ...works, mode: 'rootless', ms: 130 },
};

function finding(id: string, change: Partial<Facts>) {
  const judged = judgeAll({ ...healthy, ...change }).find((one) => one.id === id);
  if (judged === undefined) throw new Error(`no check is called ${id}`);
  return judged;
}

test('a healthy computer has nothing but ok', () => {
  expect(judgeAll(healthy).filter(({ state }) => state !== 'ok')).toEqual([]);
});

test('every check has a name of its own, and every warning and failure says what to do', () => {
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  const sick: Facts = {
    ...healthy,
    kernel: '4.19.0',
    tools: { ip: undefined, nft: undefined, unshare: undefined },
    userNamespace: broken('unshare: Operation not permitted'),
    nftTproxy: broken('nft is missing'),
    nftRedirect: broken('nft is missing'),
    hasIpv6: false,
    pkexec: false,
    sudo: false,
    openFiles: { soft: 1024, hard: 2048 },
    native: broken('no such file'),
    splice: broken('the native part is missing'),
    runtimeDir: broken('/tmp/culvert-1000'),
    lane: { ...broken('the native part is missing'), mode: 'rootless', ms: 0 },
  };
  const troubles = judgeAll(sick).filter(({ state }) => state !== 'ok');
  expect(troubles.length).toBeGreaterThan(8);
  for (const { todo } of troubles) expect(todo).toBeTruthy();
});

describe('user namespaces', () => {
  test.each([
    ['kernel/unprivileged_userns_clone', '0'],
    ['kernel/apparmor_restrict_unprivileged_userns', '1'],
    ['user/max_user_namespaces', '0'],
  ])('that are forbidden name the switch %s', (name, value) => {
    const judged = finding('user-namespaces', {
      userNamespace: broken('not permitted'),
      switches: { [name]: value },
    });
    expect(judged.state).toBe('warning');
    expect(judged.found).toContain(name.replaceAll('/', '.'));
  });

  test('that are forbidden without a known switch give the system’s own words', () => {
    expect(finding('user-namespaces', { userNamespace: broken('Operation not permitted') }).found).toContain(
      'Operation not permitted',
    );
  });
});

test('a kernel without tproxy carries TCP, one without redirect as well carries nothing', () => {
  const nftTproxy = broken('No such file or directory');
  expect(finding('nft-tproxy', { nftTproxy })).toMatchObject({ state: 'warning' });
  expect(finding('nft-tproxy', { nftTproxy, nftRedirect: nftTproxy })).toMatchObject({ state: 'failed' });
});

test('tproxy is not called missing where it could not be tried', () => {
  const judged = finding('nft-tproxy', {
    nftTproxy: broken('unshare: not permitted'),
    userNamespace: broken('no'),
  });
  expect(judged).toMatchObject({ state: 'warning', found: expect.stringContaining('not tried') as string });
});

test.each([
  ['5.2.0', 'ok'],
  ['5.1.21', 'failed'],
  ['10.0', 'ok'],
  ['4.19.0-26-amd64', 'failed'],
])('Linux %s is %s', (kernel, state) => {
  expect(finding('kernel', { kernel }).state).toBe(state);
});

test('a program that is there and does not run is as good as missing', () => {
  const nft = { path: '/usr/sbin/nft', works: false, version: 'spawn EACCES' };
  const tools = { ...healthy.tools, nft };
  expect(finding('nft', { tools })).toMatchObject({
    state: 'failed',
    found: 'spawn EACCES (/usr/sbin/nft)',
    todo: 'sudo apt install nftables',
  });
});

test('a kernel without splice carries nothing', () => {
  expect(finding('splice', { splice: broken('ENOSYS') })).toMatchObject({
    state: 'failed',
    found: expect.stringContaining('ENOSYS') as string,
  });
});

test('open files are told as connections, as the engine reckons them', () => {
  expect(finding('open-files', {}).found).toContain('about 16384 connections');
  expect(finding('open-files', { openFiles: { soft: 1024, hard: 4096 } }).found).toContain(
    'about 1298 connections',
  );
  expect(finding('open-files', { openFiles: { soft: 64, hard: 1024 } })).toMatchObject({
    state: 'warning',
    found: expect.stringContaining('about 0 connections') as string,
  });
  expect(finding('open-files', { openFiles: { soft: 1, hard: Infinity } }).found).toContain(
    'hard limit none',
  );
});

test('NoNewPrivs matters only where rootless lanes do not work', () => {
  expect(finding('permission', { noNewPrivs: true }).state).toBe('ok');
  expect(finding('permission', { noNewPrivs: true, userNamespace: broken('no') }).state).toBe('failed');
});

describe('whether a lane can be made', () => {
  const noLane = { ...broken('forbidden'), mode: 'rootless', ms: 1 } as const;

  test('rootless is what was really tried', () => {
    expect(waysOf(healthy)).toEqual({ rootless: true, privileged: true });
    expect(waysOf({ ...healthy, lane: noLane })).toEqual({ rootless: false, privileged: true });
  });

  test.each([
    ['there is no way to root', { pkexec: false, sudo: false }],
    ['root would run what others can change', { isForRoot: false }],
    ['privileges can never be gained', { noNewPrivs: true }],
    ['a tool is missing', { tools: { ...healthy.tools, nft: undefined } }],
    ['a tool does not run', { tools: { ...healthy.tools, nft: { path: '/', works: false, version: 'x' } } }],
    ['the native part is missing', { native: broken('x') }],
    ['the relay could not move a byte', { splice: broken('ENOSYS') }],
    ['this shell is on a lane', { isOnLane: true }],
  ])('there is none when %s', (_why, change) => {
    expect(waysOf({ ...healthy, lane: noLane, ...change })).toEqual({ rootless: false, privileged: false });
  });

  test('as root it is what was really tried as root', () => {
    expect(waysOf({ ...healthy, uid: 0 })).toEqual({ rootless: false, privileged: true });
    expect(waysOf({ ...healthy, uid: 0, lane: noLane })).toEqual({ rootless: false, privileged: false });
  });

  test('is the last sentence', () => {
    expect(summaryOf(1000, { rootless: true, privileged: false })).toMatch(/without a password/);
    expect(summaryOf(1000, { rootless: false, privileged: true })).toMatch(/permission of an administrator/);
    expect(summaryOf(0, { rootless: false, privileged: true })).toMatch(/as root/);
    expect(summaryOf(0, { rootless: false, privileged: false })).toMatch(/cannot/);
  });
});

test.each([
  ['ID=debian\n', 'sudo apt install nftables'],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'sudo apt install nftables'],
  ['ID=fedora\n', 'sudo dnf install nftables'],
  ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', 'sudo zypper install nftables'],
  ['ID=arch\n', 'sudo pacman -S nftables'],
  ['', 'install nftables with your package manager'],
])('packages are named for the distribution %j', (osRelease, command) => {
  expect(inEnglish(installCommand(osRelease, 'nftables'))).toBe(command);
});

test.each([
  ['ip utility, iproute2-6.1.0, libbpf 1.1.0\n', '6.1.0'],
  ['nftables v1.0.6 (Lester Gooch #5)\n', '1.0.6'],
  ['unshare from util-linux 2.38.1\n', '2.38.1'],
  ['BusyBox\nmore', 'BusyBox'],
])('the version in %j is %s', (text, version) => {
  expect(versionIn(text)).toBe(version);
});

test('a line has a sign that needs no colour, and what to do stands below it', () => {
  const lines = linesOf(judgeAll({ ...healthy, native: broken('no\u001bsuch file') }), styleFor(99));
  expect(lines.find((line) => line.includes('native part'))).toMatch(/^✗ native part +no�such file$/);
  expect(lines.find((line) => line.includes('→'))).toMatch(/^ +→ build it/);
});
