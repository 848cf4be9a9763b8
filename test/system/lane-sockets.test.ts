/**
 * Sockets that a helper mints inside an app namespace after the lane was made: listeners at the app's loopback, and
 * plain ones for the engine's own leak check. With the real helper of both kinds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startHelper } from '../../electron/engine/elevate.ts';
import { HelperLink } from '../../electron/engine/helper-link.ts';
import { Native } from '../../electron/engine/native.ts';
import type { CulvertError } from '../../electron/shared/failure.ts';
import { maxLoopbackPorts } from '../../electron/shared/helper-protocol.ts';
import { repository } from '../world/artefact.ts';
import { isolations } from '../world/product.ts';

const productDir = join(repository, 'dist');

/** A lane of a helper's own, and everything that was opened for it. */
class Stage {
  readonly native: Native;
  readonly link: HelperLink;
  readonly lane: number;
  readonly #open: number[] = [];
  readonly #servers: Server[] = [];

  constructor(native: Native, link: HelperLink, lane: number, open: readonly number[]) {
    this.native = native;
    this.link = link;
    this.lane = lane;
    this.#open.push(...open);
  }

  async listen(port: number): Promise<{ sockets: readonly string[]; descriptors: readonly number[] }> {
    const { value, descriptors } = await this.link.call('lane.listen', { lane: this.lane, port });
    this.#open.push(...descriptors);
    return { sockets: value.sockets, descriptors };
  }

  async probe(): Promise<{ sockets: readonly string[]; descriptors: readonly number[] }> {
    const { value, descriptors } = await this.link.call('lane.probe', { lane: this.lane });
    this.#open.push(...descriptors);
    return { sockets: value.sockets, descriptors };
  }

  /** Says its family's name to everybody who connects; owns the descriptor. */
  async serve(fd: number, words: string): Promise<void> {
    this.#open.splice(this.#open.indexOf(fd), 1);
    const server = createServer((socket) => socket.end(words)).listen({ fd });
    await once(server, 'listening');
    this.#servers.push(server);
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const fd of this.#open) this.native.close(fd);
    this.link.close();
  }
}

/** Runs Python with these descriptors from 3 on, as `s[0]`, `s[1]`, …; answers what it printed. */
async function python(descriptors: readonly number[], script: string): Promise<string> {
  const head = `
import os, socket, struct
s = [socket.socket(fileno=fd) for fd in range(3, ${descriptors.length + 3})]
for each in s: each.settimeout(5)
def rest(one):
    parts = b''
    while part := one.recv(100): parts += part
    return parts.decode()
def cookie(one): return struct.unpack('Q', one.getsockopt(socket.SOL_SOCKET, 71, 8))[0] # SO_NETNS_COOKIE
`;
  const child = spawn('/usr/bin/python3', ['-c', head + script], {
    stdio: ['ignore', 'pipe', 'inherit', ...descriptors],
  });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  expect(await once(child, 'close')).toEqual([0, null]);
  return said;
}

let native: Native;
let stage: Stage;
/** Why the helper hung up, once it has. */
let lost: CulvertError | undefined;

beforeAll(() => {
  native = new Native(productDir);
  return () => {
    native.stopWatching();
  };
});
afterEach(() => {
  stage.close();
});

describe.each(isolations)('%s', (isolation) => {
  const open = async () => {
    lost = undefined;
    const options = { hasTerminal: false, productDir };
    const mode = isolation === 'helper' ? 'privileged' : 'rootless';
    const helper = await startHelper(native, mode, options, AbortSignal.timeout(20_000));
    const link = new HelperLink(native, helper, (why) => {
      lost = why;
    });
    const { value, descriptors } = await link.call('lane.create', {});
    stage = new Stage(native, link, value.lane, descriptors);
    return value;
  };

  test('a port of the app’s loopback is listened on in both families, and nowhere else', async () => {
    await open();
    const { sockets, descriptors } = await stage.listen(8080);
    expect(sockets).toEqual(['tcp4', 'tcp6']);
    for (const [index, fd] of descriptors.entries()) await stage.serve(fd, `by ${sockets[index]}`);
    const probes = await stage.probe();
    const said = await python(
      probes.descriptors,
      `
s[0].connect(('127.0.0.1', 8080)); print(rest(s[0]))
s[3].connect(('::1', 8080)); print(rest(s[3]))
print(s[1].connect_ex(('127.0.0.2', 8080)), s[4].connect_ex(('fdc0:1a7e::2', 8080)))
print(socket.socket().connect_ex(('127.0.0.1', 8080)))
`,
    );
    // ECONNREFUSED: elsewhere in the app namespace, and on this computer.
    expect(said).toBe('by tcp4\nby tcp6\n111 111\n111\n');
  });

  test('a port that the app has taken is told as taken, in either family, and nothing stays open', async () => {
    await open();
    const { descriptors } = await stage.probe();
    await python(
      [descriptors[0] ?? -1, descriptors[3] ?? -1],
      `
s[0].bind(('127.0.0.1', 8081)); s[0].listen()
s[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
s[1].bind(('::1', 8082)); s[1].listen()
`,
    );
    for (const port of [8081, 8082])
      await expect(stage.listen(port)).rejects.toMatchObject({
        failure: { code: 'host-port-taken', detail: String(port) },
      });
    const said = await python(
      [descriptors[1] ?? -1],
      `print(s[0].connect_ex(('127.0.0.1', 8082)))`, // The half that came is closed again.
    );
    expect(said).toBe('111\n');
  });

  test('the ports of one lane are counted, open or not', async () => {
    await open();
    for (let port = 1; port <= maxLoopbackPorts; port += 1) {
      const { descriptors } = await stage.listen(port);
      expect(descriptors.length).toBe(2);
    }
    await expect(stage.listen(1000)).rejects.toMatchObject({ failure: { code: 'lane-quota' } });
    // A port that was listened on before is not counted again; here it is still open.
    await expect(stage.listen(1)).rejects.toMatchObject({ failure: { code: 'host-port-taken' } });
    await expect(stage.link.call('lane.listen', { lane: 99, port: 1 })).rejects.toMatchObject({
      failure: { code: 'lane-unknown' },
    });
    await expect(stage.link.call('lane.probe', { lane: 99 })).rejects.toMatchObject({
      failure: { code: 'lane-unknown' },
    });
  });

  test.each([0, 65_536, 1.5, '8080'])('a helper that is asked for port %s ends', async (port) => {
    await open();
    const own = { failure: { code: 'bad-message' } };
    await expect(stage.listen(port as number)).rejects.toMatchObject(own);
    expect(lost).toMatchObject(own);
  });

  test('plain sockets are of the app’s namespace and have no right that a program would not have', async () => {
    await open();
    const { sockets, descriptors } = await stage.probe();
    const kinds = ['tcp4', 'tcp6', 'udp4', 'udp6'];
    expect(sockets).toEqual(kinds.flatMap((kind) => [kind, kind, kind]));
    const said = await python(
      descriptors,
      `
print(len({cookie(one) for one in s}), cookie(s[0]) == cookie(socket.socket()))
print(*(one.family.name + one.type.name for one in s[::3]))
# IP_TRANSPARENT, SO_MARK, SO_BINDTODEVICE
print(any(one.getsockopt(socket.SOL_IP, 19) for one in s[:3] + s[6:9]), any(one.getsockopt(socket.SOL_SOCKET, 36) for one in s))
print({one.getsockopt(socket.SOL_SOCKET, 25, 16) for one in s})
`,
    );
    expect(said).toBe(
      `1 False\nAF_INETSOCK_STREAM AF_INET6SOCK_STREAM AF_INETSOCK_DGRAM AF_INET6SOCK_DGRAM\nFalse False\n{b''}\n`,
    );
  });
});
