/** The engine's door to libculvert, with the real library: what the C tests cannot see, from JavaScript and back. */
import { once } from 'node:events';
import { connect, createServer, Socket, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Native } from '../../electron/engine/native.ts';
import type { FlowEvent } from '../../electron/engine/native-events.ts';
import { Native as Minting } from '../../electron/helper/native.ts';

const product = join(import.meta.dirname, '../../dist');
const native = new Native(product);
const events: FlowEvent[] = [];
native.flows.start(1, 64, (event) => events.push(event));

afterAll(() => {
  native.stopWatching();
});

/** A listener of the pump's own, and a client of it whose connection has been told of. */
async function accepted(): Promise<{ listener: number; app: Socket; flow: number; port: number }> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const listener = native.flows.listen(new Minting(product).mintTcp(false, port, false), false);
  return { listener, port, ...(await client(port)) };
}

async function client(port: number): Promise<{ app: Socket; flow: number }> {
  const app = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(app, 'connect');
  app.on('error', () => {
    // Its reset is what some of the cases are about; those look for it by themselves.
  });
  const isOf = (event: FlowEvent) => event.first?.sourcePort === app.localPort;
  await expect.poll(() => events.some(isOf)).toBe(true);
  return { app, flow: events.find(isOf)?.flow ?? -1 };
}

function bridgeOf(flow: number): { bridge: Socket; fd: number } {
  const [own, fd] = native.socketPair();
  native.flows.join(flow, own, Buffer.from('early '));
  native.close(own);
  return { bridge: new Socket({ fd, readable: true, writable: true, allowHalfOpen: true }), fd };
}

const endOf = (flow: number) =>
  events.findLast((event) => event.kind === 'ended' && event.flow === flow) as
    Extract<FlowEvent, { kind: 'ended' }> | undefined;

test('a Node socket is the proxy’s side of a flow, half-closes included', async () => {
  const { app, flow } = await accepted();
  const { bridge, fd } = bridgeOf(flow);
  app.end('question');
  expect(String(await once(bridge, 'data'))).toBe('question');
  await once(bridge, 'end');
  expect(native.isHungUp(fd)).toBe(false);
  let answer = '';
  app.on('data', (bytes) => (answer += String(bytes)));
  bridge.end('answer');
  await once(app, 'end');
  expect(answer).toBe('early answer');
  await expect.poll(() => endOf(flow)?.ended.end).toBe('clean');
});

test('a Node socket that is destroyed resets the app', async () => {
  const { app, flow } = await accepted();
  const { bridge } = bridgeOf(flow);
  expect(String(await once(app, 'data'))).toBe('early ');
  bridge.destroy();
  await expect(once(app, 'end')).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect.poll(() => endOf(flow)?.ended.end).toBe('proxy-reset');
});

test('an app’s reset is the flow’s end for a bridge, and not the app’s', async () => {
  const { app, flow } = await accepted();
  const { bridge, fd } = bridgeOf(flow);
  bridge.resume();
  const over = once(bridge, 'end');
  app.resetAndDestroy();
  await over;
  expect(native.isHungUp(fd)).toBe(true);
  await expect.poll(() => endOf(flow)?.ended.end).toBe('app-reset');
  bridge.destroy();
});

test('an app’s first bytes are seen and stay', async () => {
  const { app, flow } = await accepted();
  expect(native.flows.peek(flow, 100).length).toBe(0);
  app.write('hello there');
  await expect.poll(() => native.flows.peek(flow, 5).toString()).toBe('hello');
  const { bridge } = bridgeOf(flow);
  expect(String(await once(bridge, 'data'))).toBe('hello there');
  expect(native.flows.peek(flow, 5).length).toBe(0);
  native.flows.abort(flow);
  await expect.poll(() => endOf(flow)?.ended.end).toBe('aborted');
  expect(native.flows.peek(flow, 5).length).toBe(0);
  bridge.destroy();
});

test('decisions are forgotten, and a missing interface is told by the dial', async () => {
  const { listener, port, flow } = await accepted();
  const proxy = Buffer.from('00000000000000000000ffff7f000001000100 00'.replaceAll(' ', ''), 'hex');
  const dial = { proxy, signIn: Buffer.alloc(0), request: Buffer.from([5, 1, 0, 1, 127, 0, 0, 1, 0, 1]) };
  native.flows.dial(flow, { ...dial, device: 'culvert-none' }, 5000, 60_000);
  await expect
    .poll(() => endOf(flow)?.ended)
    .toMatchObject({ end: 'unreachable', errno: 19, stage: 'connecting' });
  // Not asked about: the same way again.
  const before = events.length;
  // Its reset may come before Node has said that it is connected.
  connect(port, '127.0.0.1').on('error', () => undefined);
  const again = () => events.slice(before).find(({ first }) => first !== undefined)?.kind;
  await expect.poll(again).toMatch(/dialling|ended/);
  native.flows.forgetRoutes(listener);
  const asked = await client(port);
  expect(events.find((event) => event.first?.sourcePort === asked.app.localPort)?.kind).toBe('accepted');
  native.flows.abort(asked.flow);
  native.flows.unlisten(listener);
  expect(() => {
    native.flows.forgetRoutes(listener);
  }).toThrow();
});

test('a socket leaves by the interface that is named, or is none', () => {
  for (const family of [4, 6] as const) {
    native.close(native.tcpSocketOn(family, 'lo'));
    native.close(native.udpSocket(family, 'lo'));
    native.close(native.udpSocket(family));
    for (const make of [
      () => native.tcpSocketOn(family, 'culvert-none'),
      () => native.udpSocket(family, 'culvert-none'),
    ]) {
      expect(make).toThrow(
        expect.objectContaining({ failure: { code: 'egress-missing', detail: 'culvert-none' } }) as Error,
      );
    }
  }
});
