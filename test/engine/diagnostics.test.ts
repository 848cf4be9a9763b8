/** What a report for others says, and what it keeps to itself. */
import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import type { FlowView, LaneView } from '#shared/model.ts';
import { config as configSchema } from '#shared/profile.ts';
import { Redactor } from '../../electron/engine/diagnostics/redactor.ts';
import { diagnosticText, type DiagnosticFacts } from '../../electron/engine/diagnostics/report.ts';

const config = v.parse(configSchema, {
  version: 1,
  defaultProfile: 'mine',
  profiles: [
    {
      ...{ id: 'mine', name: 'Behind the moon', egress: 'tailnet0' },
      chain: {
        mode: 'strict',
        servers: [{ id: 's1', kind: 'socks5', host: 'gate.moon.example', port: 1080, user: 'selene' }],
      },
      dns: { mode: 'remote', resolver: '192.0.2.53' },
    },
  ],
  rules: [{ id: 'r1', note: 'for the crater', match: { to: ['*.crater.example'] }, action: 'direct' }],
  apps: { firefox: 'mine', maps: 'none' },
  probe: { url: 'https://echo.moon.example/ip' },
});

const lane = {
  ...{ id: '12-1', name: 'Firefox', app: 'firefox', command: ['firefox', 'https://secret.example/'] },
  profile: { id: 'mine', name: 'Behind the moon', colour: '', letter: 'B' },
  ...{
    via: 'socks5://selene@gate.moon.example:1080',
    health: 'unreachable',
    state: 'running',
    mode: 'rootless',
  },
  trouble: { code: 'proxy-timeout', detail: 'gate.moon.example:1080 (2001:db8::7)' },
  ...{ interception: 'tproxy', startedAt: 0, flowsOpen: 1, flowsTotal: 2, bytesUp: 3, bytesDown: 4 },
  notes: ['the port 8080 is taken by 192.0.2.99'],
} as unknown as LaneView;

const flow = {
  ...{
    id: 1,
    lane: '12-1',
    proto: 'tcp',
    state: 'refused',
    host: 'visited.example',
    address: '198.51.100.9',
  },
  ...{ port: 443, via: lane.via, bytesUp: 5, bytesDown: 0 },
  failure: { code: 'proxy-refused', detail: 'visited.example has no address' },
} as unknown as FlowView;

const facts: DiagnosticFacts = {
  at: 0,
  versions: { culvert: '1.2.3', kernel: '6.1.0-18', desktop: undefined },
  own: { user: 'alice', home: '/home/alice', computer: 'wonderland' },
  doctor: [
    { id: 'kernel', outcome: 'ok', what: 'kernel', found: 'Linux 6.1.0-18' },
    { id: 'electron', outcome: 'ok', what: 'Electron', found: '/home/alice/culvert/electron on wonderland' },
    { id: 'ip', outcome: 'failed', what: 'ip', found: 'not found', todo: 'sudo apt install iproute2' },
  ],
  snapshot: {
    engine: { pid: 12, version: '1.2.3', startedAt: 0 },
    helpers: [{ state: 'ready', mode: 'rootless', why: 'no password is needed' }],
    lanes: [lane],
  },
  flows: [flow],
  config,
  log: [
    {
      at: '1970-01-01T12:34:56.000Z',
      pid: 12,
      event: 'lane.opened',
      lane: '12-1',
      app: 'firefox',
      profile: 'mine',
    },
    { at: '1970-01-01T12:34:57.000Z', pid: 12, event: 'flow.ended', host: 'visited.example', address: '::1' },
    {
      at: '1970-01-01T12:34:58.000Z',
      pid: 12,
      event: 'helper.failed',
      detail: 'asked selene at host.moon.example',
    },
  ],
};

const personal = [
  ...['moon', 'selene', 'visited', 'crater', 'secret', 'alice', 'wonderland', 'tailnet0', 'Behind', 'mine'],
  ...['192.0.2', '198.51.100', '2001:db8'],
];

test('nobody and no place is in it, and it says how much was taken out', () => {
  const { text, redacted } = diagnosticText(facts, false);
  for (const name of personal) expect(text).not.toContain(name);
  expect(redacted).toBeGreaterThan(20);
  expect(text).toContain('tcp refused host-2:443 socks5://host-1:1080');
});

test('what helps whoever reads it is still there', () => {
  const { text } = diagnosticText(facts, false);
  for (const part of [
    ...['culvert: 1.2.3', 'Linux 6.1.0-18', 'sudo apt install iproute2', 'proxy-timeout'],
    ...['rootless ready: no password is needed', '12-1 firefox running unreachable rootless tproxy'],
    ...['"isolation": "auto"', '"port": 1080', '"maps": "none"', '1970-01-01T12:34:56.000Z', 'lane.opened'],
  ])
    expect(text).toContain(part);
});

test('with names kept all of them are there, and nothing is counted', () => {
  const { text, redacted } = diagnosticText(facts, true);
  expect(redacted).toBe(0);
  for (const name of ['gate.moon.example', 'visited.example', 'Behind the moon', '/home/alice'])
    expect(text).toContain(name);
  expect(text).not.toContain('secret.example');
});

test('a configuration that cannot be read is told as why, without its words', () => {
  const broken = { code: 'config-invalid', detail: 'culvert.json:3:1 found “gate.moon.example”' } as const;
  const { text } = diagnosticText({ ...facts, config: broken }, false);
  expect(text).toContain('culvert.json:3:1');
  expect(text).not.toContain('gate.moon');
});

describe('a redactor', () => {
  const redactor = () => new Redactor(false, [{ kind: 'user', value: 'al.ice', isEverywhere: true }]);

  test('has the same stand-in for the same value', () => {
    const one = redactor();
    expect(one.words('a.example b.example A.EXAMPLE')).toBe('host-1 host-2 host-1');
    expect(one.taken).toBe(3);
  });

  test.each([
    ['at 12:34:56 on 6.1.0 in culvert.json', 'at 12:34:56 on 6.1.0 in culvert.json'],
    ['kernel.unprivileged_userns_clone is 0', 'kernel.unprivileged_userns_clone is 0'],
    ['http://me:pw@[2001:db8::1]:80/x', 'http://address-1:80'],
    ['fe80::1 and 10.0.0.1:53', 'address-1 and address-2:53'],
    ['al.ice, Al.Ice and Malice', 'user-1, user-1 and Malice'],
    ['bücher.example 例え.テスト', 'host-1 host-2'],
  ])('reads %j', (text, told) => {
    expect(redactor().words(text)).toBe(told);
  });

  test('leaves dots in sentences of Culvert’s own', () => {
    expect(redactor().sentence('libculvert.so fits, see man.page of al.ice')).toBe(
      'libculvert.so fits, see man.page of user-1',
    );
  });
});
