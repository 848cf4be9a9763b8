import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import {
  appEnvironment,
  ignoredSignals,
  openFilesLimit,
  parseStanding,
  parseStatus,
  payloadOf,
  rememberLimits,
  restoreCaller,
  signalBit,
} from '../../electron/cli/caller.ts';

const status = 'Name:\tnode\nUmask:\t0027\nSigIgn:\t0000000001001001\nSigCgt:\t0000000000000000\n';

describe('what is read of this process', () => {
  test('umask and ignored signals come from the status file', () => {
    expect(parseStatus(status)).toEqual({ umask: 0o027, ignored: 0x1001001n });
  });

  test('signals that only Node ignores do not count', () => {
    expect(ignoredSignals({}, status)).toBe(signalBit(1));
  });

  test('the mask that the starter recorded before Node counts more than what Node left', () => {
    expect(ignoredSignals({ CULVERT_SIGIGN: '0000000000001006' }, status)).toBe(0x1006n);
    expect(ignoredSignals({ CULVERT_SIGIGN: 'nonsense' }, status)).toBe(signalBit(1));
  });

  test('a command name with spaces and parentheses does not shift the fields of the stat file', () => {
    const stat = '17 (a ) b (c) S 1 20 30 34816 20 4194304';
    expect(parseStanding(stat)).toEqual({ session: 30, hasTerminal: true, isForeground: true });
  });

  test('a process without a terminal is not in its foreground', () => {
    expect(parseStanding('17 (sh) S 1 20 30 0 -1 0')).toEqual({
      session: 30,
      hasTerminal: false,
      isForeground: false,
    });
  });

  test('a background job has a terminal and is not in its foreground', () => {
    expect(parseStanding('17 (sh) S 1 20 30 34816 99 0')).toMatchObject({
      hasTerminal: true,
      isForeground: false,
    });
  });
});

describe('the limit of open files', () => {
  const present = { soft: 20_000n, hard: 20_000n };

  test('is the one that the starter recorded, because Node raises it', () => {
    expect(openFilesLimit({ CULVERT_NOFILE: '1024' }, present)).toEqual({ soft: 1024n, hard: 20_000n });
  });

  test.each(['unlimited', '0', '-1', '1e3', '30000'])(
    'is the present one when the record is %s',
    (record) => {
      expect(openFilesLimit({ CULVERT_NOFILE: record }, present)).toEqual(present);
    },
  );

  test('may be anything below an infinite hard limit', () => {
    const infinite = { soft: -1n, hard: -1n };
    expect(openFilesLimit({ CULVERT_NOFILE: '1024' }, infinite)).toEqual({ soft: 1024n, hard: -1n });
  });

  test('is remembered from before the engine changed its own', () => {
    let soft = 7n;
    const limit = rememberLimits(() => ({ soft, hard: -1n }));
    soft = 0n;
    expect(limit(4)).toEqual({ soft: 7n, hard: -1n });
  });
});

describe('the environment of the app', () => {
  test('has what the caller has, without what is meant for Culvert', () => {
    const env = {
      PATH: '/bin',
      CULVERT_PASSWORD: 's',
      CULVERT_NOFILE: '9',
      CULVERT_SIGIGN: '0',
      LD_PRELOAD: 'x.so',
    };
    expect(appEnvironment(env)).toEqual({ PATH: '/bin', LD_PRELOAD: 'x.so' });
  });

  test('gets the path of a session bus whose address is abstract, when there is one', () => {
    const env = {
      XDG_RUNTIME_DIR: '/run/user/7',
      DBUS_SESSION_BUS_ADDRESS: 'unix:abstract=/tmp/dbus-x,guid=1',
    };
    const there = appEnvironment(env, (path) => path === '/run/user/7/bus');
    expect(there['DBUS_SESSION_BUS_ADDRESS']).toBe('unix:path=/run/user/7/bus');
    expect(appEnvironment(env, () => false)['DBUS_SESSION_BUS_ADDRESS']).toBe(env.DBUS_SESSION_BUS_ADDRESS);
  });

  test('keeps a session bus that has a path, and gets none where there was none', () => {
    const path = { XDG_RUNTIME_DIR: '/run/user/7', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/elsewhere' };
    expect(appEnvironment(path, () => true)['DBUS_SESSION_BUS_ADDRESS']).toBe('unix:path=/elsewhere');
    expect(appEnvironment({ XDG_RUNTIME_DIR: '/run/user/7' }, () => true)).not.toHaveProperty(
      'DBUS_SESSION_BUS_ADDRESS',
    );
  });
});

test('the payload carries this directory, umask and the recorded limits', () => {
  const env = { CULVERT_NOFILE: '256', CULVERT_SIGIGN: '1', HOME: '/h' };
  const payload = payloadOf(['ls', '-l'], env, () => ({ soft: 1000n, hard: 2000n }));
  expect(payload).toEqual({
    umask: Number.parseInt(execFileSync('/bin/sh', ['-c', 'umask'], { encoding: 'utf8' }), 8),
    ignoredSignals: 1n,
    limits: [
      { resource: 4, soft: 1000n, hard: 2000n },
      { resource: 7, soft: 256n, hard: 2000n },
    ],
    cwd: process.cwd(),
    argv: ['ls', '-l'],
    env: { HOME: '/h' },
  });
});

describe('what Electron takes from the environment, where it is the Node of a package', () => {
  const restored = (env: NodeJS.ProcessEnv, isElectron = true) => {
    restoreCaller(env, isElectron);
    return env;
  };

  test('is as the caller had it', () => {
    const kept = { CULVERT_KEPT_NODE_OPTIONS: '--no-warnings', CULVERT_KEPT_NODE_EXTRA_CA_CERTS: '' };
    expect(restored({ ...kept, ELECTRON_RUN_AS_NODE: '1', A: 'a' })).toEqual({
      NODE_OPTIONS: '--no-warnings',
      NODE_EXTRA_CA_CERTS: '',
      A: 'a',
    });
    expect(restored({ ELECTRON_RUN_AS_NODE: '1', CULVERT_KEPT_ELECTRON_RUN_AS_NODE: 'x' })).toEqual({
      ELECTRON_RUN_AS_NODE: 'x',
    });
  });

  test('is nobody’s business where any other Node runs', () => {
    expect(restored({ ELECTRON_RUN_AS_NODE: '1' }, false)).toEqual({ ELECTRON_RUN_AS_NODE: '1' });
  });
});
