/**
 * The nft rules of a lane, as text.
 *
 * Does: say, for each of the two namespaces, what becomes of every packet. Pure: data in, text out.
 * Must not: leave a path on which a packet is forwarded, or a protocol unanswered.
 *
 * Gateway: what arrives from gw0 is given to the relay's sockets by tproxy (nft(8), "TPROXY STATEMENT");
 * where no socket listens the statement does not match, and the next rule refuses. App namespace: the
 * app's own loopback port 53 goes to the stub sockets, and what no proxy can carry is refused before it
 * reaches the link, so that programs see an error at once.
 */

/** Ports inside the gateway namespace; nothing else runs there, so they cannot clash. */
export const gatewayPorts = { tcp: 50_080, udp: 50_081, dns: 50_053 } as const;

/** Port of the stub sockets on the app's loopback. */
export const stubPort = 65_053;

/** The mark that the policy route sends to the local sockets. */
export const mark = 1;

export type Interception = 'tproxy' | 'redirect';

const neighbourDiscovery = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept';

const notForOne = ['ip daddr { 224.0.0.0/4, 255.255.255.255, 192.0.0.3 } drop', 'ip6 daddr ff00::/8 drop'];

function tproxyRules(): string[] {
  const to = (port: number) => `tproxy to :${port} meta mark set ${mark} accept`;
  return [
    `udp dport 53 ${to(gatewayPorts.dns)}`,
    `meta l4proto tcp ${to(gatewayPorts.tcp)}`,
    `meta l4proto udp ${to(gatewayPorts.udp)}`,
  ];
}

/** Rules of the gateway namespace. `redirect` carries TCP only, for kernels without nft tproxy. */
export function gatewayRules(interception: Interception): string {
  const isTproxy = interception === 'tproxy';
  const refuse = ['meta l4proto tcp reject with tcp reset', 'reject with icmpx admin-prohibited'];
  return table('culvert', [
    chain('prerouting', 'type filter hook prerouting priority mangle; policy accept;', [
      'iifname "lo" accept',
      'iifname != "gw0" drop',
      neighbourDiscovery,
      ...notForOne,
      ...(isTproxy
        ? [...tproxyRules(), ...refuse]
        : ['meta l4proto != tcp reject with icmpx admin-prohibited']),
    ]),
    ...(isTproxy
      ? []
      : [
          chain('streams', 'type nat hook prerouting priority dstnat; policy accept;', [
            `iifname "gw0" meta l4proto tcp redirect to :${gatewayPorts.tcp}`,
          ]),
        ]),
    chain('input', 'type filter hook input priority filter; policy drop;', [
      'iifname "lo" accept',
      neighbourDiscovery,
      isTproxy ? `meta mark ${mark} accept` : `tcp dport ${gatewayPorts.tcp} accept`,
      ...refuse,
    ]),
    chain('forward', 'type filter hook forward priority filter; policy drop;', []),
    chain('output', 'type filter hook output priority filter; policy drop;', [
      'oifname { "lo", "gw0" } accept',
    ]),
  ]);
}

/**
 * Rules of the app namespace. Without tproxy no datagram gets past the gateway, so questions to every resolver go
 * to the stub sockets, not only those to the loopback's; by TCP they take the way of all streams.
 */
export function appRules(interception: Interception): string {
  const isTproxy = interception === 'tproxy';
  return table('culvert', [
    chain('stub', 'type nat hook output priority -100; policy accept;', [
      `${isTproxy ? 'ip daddr 127.0.0.0/8 ' : ''}udp dport 53 redirect to :${stubPort}`,
      `ip daddr 127.0.0.0/8 tcp dport 53 redirect to :${stubPort}`,
      ...(isTproxy ? [`ip6 daddr ::1 udp dport 53 redirect to :${stubPort}`] : []),
      `ip6 daddr ::1 tcp dport 53 redirect to :${stubPort}`,
    ]),
    // Only the loopback's port 53 is translated; what takes the link need not be followed (nft(8), "notrack").
    ...(isTproxy
      ? [
          chain('untracked-out', 'type filter hook output priority raw; policy accept;', [
            'oifname "app0" notrack',
          ]),
          chain('untracked-in', 'type filter hook prerouting priority raw; policy accept;', [
            'iifname "app0" notrack',
          ]),
        ]
      : []),
    chain('output', 'type filter hook output priority filter; policy accept;', [
      'oifname "lo" accept',
      neighbourDiscovery,
      'meta l4proto != { tcp, udp } reject with icmpx admin-prohibited',
      'ip daddr { 224.0.0.0/4, 255.255.255.255, 192.0.0.3 } reject with icmpx admin-prohibited',
      'ip6 daddr ff00::/8 reject with icmpx admin-prohibited',
    ]),
    chain('forward', 'type filter hook forward priority filter; policy drop;', []),
  ]);
}

function table(name: string, chains: readonly string[]): string {
  return `table inet ${name} {\n${chains.join('\n')}\n}\n`;
}

function chain(name: string, hook: string, rules: readonly string[]): string {
  return [`  chain ${name} {`, `    ${hook}`, ...rules.map((rule) => `    ${rule}`), '  }'].join('\n');
}
