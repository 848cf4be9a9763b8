/**
 * Hostile SOCKS5 servers, UDP ASSOCIATE (RFC 1928 §7). The relay echoes each datagram as from where it was
 * sent, in its own way; CONNECT works at all of them.
 */
import { createSocket, type RemoteInfo, type Socket as Datagrams } from 'node:dgram';
import type { FailureCode } from '#shared/failure.ts';
import { type Behaviour, named } from './behaviour.ts';
import type { Conversation } from './conversation.ts';
import { readGreeting, readRequest } from './socks5.ts';

export interface UdpBehaviour extends Behaviour {
  readonly udp: true;
  /** `expected` is about the association; this about the app's datagram once there is one. */
  readonly datagram: 'answered' | 'dropped';
}

type Relay = (message: Buffer, from: RemoteInfo, socket: Datagrams, client: Conversation) => void;

const echo: Relay = (message, from, socket) => socket.send(message, from.port, from.address);

/** The reply to ASSOCIATE: code, then the relay's address and port. */
type ReplyOf = (own: readonly number[], port: number) => readonly number[];
const truthful: ReplyOf = (own, port) => [5, 0, 0, 1, ...own, port >> 8, port & 255];

interface Script {
  readonly reply?: ReplyOf;
  readonly relay?: Relay;
}

async function associate(client: Conversation, { reply = truthful, relay = echo }: Script): Promise<void> {
  const address = (client.socket.localAddress ?? '').replace('::ffff:', '');
  const socket = createSocket('udp4');
  socket.on('message', (message, from) => relay(message, from, socket, client));
  try {
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    await client.write(Uint8Array.from(reply(address.split('.').map(Number), socket.address().port)));
    await client.hold();
  } finally {
    socket.close();
  }
}

function relay(
  name: string,
  expected: FailureCode | 'works',
  datagram: UdpBehaviour['datagram'],
  script: Script,
): UdpBehaviour {
  return {
    name,
    scheme: 'socks5',
    expected,
    udp: true,
    datagram,
    act: async (client) => {
      await readGreeting(client);
      await client.write(Uint8Array.of(5, 0));
      if ((await readRequest(client)) === 3) return associate(client, script);
      await client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
      return client.servePage();
    },
  };
}

const refusal =
  (code: number): ReplyOf =>
  () => [5, code, 0, 1, 0, 0, 0, 0, 0, 0];
const at =
  (address: readonly number[]): ReplyOf =>
  (_own, port) => [5, 0, 0, ...address, port >> 8, port & 255];

const addresses: UdpBehaviour[] = [
  relay('relays at its own address', 'works', 'answered', {}),
  relay('relays at 0.0.0.0, which means its own', 'works', 'answered', { reply: at([1, 0, 0, 0, 0]) }),
  relay('relays at ::, which means its own', 'works', 'answered', {
    reply: at([4, ...Array<number>(16).fill(0)]),
  }),
  relay('relays at a foreign address', 'proxy-protocol-error', 'dropped', {
    reply: at([1, 198, 51, 100, 99]),
  }),
  relay('relays at loopback, which is not its own', 'proxy-protocol-error', 'dropped', {
    reply: at([1, 127, 9, 9, 9]),
  }),
  relay('relays at a name', 'proxy-protocol-error', 'dropped', { reply: at([3, 4, 0x74, 0x65, 0x73, 0x74]) }),
  relay('relays at port 0', 'proxy-protocol-error', 'dropped', { reply: (own) => truthful(own, 0) }),
  relay('refuses UDP with code 7', 'udp-not-offered', 'dropped', { reply: refusal(7) }),
  relay('refuses UDP with code 1', 'udp-not-offered', 'dropped', { reply: refusal(1) }),
];

const datagrams: UdpBehaviour[] = [
  relay('answers in fragments', 'works', 'dropped', {
    relay: (message, from, socket) =>
      socket.send(Buffer.from(message).fill(1, 2, 3), from.port, from.address),
  }),
  relay('answers from another port', 'works', 'dropped', {
    relay: (message, from) => {
      const other = createSocket('udp4');
      other.send(message, from.port, from.address, () => other.close());
    },
  }),
  relay('answers with half a header', 'works', 'dropped', {
    relay: (message, from, socket) => socket.send(message.subarray(0, 5), from.port, from.address),
  }),
  relay('answers with an empty datagram', 'works', 'dropped', {
    relay: (_message, from, socket) => socket.send('', from.port, from.address),
  }),
  relay('answers with an unknown kind of address', 'works', 'dropped', {
    relay: (message, from, socket) =>
      socket.send(Buffer.from(message).fill(9, 3, 4), from.port, from.address),
  }),
  relay('answers with a name longer than the datagram', 'works', 'dropped', {
    relay: (_message, from, socket) =>
      socket.send(Uint8Array.of(0, 0, 0, 3, 255, 0x61), from.port, from.address),
  }),
  relay('ends the control connection at the first datagram', 'works', 'dropped', {
    relay: (_message, _from, _socket, client) => client.end(),
  }),
];

export const udp: readonly UdpBehaviour[] = named('UDP', [...addresses, ...datagrams]) as UdpBehaviour[];
