import { describe, expect, test } from 'vitest';
import type { Outcome, ProbePlan, ProbeResult } from '../../electron/cli/demo-probe.ts';
import { flowHeading, flowRow, judge, verdictRows } from '../../electron/cli/demo-report.ts';
import type { ProxyEntry } from '../../electron/cli/demo-server.ts';
import type { FlowView } from '../../electron/shared/model.ts';

const plan: ProbePlan = {
  page: { host: '127.0.0.1', port: 8080 },
  tcp4: { host: '203.0.113.7', port: 443 },
  tcp6: { host: '2001:db8::7', port: 443 },
  udp: { host: '203.0.113.7', port: 4500 },
  resolver: '192.0.2.53',
  name: 'page.demo.test',
  ping: '203.0.113.7',
};
const outcome = (kind: Outcome['kind'], detail = ''): Outcome => ({ kind, detail, ms: 3 });
const refused = outcome('failed', 'ECONNREFUSED');
const kept: ProbeResult = {
  page: refused,
  tcp4: outcome('ended', 'ECONNRESET'),
  tcp6: outcome('ended', 'ECONNRESET'),
  udp: refused,
  dns: outcome('answered', '198.18.0.9'),
  ping: outcome('failed', 'EPERM'),
  interfaces: ['lo', 'app0'],
};
const log: ProxyEntry[] = [
  { command: 'connect', form: 'ipv4', host: '203.0.113.7', port: 443, answer: 'refused' },
  { command: 'connect', form: 'ipv6', host: '2001:db8::7', port: 443, answer: 'refused' },
  { command: 'udp', form: 'ipv4', host: '0.0.0.0', port: 0, answer: 'refused' },
];
const marks = (result: Partial<ProbeResult>, entries: readonly ProxyEntry[] = log) =>
  judge(plan, { ...kept, ...result }, entries).map(({ mark }) => mark);

describe('the judgement of an attempt', () => {
  test('is kept when it came to the proxy or was refused', () => {
    expect(marks({})).toEqual(['kept', 'kept', 'kept', 'kept', 'kept', 'kept']);
  });

  test('says what the proxy itself wrote down', () => {
    expect(judge(plan, kept, log)[1]?.happened).toBe('came to the proxy, which refused it');
    expect(judge(plan, kept, [])[1]?.happened).toBe('reset after 3 ms');
    expect(judge(plan, kept, log)[3]?.happened).toMatch(/the proxy does not offer UDP$/);
  });

  test.each([
    ['page', 0],
    ['tcp4', 1],
    ['tcp6', 2],
    ['udp', 3],
    ['ping', 5],
  ] as const)('is leaked when %s is answered and the proxy knows nothing of it', (name, index) => {
    expect(marks({ [name]: outcome('answered') }, [])[index]).toBe('leaked');
  });

  test('is leaked when a real resolver answered', () => {
    expect(marks({ dns: outcome('answered', '203.0.113.80') })[4]).toBe('leaked');
    expect(marks({ dns: outcome('answered', '198.18.0.9 203.0.113.80') })[4]).toBe('leaked');
    expect(marks({ dns: outcome('answered', '198.20.0.1') })[4]).toBe('leaked');
  });

  test('is unclear, never kept, when nothing at all came back', () => {
    const silent = outcome('silent', 'no answer');
    expect(
      marks({ tcp4: outcome('open'), tcp6: silent, udp: silent, dns: silent, ping: silent }, []),
    ).toEqual([...['kept', 'unclear', 'unclear', 'unclear', 'unclear', 'unclear']]);
    expect(marks({ dns: outcome('failed', 'ETIMEOUT') })[4]).toBe('unclear');
  });

  test('is skipped without ping', () => {
    expect(marks({ ping: outcome('absent', 'ping is not installed') })[5]).toBe('skipped');
  });

  test('can be read without colour', () => {
    const rows = verdictRows(judge(plan, { ...kept, page: outcome('answered') }, log), (_mark, sign) => sign);
    expect(rows[0]).toMatch(/^✗ TCP to the page's real address/);
    expect(rows[1]).toMatch(/^✓ TCP to a public address, 203.0.113.7:443 +came to the proxy/);
  });
});

describe('the row of a flow', () => {
  const flow: FlowView = {
    id: 1,
    lane: '1-1',
    proto: 'tcp',
    sourcePort: 40_000,
    host: 'page.demo.test',
    address: '198.18.0.1',
    port: 80,
    via: 'socks5://127.0.0.1:1080',
    state: 'closed',
    bytesUp: 80,
    bytesDown: 16 * 1024 * 1024,
    openedAt: 1_250,
    closedAt: 1_275,
  };

  test('stands under its headings', () => {
    const row = flowRow(flow, 'curl', 1_000);
    expect(row).toBe(
      '  0.250  curl           page.demo.test:80            80 B    16 MiB     25  socks5://127.0.0.1:1080',
    );
    expect(row.indexOf('socks5')).toBe(flowHeading.indexOf('VIA'));
    expect(row.indexOf('page')).toBe(flowHeading.indexOf('DESTINATION'));
  });

  test('gives the reason of a refusal, and UDP and IPv6 as such', () => {
    const { host, ...literal } = flow;
    expect(host).toBeDefined();
    const row = flowRow(
      {
        ...literal,
        address: '2001:db8::7',
        proto: 'udp',
        state: 'refused',
        failure: { code: 'udp-not-offered' },
      },
      'probe',
      1_000,
    );
    expect(row).toContain('[2001:db8::7]:80/udp');
    expect(row).toMatch(/refused: UDP refused$/);
  });

  test('shows a hostile process name as text', () => {
    expect(flowRow(flow, 'x\u001b[2J', 0)).not.toContain('\u001b');
  });
});
