/** HTTPS proxies: who is accepted, and what comes out of TLS. */
import { once } from 'node:events';
import { type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Upstream } from '#shared/model.ts';
import { ChainDialler } from '../../../electron/engine/upstream/chain.ts';
import { dial } from '../../../electron/engine/upstream/dial.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { afterRequest, delay, failureFrom, granted, withProxy } from './scripted-proxy.ts';
import { smallProxy } from './small-proxy.ts';
import { serveTarget, type Target } from './target.ts';
import {
  inFrontOf,
  makeTestCertificates,
  withTlsServer,
  type TestCertificates,
  type TlsClient,
} from './tls-proxy.ts';

let certificates: TestCertificates;
let target: Target;
const yes = 'HTTP/1.1 200 OK\r\n\r\n';
const name = destinationOf('example.test', 443);

beforeAll(async () => {
  certificates = makeTestCertificates();
  // Read at the first connection that is verified.
  process.env['NODE_EXTRA_CA_CERTS'] = certificates.authorityFile;
  target = await serveTarget();
});
afterAll(() => {
  delete process.env['NODE_EXTRA_CA_CERTS'];
  certificates[Symbol.dispose]();
  target.server.close();
});

function upstream(port: number, more: Partial<Upstream> = {}): Upstream {
  return { kind: 'https', host: 'localhost', port, ...more };
}

/** Answers the head of a request and then acts. */
function afterConnect(act: (client: TlsClient) => void): (client: TlsClient) => void {
  return (client) => {
    client.secured.once('data', () => act(client));
  };
}

const agree = afterConnect(({ secured }) => void secured.write(yes));

async function readAll(socket: Socket): Promise<string> {
  let got = '';
  socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
  socket.resume();
  await once(socket, 'end');
  return got;
}

async function dialStream(port: number): Promise<{ socket: TLSSocket; early: Buffer }> {
  const dialled = await dial(upstream(port), name, { deadlineMs: 3000 });
  if (dialled.kind !== 'stream') throw new Error('not a stream');
  return dialled;
}

describe('the certificate of an HTTPS proxy', () => {
  it('is verified for its name, which TLS is told, with HTTP/1.1 as the only protocol', async () => {
    await withTlsServer(certificates.right, agree, async (port, names) => {
      (await dial(upstream(port), name)).socket.destroy();
      expect(names).toEqual(['localhost', 'http/1.1']);
    });
  });

  it('is verified for its address, which TLS is not told', async () => {
    await withTlsServer(certificates.right, agree, async (port, names) => {
      (await dial(upstream(port, { host: '127.0.0.1' }), name)).socket.destroy();
      expect(names).toEqual([false, 'http/1.1']);
    });
  });

  it.each([
    ['otherName', 'not for localhost'],
    ['selfSigned', 'signed by itself'],
  ] as const)(
    '%s is refused with its reason and fingerprint, and nothing is asked',
    async (which, reason) => {
      let heard = 0;
      const certificate = certificates[which];
      const listenOnly = ({ secured }: TlsClient): void => {
        secured.on('data', () => (heard += 1));
      };
      await withTlsServer(certificate, listenOnly, async (port) => {
        const signIn = { user: 'joe', password: 'secret' };
        const failure = await failureFrom(dial(upstream(port, signIn), name, { deadlineMs: 3000 }));
        expect(failure).toEqual({
          code: 'certificate-refused',
          detail: `${reason}; SHA-256 ${certificate.fingerprint}`,
        });
        await delay(50);
        expect(heard).toBe(0);
      });
    },
  );

  it('is accepted by its fingerprint, whatever else is wrong with it', async () => {
    for (const which of ['otherName', 'selfSigned'] as const) {
      const certificate = certificates[which];
      await withTlsServer(certificate, agree, async (port) => {
        const { fingerprint } = certificate;
        (await dial(upstream(port, { fingerprint }), name)).socket.destroy();
      });
    }
  });

  it('is refused by another fingerprint, also where it could be verified', async () => {
    await withTlsServer(certificates.right, agree, async (port) => {
      const failure = await failureFrom(dial(upstream(port, { fingerprint: '0'.repeat(64) }), name));
      expect(failure).toEqual({
        code: 'certificate-refused',
        detail: `not the one that was accepted; SHA-256 ${certificates.right.fingerprint}`,
      });
    });
  });
});

describe('what is no TLS', () => {
  it.each([
    ['an answer in HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'proxy-protocol-error'],
    ['nonsense', '\x05\x00\x00\x00\x00\x00', 'proxy-protocol-error'],
  ])('%s is told as that', async (_what, answer, code) => {
    await withProxy(
      async (client) => {
        await client.read(1);
        await client.write(answer);
      },
      async (port) => {
        const failure = await failureFrom(dial(upstream(port), name, { deadlineMs: 2000 }));
        expect(failure.code).toBe(code);
        expect(failure.detail).toMatch(/^no TLS with it/);
      },
    );
  });

  it('a close and silence are told as those', async () => {
    await withProxy(
      (client) => void client.socket.end(),
      async (port) => {
        const failure = await failureFrom(dial(upstream(port), name, { deadlineMs: 2000 }));
        expect(failure.code).toBe('proxy-closed');
      },
    );
    await withProxy(
      () => undefined,
      async (port) => {
        const failure = await failureFrom(dial(upstream(port), name, { deadlineMs: 200 }));
        expect(failure).toEqual({
          code: 'proxy-timeout',
          detail: 'nothing after 0.2 s, while agreeing on TLS',
        });
      },
    );
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a stream out of %s', (version) => {
  const options = { minVersion: version, maxVersion: version };

  it('keeps what came with the answer and a half-close of either side', async () => {
    const heard: Promise<string>[] = [];
    const serve = afterConnect(({ secured }) => {
      heard.push(readAll(secured));
      secured.write(`${yes}early`);
      secured.end(' and more');
    });
    await withTlsServer(
      certificates.right,
      serve,
      async (port) => {
        const { socket, early } = await dialStream(port);
        socket.unshift(early);
        expect(await readAll(socket)).toBe('early and more');
        socket.end('the last word');
        expect(await heard[0]).toBe('the last word');
      },
      options,
    );
  });

  it('can be ended by the app first', async () => {
    const serve = afterConnect(({ secured }) => {
      secured.write(yes);
      void readAll(secured).then((text) => secured.end(`heard ${text}`));
    });
    await withTlsServer(
      certificates.right,
      serve,
      async (port) => {
        const { socket } = await dialStream(port);
        socket.end('question');
        expect(await readAll(socket)).toBe('heard question');
      },
      options,
    );
  });

  const cuts: [string, (below: Socket) => unknown][] = [
    ['is reset', (below) => below.resetAndDestroy()],
    ['is cut off without TLS saying so', (below) => below.end()],
  ];

  it.each(cuts)('errs when the connection below %s', async (_what, cut) => {
    const serve = afterConnect(({ secured, below }) => {
      secured.write(`${yes}part`, () => setTimeout(() => cut(below), 30));
    });
    await withTlsServer(
      certificates.right,
      serve,
      async (port) => {
        const { socket } = await dialStream(port);
        let hasEnded = false;
        socket.on('end', () => (hasEnded = true));
        socket.resume();
        const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
        expect(error.code).toBe('ECONNRESET');
        expect(hasEnded).toBe(false);
      },
      options,
    );
  });

  it('that was cut off gives what came before, and then errs', async () => {
    const sent = 'x'.repeat(200_000);
    const serve = afterConnect(({ secured, below }) => {
      secured.write(yes + sent, () => below.end());
    });
    await withTlsServer(
      certificates.right,
      serve,
      async (port) => {
        const { socket, early } = await dialStream(port);
        await delay(100);
        let got = early.toString();
        socket.on('data', (chunk: Buffer) => {
          got += chunk.toString();
          socket.pause();
          setTimeout(() => socket.resume(), 1);
        });
        socket.resume();
        await once(socket, 'error');
        expect(got.length).toBe(sent.length);
      },
      options,
    );
  });

  it('is a reset below when it is given up', async () => {
    const ends: string[] = [];
    const serve = afterConnect(({ secured, below }) => {
      secured.on('end', () => ends.push('end'));
      secured.on('error', () => ends.push('error'));
      secured.on('close', () => ends.push('close'));
      below.on('close', () => ends.push('closed'));
      secured.write(yes);
      secured.resume();
    });
    await withTlsServer(
      certificates.right,
      serve,
      async (port) => {
        const { socket } = await dialStream(port);
        socket.destroy();
        await expect.poll(() => ends).toContain('close');
        expect(ends).not.toContain('end');
      },
      options,
    );
  });
});

describe('TLS in a chain', () => {
  async function converse(chain: ChainDialler): Promise<string> {
    const dialled = await chain.dial(destinationOf('127.0.0.1', target.port), { deadlineMs: 4000 });
    const { socket } = dialled;
    socket.unshift(dialled.early);
    socket.end(' and last');
    const got = await readAll(socket);
    socket.destroy();
    return `${dialled.kind} ${got}`;
  }

  it.each([
    ['first', ['https', 'socks5']],
    ['last', ['socks5', 'https']],
    ['in the middle', ['http', 'https', 'socks4a']],
    ['within TLS', ['https', 'https', 'https']],
  ] as const)('%s: carries both ways and both ends', async (_where, kinds) => {
    await using proxy = await smallProxy();
    await withTlsServer(certificates.right, inFrontOf(proxy.port), async (port) => {
      const upstreams = kinds.map((kind): Upstream => {
        return { kind, host: '127.0.0.1', port: kind === 'https' ? port : proxy.port };
      });
      const chain = new ChainDialler({ mode: 'strict', upstreams });
      expect(await converse(chain)).toBe('stream speaks first and last');
      expect(proxy.asked).toHaveLength(kinds.length);
    });
  });

  it('a server with the wrong certificate is passed over by a dynamic chain only', async () => {
    await using proxy = await smallProxy();
    await withTlsServer(certificates.selfSigned, inFrontOf(proxy.port), async (port) => {
      const upstreams: Upstream[] = [upstream(port), { kind: 'socks5', host: '127.0.0.1', port: proxy.port }];
      const failure = await failureFrom(converse(new ChainDialler({ mode: 'strict', upstreams })));
      expect(failure.code).toBe('certificate-refused');
      expect(failure.detail).toContain(`server 1 of 2, localhost:${port}`);
      expect(await converse(new ChainDialler({ mode: 'dynamic', upstreams }))).toMatch(/^socket /);
    });
  });

  it('bytes before TLS are a protocol error', async () => {
    await withProxy(
      afterRequest((client) => client.write(Buffer.concat([Buffer.from(granted), Buffer.from('x')]))),
      async (port) => {
        const upstreams: Upstream[] = [
          { kind: 'socks5', host: '127.0.0.1', port },
          { kind: 'https', host: '127.0.0.1', port: 443 },
        ];
        const failure = await failureFrom(converse(new ChainDialler({ mode: 'strict', upstreams })));
        expect(failure.code).toBe('proxy-protocol-error');
      },
    );
  });
});
