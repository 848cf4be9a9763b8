/** Hostile HTTP proxies, CONNECT (RFC 9110 §9.3.6). */
import { type Behaviour, named } from './behaviour.ts';
import { page, type Conversation } from './conversation.ts';

const established = 'HTTP/1.1 200 Connection established\r\n\r\n';

async function readRequest(client: Conversation): Promise<void> {
  await client.readTo('\r\n\r\n');
}

function reply(name: string, expected: Behaviour['expected'], text: string): Behaviour {
  return then(name, expected, async (client) => {
    await client.write(text);
    await client.servePage();
  });
}

function then(name: string, expected: Behaviour['expected'], act: Behaviour['act']): Behaviour {
  return {
    name,
    scheme: 'http',
    expected,
    act: async (client) => {
      await readRequest(client);
      await act(client);
    },
  };
}

const refusals: Behaviour[] = [
  ...[400, 403, 404, 405, 429, 500, 502, 503, 504].map((status) =>
    reply(`refuses with ${status}`, 'proxy-refused', `HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`),
  ),
  reply(
    'wants a sign-in',
    'proxy-sign-in-refused',
    'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n',
  ),
];

const digest = 'Proxy-Authenticate: Digest realm="x", qop="auth", nonce=';

/** Of proxies that want a sign-in, with one that can be given. */
const signIns: Behaviour[] = [
  reply(
    'finds every nonce stale',
    'proxy-sign-in-refused',
    `HTTP/1.1 407 No\r\n${digest}"n", stale=true\r\n\r\n`,
  ),
  reply(
    'wants Digest in ways that there are not',
    'proxy-sign-in-refused',
    `HTTP/1.1 407 No\r\n${digest}"n", algorithm=X\r\n\r\n`,
  ),
  reply(
    'has a nonce that would end the header',
    'proxy-sign-in-refused',
    `HTTP/1.1 407 No\r\n${digest}"a\0b\\\x0b"\r\n\r\n`,
  ),
  reply(
    'offers more ways than anybody reads',
    'proxy-sign-in-refused',
    `HTTP/1.1 407 No\r\nProxy-Authenticate: ${'a,'.repeat(7000)}\r\n\r\n`,
  ),
  reply(
    'has a quote without an end',
    'proxy-sign-in-refused',
    `HTTP/1.1 407 No\r\n${digest}"${'\\'.repeat(10_000)}\r\n\r\n`,
  ),
].map((behaviour) => ({ ...behaviour, signIn: true }));

const lies: Behaviour[] = [
  reply('answers as an ssh server', 'proxy-protocol-error', 'SSH-2.0-OpenSSH_9.2\r\n'),
  reply('answers in SOCKS5', 'proxy-protocol-error', '\x05\x00\x00\x01'),
  reply('answers with a status that is no number', 'proxy-protocol-error', 'HTTP/1.1 abc OK\r\n\r\n'),
  then('sends headers without end', 'proxy-protocol-error', async (client) => {
    await client.write('HTTP/1.1 200 OK\r\n');
    await client.flood(Buffer.from('X-More: and more\r\n'.repeat(100)));
  }),
  then('sends one line without end', 'proxy-protocol-error', async (client) => {
    await client.write('HTTP/1.1 200 ');
    await client.flood(Buffer.alloc(65_536, 'x'));
  }),
  then('sends provisional answers without end', 'proxy-protocol-error', (client) =>
    client.flood(Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'.repeat(100))),
  ),
];

const endings: Behaviour[] = [
  { name: 'closes at accept', scheme: 'http', expected: 'proxy-closed', act: (client) => client.end() },
  then('closes after the request', 'proxy-closed', (client) => client.end()),
  then('resets after the request', 'proxy-closed', (client) => client.reset()),
  then('never answers', 'proxy-timeout', (client) => client.hold()),
  ...Array.from({ length: established.length - 1 }, (_, index) =>
    then(`closes after ${index + 1} bytes of its yes`, 'proxy-closed', (client) => {
      client.end(established.slice(0, index + 1));
    }),
  ),
  then('answers one byte a second', 'proxy-timeout', (client) =>
    client.trickle(Buffer.from(established), 1_000),
  ),
];

const oddities: Behaviour[] = [
  reply('says yes in HTTP/1.0', 'works', 'HTTP/1.0 200 OK\r\n\r\n'),
  reply('says yes with 204', 'works', 'HTTP/1.1 204 Whatever\r\n\r\n'),
  reply(
    'says yes with a Content-Length, which has no meaning there',
    'works',
    'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n',
  ),
  reply('says yes after a provisional answer', 'works', `HTTP/1.1 100 Continue\r\n\r\n${established}`),
  then('sends the first data together with its yes', 'works', (client) =>
    client.end(`${established}${page}`),
  ),
];

export const http: readonly Behaviour[] = named('HTTP', [
  ...refusals,
  ...signIns,
  ...lies,
  ...endings,
  ...oddities,
]);
