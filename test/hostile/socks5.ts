/** Hostile SOCKS5 servers, CONNECT (RFC 1928, RFC 1929). */
import { type Behaviour, named } from './behaviour.ts';
import { page, type Conversation } from './conversation.ts';

const noSignIn = Uint8Array.of(5, 0);
const wantsSignIn = Uint8Array.of(5, 2);
const signedIn = Uint8Array.of(1, 0);
const address4 = [1, 192, 0, 2, 99, 0x1f, 0x90];
const address6 = [4, 0x20, 1, 0x0d, 0xb8, ...Array<number>(11).fill(0), 1, 0x1f, 0x90];
const nameOf = (length: number): number[] => [3, length, ...Array<number>(length).fill(0x61), 0x1f, 0x90];
const granted = (address: readonly number[]): Uint8Array => Uint8Array.of(5, 0, 0, ...address);
const refused = (code: number): Uint8Array => Uint8Array.of(5, code, 0, ...address4);

export async function readGreeting(client: Conversation): Promise<void> {
  const [, count = 0] = await client.read(2);
  await client.read(count);
}

async function readSignIn(client: Conversation): Promise<void> {
  const [, userLength = 0] = await client.read(2);
  const end = await client.read(userLength + 1);
  await client.read(end[userLength] ?? 0);
}

/** Reads a request; resolves with its command. */
export async function readRequest(client: Conversation): Promise<number> {
  const [, command = 0, , type = 0] = await client.read(4);
  if (type === 3) await client.read(((await client.read(1))[0] ?? 0) + 2);
  else await client.read(type === 4 ? 18 : 6);
  return command;
}

async function untilRequest(client: Conversation): Promise<void> {
  await readGreeting(client);
  await client.write(noSignIn);
  await readRequest(client);
}

/** The states of a dialogue, each with the way to it. */
const states: Record<string, { to: (client: Conversation) => Promise<unknown>; signIn?: boolean }> = {
  'the greeting': { to: readGreeting },
  'its method': {
    to: async (client) => {
      await readGreeting(client);
      await client.write(noSignIn);
    },
  },
  'the sign-in': {
    signIn: true,
    to: async (client) => {
      await readGreeting(client);
      await client.write(wantsSignIn);
      await readSignIn(client);
    },
  },
  'its yes to the sign-in': {
    signIn: true,
    to: async (client) => {
      await readGreeting(client);
      await client.write(wantsSignIn);
      await readSignIn(client);
      await client.write(signedIn);
    },
  },
  'the request': { to: untilRequest },
};

function inEachState(): Behaviour[] {
  return Object.entries(states).flatMap(([state, { to, signIn = false }]) => {
    const ways = [
      ['closes', 'proxy-closed', (client: Conversation) => client.end()],
      ['resets', 'proxy-closed', (client: Conversation) => client.reset()],
      ['falls silent', 'proxy-timeout', (client: Conversation) => client.hold()],
    ] as const;
    return ways.map(([verb, expected, then]) => ({
      name: `${verb} after ${state}`,
      scheme: 'socks5' as const,
      expected,
      signIn,
      act: async (client: Conversation) => {
        await to(client);
        await then(client);
      },
    }));
  });
}

/** Every reply cut short at every byte, then closed. */
function truncated(): Behaviour[] {
  const replies = { IPv4: granted(address4), IPv6: granted(address6), name: granted(nameOf(8)) };
  const cuts = Object.entries(replies).flatMap(([kind, reply]) =>
    Array.from({ length: reply.length - 1 }, (_, index) => ({ kind, bytes: reply.subarray(0, index + 1) })),
  );
  const ofReply = cuts.map(({ kind, bytes }) => ({
    name: `closes after ${bytes.length} bytes of a reply with an ${kind} address`.replace(
      'an name',
      'a name',
    ),
    scheme: 'socks5' as const,
    expected: 'proxy-closed' as const,
    act: async (client: Conversation) => {
      await untilRequest(client);
      client.end(bytes);
    },
  }));
  const ofMethod: Behaviour = {
    name: 'closes after 1 byte of its method',
    scheme: 'socks5',
    expected: 'proxy-closed',
    act: async (client) => {
      await readGreeting(client);
      client.end(noSignIn.subarray(0, 1));
    },
  };
  return [ofMethod, ...ofReply];
}

function reply(name: string, expected: Behaviour['expected'], bytes: Uint8Array | string): Behaviour {
  return {
    name,
    scheme: 'socks5',
    expected,
    act: async (client) => {
      await untilRequest(client);
      await client.write(bytes);
      await client.servePage();
    },
  };
}

function method(
  name: string,
  expected: Behaviour['expected'],
  bytes: Uint8Array | string,
  signIn = false,
): Behaviour {
  return {
    name,
    scheme: 'socks5',
    expected,
    signIn,
    act: async (client) => {
      await readGreeting(client);
      await client.write(bytes);
      await client.hold();
    },
  };
}

function signInAnswer(name: string, expected: Behaviour['expected'], bytes: Uint8Array): Behaviour {
  return {
    name,
    scheme: 'socks5',
    expected,
    signIn: true,
    act: async (client) => {
      await readGreeting(client);
      await client.write(wantsSignIn);
      await readSignIn(client);
      await client.write(bytes);
      await readRequest(client);
      await client.write(granted(address4));
      await client.servePage();
    },
  };
}

const atOnce: Behaviour[] = [
  {
    name: 'resets at accept',
    scheme: 'socks5',
    expected: 'proxy-closed',
    orElse: 'proxy-unreachable',
    act: (client) => client.reset(),
  },
  { name: 'closes at accept', scheme: 'socks5', expected: 'proxy-closed', act: (client) => client.end() },
  {
    name: 'takes the connection and never speaks',
    scheme: 'socks5',
    expected: 'proxy-timeout',
    act: (client) => client.hold(),
  },
  {
    name: 'sends without end from the start',
    scheme: 'socks5',
    expected: 'proxy-protocol-error',
    act: (client) => client.flood(new Uint8Array(65_536).fill(5)),
  },
];

const methods: Behaviour[] = [
  method('answers in version 4', 'proxy-protocol-error', Uint8Array.of(4, 0)),
  method('answers as a web server', 'proxy-protocol-error', 'HTTP/1.1 400 Bad Request\r\n\r\n'),
  method('answers garbage', 'proxy-protocol-error', Uint8Array.of(0x9c, 0x11, 0xfe, 0x00, 0x05, 0x00)),
  method('chooses a method that does not exist', 'proxy-protocol-error', Uint8Array.of(5, 0x7f)),
  method('chooses GSSAPI, which was not offered', 'proxy-protocol-error', Uint8Array.of(5, 1)),
  method('accepts no method, so it wants a sign-in', 'proxy-sign-in-refused', Uint8Array.of(5, 0xff)),
  method('accepts no method despite a sign-in', 'proxy-sign-in-refused', Uint8Array.of(5, 0xff), true),
];

const replies: Behaviour[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 0x5b, 0xff].map((code) =>
    reply(`refuses with code ${code}`, 'proxy-refused', refused(code)),
  ),
  reply('replies in version 4', 'proxy-protocol-error', Uint8Array.of(4, 0, 0, ...address4)),
  reply(
    'replies with an unknown kind of address',
    'proxy-protocol-error',
    Uint8Array.of(5, 0, 0, 9, 1, 2, 3, 4, 5, 6),
  ),
  reply(
    'replies with garbage',
    'proxy-protocol-error',
    Uint8Array.of(0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0xfa, 0, 1, 2, 3),
  ),
  reply('replies with an empty name', 'works', granted(nameOf(0))),
  reply('replies with the longest name there is', 'works', granted(nameOf(255))),
  reply('replies with an IPv6 address', 'works', granted(address6)),
  {
    name: 'replies one byte a second, for longer than the deadline',
    scheme: 'socks5',
    expected: 'proxy-timeout',
    act: async (client) => {
      await untilRequest(client);
      await client.trickle(granted(nameOf(255)), 1_000);
    },
  },
  {
    name: 'replies byte by byte, quickly',
    scheme: 'socks5',
    expected: 'works',
    act: async (client) => {
      await untilRequest(client);
      await client.trickle(granted(address4), 2);
      await client.servePage();
    },
  },
  {
    name: 'sends the first data together with the reply',
    scheme: 'socks5',
    expected: 'works',
    act: async (client) => {
      await untilRequest(client);
      client.end(Buffer.concat([granted(address4), Buffer.from(page)]));
    },
  },
];

const signIns: Behaviour[] = [
  signInAnswer('refuses the sign-in', 'proxy-sign-in-refused', Uint8Array.of(1, 1)),
  signInAnswer('refuses the sign-in with 255', 'proxy-sign-in-refused', Uint8Array.of(1, 255)),
  // RFC 1929 has version 1 here; proxies that say 5 are known, and do no harm.
  signInAnswer('answers the sign-in with version 5', 'works', Uint8Array.of(5, 0)),
];

export const socks5: readonly Behaviour[] = named('SOCKS5', [
  ...atOnce,
  ...methods,
  ...inEachState(),
  ...truncated(),
  ...replies,
  ...signIns,
]);

/** Those that carry the connection and then fail it: the dialogue with them is right. */
export const socks5Cut: readonly Behaviour[] = named('SOCKS5', [
  {
    name: 'dies in the middle of what it carries',
    scheme: 'socks5',
    expected: 'works',
    act: async (client) => {
      await untilRequest(client);
      await client.write(granted(address4));
      await client.write(page.slice(0, 20));
      client.reset();
    },
  },
]);
