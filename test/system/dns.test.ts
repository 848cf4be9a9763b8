/**
 * Every query of every program is answered on its lane, whoever it is sent to: nothing leaves, and no server
 * of the host or of the internet is asked. Each is asked by the same program outside of a lane.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { internet } from '../world/addresses.ts';
import { isolations } from '../world/product.ts';
import { DnsStage, fakeV4 } from './dns-stage.ts';
import { LaneShell } from './lane-shell.ts';

const fakeV6 = /\bfdc0:1a7e:f::[0-9a-f:]+\b/;

let stage: DnsStage;

beforeAll(async () => {
  stage = await DnsStage.open({ resolvConf: 'nameserver 127.0.0.53\noptions edns0 trust-ad\n' });
  for (const [name, text] of Object.entries({ 'Look.java': java, 'pipeline.py': pipeline })) {
    writeFileSync(join(stage.world.dir, name), text);
    chmodSync(join(stage.world.dir, name), 0o644);
  }
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const java = `
public class Look {
  public static void main(String[] args) throws Exception {
    for (var address : java.net.InetAddress.getAllByName(args[0])) System.out.println(address.getHostAddress());
  }
}
`;

/** Twenty queries in one write; the answers may come in any order, each behind its length (RFC 7766 §6.2.1.1). */
const pipeline = `
import socket, struct, sys
name, server = sys.argv[1:]
def query(id, label):
    labels = b''.join(bytes([len(l)]) + l.encode() for l in (label + '.' + name).split('.'))
    message = struct.pack('!6H', id, 0x100, 1, 0, 0, 0) + labels + b'\\0' + struct.pack('!2H', 1, 1)
    return struct.pack('!H', len(message)) + message
stream = socket.create_connection((server, 53), timeout=5)
stream.sendall(b''.join(query(id, 'p%d' % id) for id in range(20)))
stream.shutdown(socket.SHUT_WR)
data = b''.join(iter(lambda: stream.recv(65536), b''))
seen = {}
while data:
    size, = struct.unpack('!H', data[:2]); message = data[2:2 + size]; data = data[2 + size:]
    seen[message[:2]] = socket.inet_ntoa(message[-4:])
print(len(seen), len(set(seen.values())), *seen.values())
`;

const dig = (name: string, how: string) => `dig +tries=1 +time=3 +short ${name} ${how}`;

/** Scripts that print the address of a name; each speaks with its own code, or to another server. */
const clients: [string, (name: string) => string][] = [
  [
    'getaddrinfo (Python)',
    (name) => `/usr/bin/python3 -c "import socket; print(socket.getaddrinfo('${name}', 80))"`,
  ],
  ['getent', (name) => `getent ahosts ${name}`],
  ['dig at the server of resolv.conf', (name) => dig(name, '')],
  ['dig at a public resolver', (name) => dig(name, '@8.8.8.8')],
  ['dig at a public resolver by IPv6', (name) => dig(name, '@2001:4860:4860::8888')],
  ['dig at 127.0.0.53', (name) => dig(name, '@127.0.0.53')],
  ['dig at 127.0.0.54', (name) => dig(name, '@127.0.0.54')],
  ['dig at 127.0.0.1', (name) => dig(name, '@127.0.0.1')],
  ['dig at [::1]', (name) => dig(name, '@::1')],
  ['dig over TCP at a public resolver', (name) => dig(name, '+tcp @8.8.8.8')],
  ['dig over TCP at 127.0.0.53', (name) => dig(name, '+tcp @127.0.0.53')],
  ['dig over TCP at [::1]', (name) => dig(name, '+tcp @::1')],
  [
    'many queries on one stream to a public resolver',
    (name) => `/usr/bin/python3 ${stage.world.dir}/pipeline.py ${name} 8.8.8.8`,
  ],
  [
    'many queries on one stream to 127.0.0.53',
    (name) => `/usr/bin/python3 ${stage.world.dir}/pipeline.py ${name} 127.0.0.53`,
  ],
  ['busybox, a static program', (name) => `busybox nslookup ${name}`],
  ['busybox at a public resolver', (name) => `busybox nslookup ${name} 1.1.1.1`],
  ['Java', (name) => `java -XX:TieredStopAtLevel=1 ${stage.world.dir}/Look.java ${name}`],
  ['c-ares (Node)', (name) => `node -e "require('dns').resolve4('${name}', (e, a) => console.log(e ?? a))"`],
];

describe.each(isolations)('on a lane (%s)', (isolation) => {
  let lane: LaneShell;
  let count = 0;
  beforeAll(async () => {
    lane = await LaneShell.open(stage.product, { proxy: stage.proxy.url, isolation });
  });
  afterAll(async () => {
    await lane[Symbol.asyncDispose]();
  });

  test.each(clients)('%s is answered there, and seen outside', async (_name, script) => {
    const name = `${isolation}-${(count += 1)}.example.test`;
    await stage.forget();
    const output = await lane.must(script(name));
    expect(output).toMatch(fakeV4);
    expect(output).not.toContain(internet.web4);
    await stage.expectNothingOutside();

    // The positive control.
    expect(await stage.world.must(['sh', '-c', script(name)], { user: 'culvert-a' })).toContain(
      internet.web4,
    );
    expect((await stage.queries()).join()).toContain(name);
  });

  test('all of them agree on the address of a name, in both families', async () => {
    const name = 'agreed.example.test';
    const v4: string[] = [];
    for (const how of ['@8.8.8.8', '@127.0.0.53', '+tcp @::1']) v4.push(await lane.must(dig(name, how)));
    expect(v4[0]).toMatch(fakeV4);
    expect(new Set(v4).size).toBe(1);
    const output = await lane.must(`getent ahosts ${name}`);
    expect(output).toContain(v4[0]?.trim());
    expect(output).toMatch(fakeV6);
  });
});
