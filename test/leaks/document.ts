/** build/docs/leaks.md: the tables of the matrix and how they came about. Nothing in it depends on when. */
import { rows, type Probe, type Row } from './probes.ts';
import type { Matrix } from './report.ts';

/** The document; `probes` are those of a lane. */
export function leaksDocument(matrix: Matrix, asRoot: Matrix, probes: Record<Row, readonly Probe[]>): string {
  const list = rows.map((row) => `- ${row}: ${[...new Set(probes[row].map(targetOf))].join(', ')}`);
  return `# What leaves the computer

This file is written by \`npm run test:leaks\` (test/leaks/) whenever its figures change; do not edit it.

A cell says how many packets were seen on the host, of how many probes. A capture on every interface, loopback
and its port 53 included, looks on while one program sends all the probes from inside a lane. The host has its
own namespaces, a neighbour that answers for every other address, and servers on all of its own addresses,
which must not be reached either. Each state is tried on a rootless lane and on one that a privileged helper
made; the program is inside before the state begins.

Only two things may be seen: TCP with the proxy's address and port, and, as long as the proxy carries UDP,
datagrams with the proxy's address that begin with a SOCKS5 header (and errors about those). Once the engine is
dead, nothing at all may be seen. The proxy is dante; it has no way back into the host, as behind a NAT.

The column _no lane_ is the positive control: the same probes, sent by root outside of a lane. There each one
must be seen, or the run fails. For vsock, which no capture sees, the control is that the socket can be made.

${matrix.toString()}

_stopping_: from \`culvert stop\`, which this app ignores, to the end by \`culvert stop --force\` amid traffic.

A program on the lane also learns it at once: without a relay each connection and each datagram fails within
100 ms, and so does, in every state, whatever no proxy can carry. The gateway lives as long as the app does, also
when engine and helper are gone, and its rules are what refuses.

## As root

Without privileges an app cannot even make most of these sockets. So the same is tried as root: by an app that
root itself starts on a lane, by root entering the lane's network from outside, and again after it has removed
every rule there, so that only the gateway is left. The positive control of the last column is the counter of
the lane's link: every probe went out on it.

${asRoot.toString()}

## The probes

${list.join('\n')}
`;
}

function targetOf({ kind, address, port }: Probe): string {
  if (kind.startsWith('vsock')) return kind;
  return port === 0 ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
