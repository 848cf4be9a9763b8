import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { parseInUse, parseUnsent, unsentPorts } from '../../electron/helper/unsent.ts';

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const rest = '01:00000014 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1';

test('connections with something unacknowledged are found, whoever holds them', () => {
  const tcp = `${head}   0: 020000C0:D431 506433C6:0050 04 00000001:00000000 ${rest}
   1: 020000C0:D432 506433C6:0050 01 00000000:00000005 ${rest}
   2: 020000C0:D433 506433C6:0050 05 00000000:00000000 ${rest}
   3: 020000C0:D434 506433C6:0050 01 0001F400:00000000 ${rest}
`;
  expect(parseUnsent(tcp)).toEqual([
    { isIpv6: false, port: 0xd431 },
    { isIpv6: false, port: 0xd434 },
  ]);
  const tcp6 = `${head} 0: 7E1AC0FD000000000000000002000000:C350 B80D0120000001000000000080000000:0050 09 00000007:00000000 ${rest}
 1: 0000000000000000FFFF0000020000C0:C351 0000000000000000FFFF0000506433C6:0050 0B 00000001:00000000 ${rest}
`;
  expect(parseUnsent(tcp6)).toEqual([
    { isIpv6: true, port: 0xc350 },
    { isIpv6: false, port: 0xc351 },
  ]);
  expect(parseUnsent('nothing\n 0: zz 11 22\n\n')).toEqual([]);
});

test('a connection is told as long as its peer has not taken all of it', async () => {
  const accepted: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => accepted.push(socket)).listen(
    0,
    '127.0.0.1',
  );
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  const { localPort } = client;
  // More than both socket buffers hold (tcp_wmem, tcp_rmem).
  client.end(Buffer.alloc(64 << 20));
  await expect.poll(() => unsentPorts(0).ipv4).toContain(localPort);
  await expect.poll(() => accepted.length).toBe(1);
  accepted[0]?.resume();
  await expect.poll(() => unsentPorts(0).ipv4, { timeout: 20_000 }).not.toContain(localPort);
  client.destroy();
  accepted[0]?.destroy();
  server.close();
});

describe('the sockets in use', () => {
  const stat = (count: number) =>
    `sockets: used 9\nTCP: inuse ${count} orphan 1 tw 0 alloc 7 mem 458\nUDP: inuse 3 mem 0\n`;

  test('are those of both families, not those of UDP', () => {
    expect(parseInUse(`${stat(4)}TCP6: inuse 1\nUDP6: inuse 5\n`)).toBe(5);
    expect(parseInUse(stat(0))).toBe(0);
  });

  test('are unknown where nothing is said of them', () => {
    expect(parseInUse('')).toBeUndefined();
    expect(parseInUse('sockets: used 9\n')).toBeUndefined();
  });
});
