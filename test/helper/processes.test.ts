import { expect, test } from 'vitest';
import { parseSocketTable } from '../../electron/helper/processes.ts';

test('the socket tables of proc(5) are read, both families', () => {
  const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 020000C0:D431 506433C6:0050 01 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0000000000000000 20 4 0 10 -1
`;
  expect(parseSocketTable('tcp', tcp)).toEqual([
    {
      proto: 'tcp',
      localAddress: '192.0.0.2',
      localPort: 0xd431,
      remoteAddress: '198.51.100.80',
      remotePort: 80,
      socketInode: '12345',
    },
  ]);
  const udp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
 1: 7E1AC0FD000000000000000002000000:C350 B80D0120000001000000000080000000:0035 01 00000000:00000000 00:00000000 00000000  1000        0 77 2 0000000000000000 0
`;
  expect(parseSocketTable('udp6', udp6)).toMatchObject([
    { proto: 'udp', localAddress: 'fdc0:1a7e:0:0:0:0:0:2', localPort: 50_000, socketInode: '77' },
  ]);
});

test('what is no line of a table is left out', () => {
  expect(parseSocketTable('tcp', 'nothing\n 0: zz 11 22\n\n')).toEqual([]);
});
