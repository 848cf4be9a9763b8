import { describe, expect, test } from 'vitest';
import { appEnvironment, callerFacts, withoutLocalProxies } from '../../electron/engine/app-environment.ts';

const nowhere = () => false;
const limits = (nofile: { soft: bigint; hard: bigint }) => (resource: number) =>
  resource === 7 ? nofile : { soft: 0n, hard: -1n };
const filesOf = (hard: bigint, env: NodeJS.ProcessEnv = {}) =>
  callerFacts(limits({ soft: hard, hard }), env).limits.find(({ resource }) => resource === 7);

test('an app gets the environment of the session without what is Culvert’s, Electron’s or Node’s own', () => {
  const session = {
    HOME: '/home/a',
    LANG: 'C.UTF-8',
    NODE_EXTRA_CA_CERTS: '/ca.pem',
    http_proxy: 'http://p',
  };
  const own = {
    ELECTRON_RUN_AS_NODE: '1',
    ELECTRON_NO_ATTACH_CONSOLE: '1',
    CULVERT_PASSWORD: 'secret',
    NODE_CHANNEL_FD: '3',
    CHROME_DESKTOP: 'culvert.desktop',
    DESKTOP_STARTUP_ID: 'x',
    XDG_ACTIVATION_TOKEN: 'x',
    INVOCATION_ID: 'x',
    PWD: '/somewhere',
    npm_lifecycle_event: 'start',
  };
  expect(appEnvironment({ ...session, ...own }, nowhere)).toEqual(session);
});

test('the desktop that Electron has renamed gets its name back', () => {
  const env = { XDG_CURRENT_DESKTOP: 'Unity', ORIGINAL_XDG_CURRENT_DESKTOP: 'ubuntu:GNOME' };
  expect(appEnvironment(env, nowhere)).toEqual({ XDG_CURRENT_DESKTOP: 'ubuntu:GNOME' });
});

test('directories of an AppImage leave the lists that it added them to', () => {
  const env = {
    APPDIR: '/tmp/.mount_culv',
    PATH: '/tmp/.mount_culv/usr/bin:/usr/bin:/tmp/.mount_culvert/bin',
    LD_LIBRARY_PATH: '/tmp/.mount_culv/usr/lib',
    XDG_DATA_DIRS: '/tmp/.mount_culv:/usr/share',
  };
  expect(appEnvironment(env, nowhere)).toEqual({
    PATH: '/usr/bin:/tmp/.mount_culvert/bin',
    XDG_DATA_DIRS: '/usr/share',
  });
});

test('a session bus at an abstract address is named by its path where it has one', () => {
  const abstract = {
    XDG_RUNTIME_DIR: '/run/user/1',
    DBUS_SESSION_BUS_ADDRESS: 'unix:abstract=/tmp/dbus-1,guid=2',
  };
  const addressOf = (env: NodeJS.ProcessEnv, path?: string) =>
    appEnvironment(env, (asked) => asked === path)['DBUS_SESSION_BUS_ADDRESS'];
  expect(addressOf(abstract, '/run/user/1/bus')).toBe('unix:path=/run/user/1/bus');
  expect(addressOf(abstract)).toBe(abstract.DBUS_SESSION_BUS_ADDRESS);
  const path = { ...abstract, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/elsewhere' };
  expect(addressOf(path, '/run/user/1/bus')).toBe('unix:path=/elsewhere');
});

describe('variables that name a proxy of this computer, which is out of reach on a lane', () => {
  test.for([
    ['http_proxy', 'http://127.0.0.1:7890'],
    ['HTTPS_PROXY', 'http://user:secret@127.0.0.1:7890/'],
    ['ALL_PROXY', 'socks5h://localhost:1080'],
    ['all_proxy', 'socks://LOCALHOST:1080/'],
    ['ftp_proxy', '127.0.0.1:3128'],
    ['socks_proxy', '[::1]:1080'],
    ['https_proxy', 'http://127.1:8080'],
    ['http_proxy', 'http://proxy.localhost'],
  ])('%s=%s is not handed on', ([name, value]) => {
    expect(withoutLocalProxies({ HOME: '/home/a', [name as string]: value as string }, [])).toEqual({
      HOME: '/home/a',
    });
  });

  test.for([
    ['http_proxy', 'http://proxy.example:3128'],
    ['ALL_PROXY', 'socks5://192.0.2.1:1080'],
    ['all_proxy', 'socks5://[2001:db8::1]:1080'],
    ['https_proxy', 'http://localhost.example:8080'],
    ['https_proxy', ''],
    ['https_proxy', '://'],
    ['no_proxy', 'localhost,127.0.0.1'],
    ['MY_PROXY', 'http://127.0.0.1:7890'],
  ])('%s=%s is handed on', ([name, value]) => {
    const env = { [name as string]: value as string };
    expect(withoutLocalProxies(env, [])).toEqual(env);
  });

  test('one whose port the profile opens to the app is handed on', () => {
    const env = { http_proxy: 'http://127.0.0.1:7890', all_proxy: 'socks5://127.0.0.1:7891', x_proxy: '' };
    expect(withoutLocalProxies(env, [7890])).toEqual({ http_proxy: env.http_proxy, x_proxy: '' });
    expect(withoutLocalProxies({ http_proxy: '127.0.0.1' }, [80])).toEqual({ http_proxy: '127.0.0.1' });
  });
});

test('an app may open as many files as its session lets it, though Culvert lets itself open more', () => {
  expect(filesOf(20_000n)).toEqual({ resource: 7, soft: 1024n, hard: 20_000n });
  expect(filesOf(-1n)).toMatchObject({ soft: 1024n });
  expect(filesOf(512n)).toMatchObject({ soft: 512n });
  expect(filesOf(20_000n, { CULVERT_NOFILE: '4096' })).toMatchObject({ soft: 4096n });
  expect(filesOf(20_000n, { CULVERT_NOFILE: '99999' })).toMatchObject({ soft: 20_000n });
  expect(filesOf(20_000n, { CULVERT_NOFILE: 'unlimited' })).toMatchObject({ soft: 1024n });
});
