/** Who has which address in a world. Documentation ranges (RFC 5737, RFC 3849); nothing leaves the machine. */

/** The simulated host on which Culvert runs; `eth0` is its only way out. */
export const host = {
  v4: '192.0.2.10',
  v6: '2001:db8::10',
  linkLocal6: 'fe80::10',
  /** On a network behind a second interface, `lan0`, as of a container bridge. */
  lan4: '192.168.77.10',
  mac: '02:00:00:00:00:10',
} as const;

/** The neighbour behind `eth0`: it answers for every other address, so a leak works and is seen. */
export const internet = {
  v4: '192.0.2.1',
  v6: '2001:db8::1',
  linkLocal6: 'fe80::1',
  lan4: '192.168.77.1',
  mac: '02:00:00:00:00:01',
  web4: '198.51.100.80',
  web6: '2001:db8:1::80',
  dns4: '198.51.100.53',
  dns6: '2001:db8:1::53',
  /** Where proxies listen that are not on the host itself. */
  proxy4: '203.0.113.5',
  proxy6: '2001:db8:1::5',
  ssh4: '203.0.113.22',
} as const;

/** Prefixes of which every address is the internet's own, so that servers can also bind to them. */
export const internetPrefixes = [
  '198.51.100.0/24',
  '203.0.113.0/24',
  '8.8.8.8/32',
  '1.1.1.1/32',
  '10.0.0.0/8',
  '169.254.0.0/16',
  '2001:db8:1::/48',
  '2001:4860:4860::8888/128',
] as const;

/** Addresses at which the UDP services answer (a UDP server must answer from the address that was asked). */
export const udpAddresses = {
  internet: [
    internet.v4,
    internet.v6,
    internet.lan4,
    internet.web4,
    internet.web6,
    internet.dns4,
    internet.dns6,
    '203.0.113.7',
    '2001:db8:1::7',
    '8.8.8.8',
    '1.1.1.1',
    '10.1.2.3',
    '169.254.1.2',
    '2001:4860:4860::8888',
  ],
  host: ['127.0.0.1', '127.0.0.53', '127.0.0.54', '::1', host.v4, host.v6],
} as const;

/** Ports of the servers of `servers/main.ts`, the same in the internet and on the host. */
export const ports = {
  echo: 7,
  discard: 9,
  /** Speaks first, then echoes lines. */
  banner: 13,
  /** Sends the known content until it is stopped. */
  source: 19,
  dns: 53,
  http: 80,
  https: 443,
  /** Reads to the end of file, then answers "<bytes> <sha256>" and closes. */
  clientEndsFirst: 1001,
  /** Sends "first\n" and ends at once, goes on reading; `seen()` tells what came. */
  serverEndsFirst: 1002,
  /** Resets the connection on the first byte. */
  reset: 1003,
  /** UDP: answers from port 1008 of the same address, a peer that was not written to. */
  otherPeer: 1007,
} as const;
