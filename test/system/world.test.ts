/** The harness is a measuring instrument: here it is shown that it would see what the other tests rule out. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { host, internet, ports } from '../world/addresses.ts';
import { compile } from '../world/artefact.ts';
import { describePackets, type Capture } from '../world/capture.ts';
import { isAlive } from '../world/cell.ts';
import { contentHash } from '../world/content.ts';
import type { Packet } from '../world/packets.ts';
import { greeting } from '../world/servers/web.ts';
import { World } from '../world/world.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let world: World;
const probe = compile('test/world/probe.c');

beforeAll(async () => {
  world = await World.create({ sudo: true });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** A kind of packet, where to, what the sender hears, and how the packet looks on the host's interface. */
const leaks: [string, string, number, RegExp, (packet: Packet) => boolean][] = [
  ['tcp', internet.web4, ports.http, /^connected/, ({ proto }) => proto === 'tcp'],
  ['tcp', internet.web6, ports.http, /^connected/, ({ proto }) => proto === 'tcp'],
  ['tcp', '10.1.2.3', 4321, /^ECONNREFUSED/, ({ proto }) => proto === 'tcp'],
  ['udp', internet.web4, ports.echo, /^answered/, ({ proto }) => proto === 'udp'],
  ['udp', internet.web6, ports.echo, /^answered/, ({ proto }) => proto === 'udp'],
  ['udp', '169.254.1.2', ports.echo, /^answered/, ({ proto }) => proto === 'udp'],
  ['dns', '8.8.8.8', ports.dns, /^answered/, ({ destinationPort }) => destinationPort === 53],
  ['dns-tcp', '8.8.8.8', ports.dns, /^answered/, ({ destinationPort }) => destinationPort === 53],
  ['icmp', internet.web4, 0, /^answered/, ({ proto }) => proto === 'icmp'],
  ['icmp', internet.web6, 0, /^answered/, ({ proto }) => proto === 'icmp6'],
  ['udp', '224.0.0.251', 5353, /^silent/, ({ proto }) => proto === 'udp'],
  ['udp', '239.255.255.250', 1900, /^silent/, ({ proto }) => proto === 'udp'],
  ['udp', '255.255.255.255', 9, /^silent/, ({ proto }) => proto === 'udp'],
  ['raw', internet.web4, 0, /^/, ({ ipProtocol }) => ipProtocol === 253],
  ['sctp', internet.web4, 0, /^/, ({ proto }) => proto === 'sctp'],
  ['udplite', internet.web4, 9, /^/, ({ proto }) => proto === 'udplite'],
];

describe('a capture', () => {
  let capture: Capture;
  beforeAll(async () => {
    capture = await world.capture();
  });

  test.each(leaks)('sees %s to %s leave the host', async (kind, address, port, heard, looks) => {
    await capture.clear();
    const said = await world.must([probe, kind, address, String(port), '300']);
    expect(said).toMatch(heard);
    const seen = await capture.packets(
      (packet) => looks(packet) && packet.destination === address && packet.iface === 'eth0' && packet.sent,
    );
    expect(seen.length).toBeGreaterThan(0);
  });

  test('sees IPv6 multicast leave the host', async () => {
    const index = (await world.must(['cat', '/proc/sys/net/ipv6/conf/eth0/accept_ra', '/proc/net/if_inet6']))
      .split('\n')
      .find((line) => line.endsWith('eth0'))
      ?.split(/\s+/)[1];
    await world.must([probe, 'udp', `ff02::fb%${parseInt(index ?? '', 16)}`, '5353', '50']);
    const seen = await capture.packets(({ destination }) => destination === 'ff02::fb');
    expect(seen.map(({ iface, destinationPort }) => [iface, destinationPort])).toContainEqual(['eth0', 5353]);
  });

  test('sees a query to a resolver on loopback, and packets to the second interface', async () => {
    await using servers = await world.hostServers();
    await capture.clear();
    expect(await world.must([probe, 'dns', '127.0.0.53', '53'])).toMatch(/^answered/);
    expect(await servers.queries()).toEqual(['A leak.test']);
    expect(await world.must([probe, 'udp', internet.lan4, String(ports.echo)])).toMatch(/^answered/);
    const seen = await capture.all();
    expect(seen.some(({ iface, destination }) => iface === 'lo' && destination === '127.0.0.53')).toBe(true);
    expect(seen.some(({ iface }) => iface === 'lan0')).toBe(true);
  });

  test('is quiet when nothing is sent', async () => {
    await capture.clear();
    expect(describePackets(await capture.packets())).toBe('');
  });

  test('leaves only the connection to the proxy out of the leaks', async () => {
    await using proxy = await world.proxy('microsocks');
    await capture.clear();
    await world.must([
      'curl',
      '-sS',
      '--socks5-hostname',
      `${proxy.address}:${proxy.port}`,
      'http://example.test/',
    ]);
    expect((await capture.packets()).length).toBeGreaterThan(0);
    expect(describePackets(await capture.leaks(proxy.exceptions))).toBe('');
    await world.must(['curl', '-sS', 'http://example.test/']);
    expect(await capture.leaks(proxy.exceptions)).not.toEqual([]);
  });
});

describe('the internet', () => {
  test('serves pages, known content, hashes and files over HTTP and HTTPS', async () => {
    const curl = ['curl', '-sS', '--fail', '--cacert', world.certificates.authority];
    expect(await world.must([...curl, 'https://example.test/'])).toBe(greeting);
    expect(await world.must([...curl, '-6', 'http://example.test/peer'])).toBe(`${host.v6}\n`);
    const sum = await world.must([
      'sh',
      '-c',
      `${curl.join(' ')} http://example.test/bytes/5000000 | sha256sum`,
    ]);
    expect(sum).toContain(contentHash(5_000_000));
    const body = ['--data-binary', '@-', 'http://example.test/hash'];
    const { stdout } = await world.run([...curl, ...body], { stdin: 'body' });
    expect(stdout).toMatch(/^4 230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5\n$/);
    mkdirSync(join(world.www, 'folder'));
    writeFileSync(join(world.www, 'folder', 'file'), 'a file');
    expect(await world.must([...curl, 'http://example.test/files/folder/file'])).toBe('a file');
  });

  test('remembers who came, what they asked and how it ended', async () => {
    await world.internet.forget();
    await world.must(['dig', '+short', '+tcp', '@1.1.1.1', 'AAAA', 'v4only.test']);
    await world.run(['dig', '+short', 'missing.test']);
    expect(await world.internet.queries()).toEqual(['AAAA v4only.test', 'A missing.test']);
    const [first] = await world.internet.seen();
    expect(first).toMatchObject({ proto: 'tcp', address: '1.1.1.1', peer: host.v4 });
  });

  test('keeps half-closed connections open in both orders', async () => {
    await world.internet.forget();
    const talk = (port: number): string => `exec 3<>/dev/tcp/${internet.web4}/${port}`;
    const first = await world.must([
      'bash',
      '-c',
      `${talk(ports.serverEndsFirst)}; cat <&3; printf late >&3`,
    ]);
    expect(first).toBe('first\n');
    const script = `import socket
s = socket.create_connection(('${internet.web4}', ${ports.clientEndsFirst}))
s.sendall(b'body'); s.shutdown(socket.SHUT_WR); print(s.recv(100).decode(), end='')`;
    expect(await world.must(['/usr/bin/python3', '-c', script])).toMatch(/^4 230d8358/);
    const seen = await world.internet.seen();
    expect(seen.find(({ port }) => port === ports.serverEndsFirst)).toMatchObject({ bytes: 4 });
  });
});

describe('a user of the world', () => {
  test('has own ids, groups, home and runtime directory, and the machine does not know them', async () => {
    const id = await world.must(
      ['sh', '-c', 'id; echo $HOME; pwd; echo $XDG_RUNTIME_DIR; stat -c %a:%U $XDG_RUNTIME_DIR'],
      {
        user: 'culvert-a',
      },
    );
    const { home } = world.users['culvert-a'];
    const ids = 'uid=20001(culvert-a) gid=20001(culvert-a) groups=20001(culvert-a),20100(culvert-team)';
    expect(id).toBe(`${ids}\n${home}\n${home}\n/run/user/20001\n700:culvert-a\n`);
    expect(existsSync('/run/user/20001')).toBe(false);
    const status = await world.must(['grep', '-E', '^Cap(Eff|Prm|Inh|Amb)', '/proc/self/status'], {
      user: 'culvert-b',
    });
    expect(status.replaceAll(/\D/g, '')).toMatch(/^0+$/);
  });

  test('can use sudo where the world allows it, and user namespaces', async () => {
    expect(await world.must(['sudo', '-n', 'id', '-u'], { user: 'culvert-a' })).toBe('0\n');
    expect((await world.run(['sudo', '-n', 'true'], { user: 'culvert-b' })).code).not.toBe(0);
    const unshare = ['unshare', '--user', '--map-current-user', '--keep-caps', '--mount', '--net'];
    expect(
      await world.must([...unshare, 'sh', '-c', 'ip link set lo up; id -un'], { user: 'culvert-b' }),
    ).toBe('culvert-b\n');
  });

  test('gets exit status, signals, standard input and a terminal', async () => {
    expect(await world.run(['sh', '-c', 'cat; exit 7'], { stdin: 'given' })).toMatchObject({
      code: 7,
      stdout: 'given',
    });
    expect(await world.run(['sh', '-c', 'kill -9 $$'])).toMatchObject({ code: null, signal: 'SIGKILL' });
    const script = `process.on('SIGINT', () => { console.log('caught'); process.exit(3); });
      process.stdin.resume(); console.log(process.stdin.isTTY ? 'set' : 'not a terminal');`;
    await using shell = world.spawn([process.execPath, '-e', script], { user: 'culvert-a', tty: true });
    await shell.says(/set/);
    shell.write('\x03');
    await shell.says(/caught/);
    expect((await shell.ended).code).toBe(3);
  });
});

describe('a real proxy', () => {
  const page = ['curl', '-sS', '--fail', '--max-time', '20', '--proxy'];

  test.each(['microsocks', 'dante', 'ssh', 'tinyproxy'] as const)('%s carries a page', async (kind) => {
    await using proxy = await world.proxy(kind);
    const url = proxy.url.replace('socks5:', 'socks5h:');
    expect(await world.must([...page, url, 'http://example.test/'], { user: 'culvert-a' })).toBe(greeting);
  });

  test.each(['microsocks', 'dante', 'tinyproxy'] as const)('%s wants the right sign-in', async (kind) => {
    await using proxy = await world.proxy(kind, { signIn: true });
    const url = proxy.url.replace('socks5:', 'socks5h:');
    expect(await world.must([...page, url, 'http://example.test/'])).toBe(greeting);
    expect(
      (await world.run([...page, url.replace('secret-of', 'wrong'), 'http://example.test/'])).code,
    ).not.toBe(0);
  });

  test.each(['microsocks', 'dante', 'tinyproxy'] as const)('%s can be on the host itself', async (kind) => {
    await using proxy = await world.proxy(kind, { at: 'host' });
    const url = proxy.url.replace('socks5:', 'socks5h:');
    expect(await world.must([...page, url, 'http://example.test/'])).toBe(greeting);
  });
});

describe('a host', () => {
  test('has a state that stays the same byte for byte, and that shows every kind of change', async () => {
    const before = await world.hostState();
    await world.must(['curl', '-sS', 'http://example.test/']);
    expect(await world.hostState()).toBe(before);
    const changes = [
      ['ip route add 100.64.0.0/10 dev lo', 'ip route del 100.64.0.0/10 dev lo'],
      ['ip -6 rule add pref 9 lookup 9', 'ip -6 rule del pref 9'],
      ['ip link add more type veth peer name moreover', 'ip link del more'],
      ['nft add table inet more', 'nft delete table inet more'],
      ['echo 1 > /proc/sys/net/ipv4/ip_forward', 'echo 0 > /proc/sys/net/ipv4/ip_forward'],
      ['echo nameserver ::1 >> /etc/resolv.conf', 'sed -i "/::1/d" /etc/resolv.conf'],
      ['mount -t tmpfs more /mnt', 'umount /mnt'],
    ];
    for (const [make = '', undo = ''] of changes) {
      await world.shell(make);
      expect(await world.hostState(), make).not.toBe(before);
      await world.shell(undo);
      expect(await world.hostState(), undo).toBe(before);
    }
  });

  test('knows what was left behind: orphans, and processes in foreign namespaces', async () => {
    expect(world.leftovers()).toEqual([]);
    const namespaces = world.netNamespaces();
    await world.must(['sh', '-c', 'setsid sleep 300 > /dev/null 2>&1 &'], { user: 'culvert-a' });
    await using inside = world.spawn(['unshare', '--net', 'cat']);
    // Both are there at once, but not yet as the programs that they become.
    const commands = (): string[] => world.leftovers().map(({ command }) => command);
    await expect.poll(() => commands().sort()).toEqual(['cat', 'sleep 300']);
    expect(world.netNamespaces().size).toBe(namespaces.size + 1);
    await inside.end();
    for (const { pid } of world.leftovers()) process.kill(pid);
    expect(world.netNamespaces()).toEqual(namespaces);
  });

  test('is gone with everything of it when its test ends', async () => {
    const other = await World.create();
    other.spawn(['sh', '-c', 'setsid sleep 300 & setsid unshare --net sleep 300 &']);
    await other.proxy('dante');
    const { dir } = other;
    await expect.poll(() => other.leftovers().length).toBe(2);
    const pids = other.pids();
    await other[Symbol.asyncDispose]();
    expect(existsSync(dir)).toBe(false);
    const survivors = pids.filter(isAlive);
    expect(survivors).toEqual([]);
  });
});
