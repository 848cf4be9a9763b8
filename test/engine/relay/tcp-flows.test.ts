/** The drain, with the real pump: its accepting thread is kept from its work by the limit of descriptors. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { FlowTable } from '../../../electron/engine/flows.ts';
import { Native } from '../../../electron/engine/native.ts';
import { TcpFlows } from '../../../electron/engine/relay/tcp-flows.ts';
import { Native as Minting } from '../../../electron/helper/native.ts';

const connections = 100;
const product = join(import.meta.dirname, '../../../dist');
const native = new Native(product);
const table = new FlowTable(
  () => 0,
  () => undefined,
);
const flows = new TcpFlows(native.flows, table, 1, 1000);

const nothing = () => Promise.resolve({ ipv4: [], ipv6: [] });

afterAll(() => {
  native.stopWatching();
});

/**
 * Takes all descriptors from this process, connects and writes, gives them back and ends. The kernel's pause of
 * accept(2) then outlasts it, so that its connections wait at the listener.
 */
const program = `
import os, resource, socket, sys
engine, port = os.getppid(), int(sys.argv[1])
before = resource.prlimit(engine, resource.RLIMIT_NOFILE)
resource.prlimit(engine, resource.RLIMIT_NOFILE, (3, before[1]))
for i in range(${connections}):
    s = socket.create_connection(('127.0.0.1', port))
    s.sendall(b'last words')
    s.close()
resource.prlimit(engine, resource.RLIMIT_NOFILE, before)
os._exit(0)
`;

test('what a program wrote before it ended is a flow by the time that the drain waits for flows', async () => {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const begun: string[] = [];
  flows.listen(new Minting(product).mintTcp(false, port, false), false, (accepted) => {
    const flow = table.begin({
      lane: 'one',
      proto: 'tcp',
      sourcePort: accepted.sourcePort,
      host: undefined,
      address: accepted.address,
      port: accepted.port,
      via: 'none',
    });
    begun.push(native.flows.peek(accepted.flow, 100).toString());
    native.flows.abort(accepted.flow);
    table.end(flow, undefined);
  });
  const child = spawn('/usr/bin/python3', ['-c', program, String(port)], { stdio: 'ignore' });
  expect(await once(child, 'exit')).toEqual([0, null]);
  await flows.drain('one', { stillMs: 1000, unsent: nothing });
  expect(begun).toEqual(Array.from({ length: connections }, () => 'last words'));
});

test('the drain waits for connections that have yet to arrive, as long as it may', async () => {
  let looks = 0;
  const unsent = () => {
    looks += 1;
    return Promise.resolve({ ipv4: looks < 3 ? [4711] : [], ipv6: looks === 3 ? [4711] : [] });
  };
  await flows.drain('one', { stillMs: 10_000, unsent });
  expect(looks).toBe(4);
  const never = () => Promise.resolve({ ipv4: [4711], ipv6: [] });
  await flows.drain('one', { stillMs: 20, unsent: never });
  await flows.drain('one', { stillMs: 1_000_000, unsent: never, cut: AbortSignal.timeout(20) });
});
