/**
 * The judgement of the leak check: the same answers from real servers, with and without the engine having seen the
 * probes. What is answered unseen is a leak, stage by stage.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer as createHttp, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FailureCode } from '#shared/failure.ts';
import type { CheckLine, CheckReport, FlowView } from '#shared/model.ts';
import type { Inside } from '../../../electron/engine/health/inside.ts';
import type { IsolationFacts } from '../../../electron/engine/health/isolation.ts';
import { checkLane } from '../../../electron/engine/health/lane-check.ts';
import { probeOf } from '../../../electron/engine/health/probe.ts';
import type { Way } from '../../../electron/engine/ways/way.ts';
import { goodAnswer, tcpServer, type TestServer } from '../dns/dns-server.ts';

let page: Server;
let dnsTcp: TestServer;
let udp: UdpSocket;
let onQuery: (query: Buffer) => void = () => undefined;

beforeAll(async () => {
  page = createHttp((_request, response) => response.end('ip=198.51.100.4\n'));
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  dnsTcp = await tcpServer((query) => {
    onQuery(query);
    return [goodAnswer(query, { answers: [] })];
  });
  // A resolver, and a server that answers whatever else is sent to it.
  udp = createSocket('udp4');
  udp.on('message', (message, from) => {
    const isQuestion = message.length < 1000;
    if (isQuestion) onQuery(message);
    udp.send(isQuestion ? goodAnswer(message) : Buffer.from('versions'), from.port, from.address);
  });
  udp.bind(0, '127.0.0.1');
  await once(udp, 'listening');
});
afterAll(async () => {
  page.close();
  udp.close();
  await dnsTcp.close();
});

interface Scene {
  /** Which probes the engine sees. */
  readonly sees?: Partial<Record<'queries' | 'tcp' | 'udp', boolean>>;
  readonly failure?: FailureCode;
  readonly isolation?: Partial<IsolationFacts>;
  readonly isThere?: boolean;
  readonly own?: 'socks' | 'none' | 'refused';
}

const orderly: IsolationFacts = { inside: 1, escaped: [], apart: 0, hidden: [], interfaces: ['lo', 'app0'] };

/** Checks a lane of which every socket is one of the loopback, and the servers are the outside. */
async function check({
  sees = {},
  failure,
  isolation,
  isThere = true,
  own = 'socks',
}: Scene): Promise<CheckReport> {
  const { queries = true, tcp = true, udp: datagrams = true } = sees;
  const flows: FlowView[] = [];
  const addFlow = (proto: 'tcp' | 'udp', sourcePort: number): void => {
    const base = {
      id: flows.length,
      lane: '1-1',
      address: '127.0.0.1',
      port: 80,
      via: 'socks5://p.test:1080',
    };
    const sizes = { bytesUp: 0, bytesDown: 0, openedAt: Date.now() };
    flows.push(
      failure === undefined
        ? { ...base, ...sizes, proto, sourcePort, state: 'open' }
        : { ...base, ...sizes, proto, sourcePort, state: 'refused', failure: { code: failure } },
    );
  };
  const inside: Inside = {
    hasIpv6: false,
    connect: async ({ port }, localPort) => {
      // The question over TCP is the one that goes to the resolver's port.
      const isPage = port !== udp.address().port;
      const to = isPage ? (page.address() as AddressInfo).port : dnsTcp.port;
      const socket = connect({ host: '127.0.0.1', port: to, localPort });
      await once(socket, 'connect');
      if (isPage && tcp) addFlow('tcp', localPort);
      if (isPage && failure !== undefined) socket.resetAndDestroy();
      socket.pause();
      return socket;
    },
    datagrams: async ({ port }) => {
      const socket = createSocket('udp4');
      socket.connect(udp.address().port, '127.0.0.1');
      await once(socket, 'connect');
      if (port !== udp.address().port && datagrams) addFlow('udp', socket.address().port);
      return socket;
    },
  };
  const way = {
    via: 'socks5://p.test:1080',
    udp: own === 'none' ? 'none' : 'socks',
    state: { health: 'unreachable', trouble: { code: 'proxy-unreachable' } },
    look: () => Promise.resolve(isThere),
  } as unknown as Way;
  return checkLane(
    {
      inside,
      flows: () => flows,
      own: own === 'refused' ? undefined : way,
      isDirect: false,
      isolation: () => Promise.resolve({ ...orderly, ...isolation }),
      witness: (listener) => {
        onQuery = queries ? listener : () => undefined;
        return () => (onQuery = () => undefined);
      },
    },
    probeOf({ url: 'http://page.test/ip', resolver: `127.0.0.1:${udp.address().port}` }),
  );
}

const line = ({ lines }: CheckReport, stage: CheckLine['stage']) => lines.find((one) => one.stage === stage);
const outcome = (report: CheckReport, stage: CheckLine['stage']) => line(report, stage)?.outcome;

describe('what the engine has seen', () => {
  it('is in order, and the report says so of each stage', async () => {
    const report = await check({});
    expect(report).toMatchObject({ outcome: 'ok', exitAddress: '198.51.100.4' });
    expect(report.lines.map((one) => `${one.stage} ${one.outcome}`).sort()).toEqual([
      'bypass ok',
      'dns ok',
      'dns ok',
      'exit-address ok',
      'ipv6 refused',
      'isolation ok',
      'reach ok',
      'udp ok',
      'web ok',
    ]);
  });
});

describe('an answer that the engine has not seen the question of', () => {
  it('of a resolver is a leak', async () => {
    const report = await check({ sees: { queries: false } });
    expect(outcome(report, 'dns')).toBe('leak');
    expect(outcome(report, 'bypass')).toBe('leak');
    expect(report.outcome).toBe('leak');
  });

  it('of a page is a leak, and its address is not taken for the lane’s', async () => {
    const report = await check({ sees: { tcp: false } });
    expect(outcome(report, 'web')).toBe('leak');
    expect(line(report, 'web')?.text).toContain('198.51.100.4');
    expect(report.exitAddress).toBeUndefined();
    expect(report.outcome).toBe('leak');
  });

  it('to a datagram is a leak', async () => {
    const report = await check({ sees: { udp: false } });
    expect(outcome(report, 'udp')).toBe('leak');
    expect(report.outcome).toBe('leak');
  });
});

describe('a page that does not answer', () => {
  it.each(['proxy-unreachable', 'proxy-sign-in-refused', 'chain-exhausted'] as const)(
    'because of %s is the proxy’s failure',
    async (failure) => {
      expect(line(await check({ failure }), 'web')).toMatchObject({
        outcome: 'failed',
        failure: { code: failure },
      });
    },
  );

  it('because the proxy could not reach it says nothing about leaks', async () => {
    const report = await check({ failure: 'proxy-refused' });
    expect(line(report, 'web')).toMatchObject({ outcome: 'unknown', failure: { code: 'probe-unreachable' } });
  });

  it.each(['blocked-by-rule', 'blocked-by-profile', 'destination-blocked'] as const)(
    'because it is %s is as it should be',
    async (failure) => {
      expect(outcome(await check({ failure }), 'web')).toBe('refused');
    },
  );
});

describe('the kernel’s word', () => {
  it('that a process is outside is a leak, whatever the probes say', async () => {
    const report = await check({ isolation: { escaped: [{ pid: 7, name: 'curl' }] } });
    expect(line(report, 'isolation')).toMatchObject({ outcome: 'leak', failure: { code: 'leak-found' } });
    expect(line(report, 'isolation')?.text).toContain('curl (7)');
    expect(report.outcome).toBe('leak');
  });

  it.each([
    { hidden: [{ pid: 7, name: 'sudo' }] },
    { interfaces: ['lo', 'app0', 'tun0'] },
    { inside: 0, interfaces: undefined },
  ])('%j is nothing to call good', async (isolation) => {
    const report = await check({ isolation });
    expect(outcome(report, 'isolation')).toBe('unknown');
    expect(report.outcome).toBe('unknown');
  });
});

describe('the proxy', () => {
  it('that cannot be reached now is told, with what the lane knows of it', async () => {
    const report = await check({ isThere: false });
    expect(line(report, 'reach')).toMatchObject({
      outcome: 'failed',
      failure: { code: 'proxy-unreachable' },
    });
    expect(report.outcome).toBe('failed');
  });

  it('is not looked for where the profile refuses everything', async () => {
    expect(line(await check({ own: 'refused' }), 'reach')).toBeUndefined();
  });
});
