/** How an HTTP proxy is signed in to over its connections: what is said first, what is remembered, what never is said. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { dial } from '../../../electron/engine/upstream/dial.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { Again } from '../../../electron/engine/upstream/dialogue.ts';
import { ConnectDialogue } from '../../../electron/engine/upstream/http.ts';
import { failureFrom, withProxy } from './scripted-proxy.ts';

const destination = destinationOf('example.test', 443);
const yes = 'HTTP/1.1 200 OK\r\n\r\n';
const signIn = { user: 'jöe', password: 'p:w' };
const basic = `Basic ${Buffer.from('jöe:p:w').toString('base64')}`;

/** A proxy that answers by what it was told of the sender; requests are numbered from 0. */
async function withAnswers<T>(
  answer: (said: string | undefined, index: number) => string,
  test: (upstream: Upstream, said: (string | undefined)[]) => Promise<T>,
  credentials: Partial<Upstream> = signIn,
): Promise<T> {
  const said: (string | undefined)[] = [];
  return withProxy(
    async (client) => {
      const request = await client.readUntil('\r\n\r\n');
      const header = /^Proxy-Authorization: (.*)\r$/m.exec(request)?.[1];
      await client.write(answer(header, said.push(header) - 1));
    },
    (port) => test({ kind: 'http', host: '127.0.0.1', port, ...credentials }, said),
  );
}

async function connect(upstream: Upstream): Promise<void> {
  (await dial(upstream, destination, { deadlineMs: 3000 })).socket.destroy();
}

const refusal = (...challenges: string[]): string =>
  `HTTP/1.1 407 No\r\n${challenges.map((text) => `Proxy-Authenticate: ${text}\r\n`).join('')}\r\n`;
const digest = (nonce: string, more = ''): string => `Digest realm="r", nonce="${nonce}", qop="auth"${more}`;
const nonceIn = (said: string | undefined): string | undefined => /nonce="([^"]*)"/.exec(said ?? '')?.[1];
const countIn = (said: string | undefined): string | undefined => /nc=([0-9a-f]+)/.exec(said ?? '')?.[1];

describe('Basic', () => {
  it('is said when it is asked for, and from then on at once', async () => {
    await withAnswers(
      (said) => (said === basic ? yes : refusal('Basic realm="x"')),
      async (upstream, said) => {
        await connect(upstream);
        await connect(upstream);
        expect(said).toEqual([undefined, basic, basic]);
      },
    );
  });

  it.each(['HTTP/1.1 200 OK\r\n\r\n', 'HTTP/1.1 403 No\r\n\r\n'])(
    'is also said to a proxy that does not ask and answers %j',
    async (first) => {
      await withAnswers(
        (_said, index) => (index === 0 ? first : yes),
        async (upstream, said) => {
          await connect(upstream);
          await connect(upstream);
          expect(said).toEqual([undefined, basic, basic]);
        },
      );
    },
  );

  it('is not tried again once it was refused', async () => {
    await withAnswers(
      () => refusal('Basic realm="x"'),
      async (upstream, said) => {
        const failure = await failureFrom(connect(upstream));
        expect(failure).toEqual({ code: 'proxy-sign-in-refused', detail: '407 No; it offers Basic' });
        expect(said).toHaveLength(2);
      },
    );
  });

  it('is not said to a proxy that wants something else', async () => {
    await withAnswers(
      () => refusal('Negotiate', 'NTLM'),
      async (upstream, said) => {
        expect((await failureFrom(connect(upstream))).detail).toBe('407 No; it offers Negotiate, NTLM');
        expect(said).toEqual([undefined]);
      },
    );
  });

  it('nobody is asked twice without credentials', async () => {
    await withAnswers(
      () => refusal(digest('n')),
      async (upstream, said) => {
        expect((await failureFrom(connect(upstream))).detail).toBe('407 No; it offers Digest');
        expect(said).toEqual([undefined]);
      },
      {},
    );
  });
});

describe('Digest', () => {
  it('is preferred to Basic, remembered, and its count rises', async () => {
    await withAnswers(
      (said) => (said === undefined ? refusal('Basic realm="r"', digest('n1')) : yes),
      async (upstream, said) => {
        for (let round = 0; round < 3; round += 1) await connect(upstream);
        expect(said.map(nonceIn)).toEqual([undefined, 'n1', 'n1', 'n1']);
        expect(said.map(countIn)).toEqual([undefined, '00000001', '00000002', '00000003']);
        expect(said.join()).not.toContain('Basic');
      },
    );
  });

  it('takes a new nonce where the one before has run out', async () => {
    await withAnswers(
      (said, index) => {
        if (said === undefined) return refusal(digest('n1'));
        return index === 2 ? refusal(digest('n2', ', stale=true')) : yes;
      },
      async (upstream, said) => {
        await connect(upstream);
        await connect(upstream);
        expect(said.map(nonceIn)).toEqual([undefined, 'n1', 'n1', 'n2']);
      },
    );
  });

  it('with a wrong password is refused after one try', async () => {
    await withAnswers(
      (_said, index) => refusal(digest(`n${index}`)),
      async (upstream, said) => {
        expect((await failureFrom(connect(upstream))).code).toBe('proxy-sign-in-refused');
        expect(said).toHaveLength(2);
      },
    );
  });

  it('that is stale for ever is given up', async () => {
    await withAnswers(
      (_said, index) => refusal(digest(`n${index}`, ', stale=true')),
      async (upstream, said) => {
        expect((await failureFrom(connect(upstream))).code).toBe('proxy-sign-in-refused');
        expect(said.length).toBeLessThan(6);
      },
    );
  });

  it('is never followed by Basic', async () => {
    await withAnswers(
      (said, index) => (index < 1 ? refusal(digest('n')) : said === basic ? yes : refusal('Basic realm="r"')),
      async (upstream, said) => {
        expect((await failureFrom(connect(upstream))).code).toBe('proxy-sign-in-refused');
        expect((await failureFrom(connect(upstream))).code).toBe('proxy-sign-in-refused');
        expect(said.join()).not.toContain('Basic');
      },
    );
  });

  it('gives every connection beside another a nonce of its own', async () => {
    let next = 0;
    await withAnswers(
      (said) => (said === undefined ? refusal(digest(`n${next++}`)) : yes),
      async (upstream, said) => {
        await Promise.all(Array.from({ length: 8 }, () => connect(upstream)));
        await Promise.all(Array.from({ length: 8 }, () => connect(upstream)));
        const uses = said.filter((header) => header !== undefined);
        const pairs = uses.map((header) => `${nonceIn(header) ?? ''} ${countIn(header) ?? ''}`);
        expect(new Set(pairs).size).toBe(16);
      },
    );
  });
});

it('a user name that would end the header is not said at all', async () => {
  for (const user of ['a\r\nX-Evil: 1', 'a:b']) {
    const upstream: Upstream = { kind: 'http', host: '127.0.0.1', port: 1, user, password: 'x' };
    expect((await failureFrom(connect(upstream))).code).toBe('proxy-url-invalid');
  }
});

describe('a challenge on the wire', () => {
  /** What a first dialogue makes of an answer that comes in pieces of the given sizes. */
  function verdict(answer: Buffer, sizes: readonly number[]): 'again' | 'yes' | 'waits' | CulvertError {
    const upstream: Upstream = { kind: 'http', host: 'proxy.test', port: 1, ...signIn };
    const dialogue = new ConnectDialogue(upstream, destination, () => undefined);
    dialogue.start();
    let at = 0;
    try {
      for (let round = 0; at < answer.length; round += 1) {
        const size = Math.max(1, sizes[round % sizes.length] ?? 1);
        if (dialogue.receive(answer.subarray(at, at + size)) !== undefined) return 'yes';
        at += size;
      }
      return 'waits';
    } catch (error) {
      if (error instanceof Again) return 'again';
      expect(error).toBeInstanceOf(CulvertError);
      return error as CulvertError;
    }
  }
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

  it('is the same however it is cut', () => {
    const whole = Buffer.from(refusal('Basic realm="r"', digest('n')));
    fc.assert(
      fc.property(sizes, (cut) => {
        expect(verdict(whole, cut)).toBe('again');
      }),
    );
    for (let length = 1; length < whole.length; length += 1)
      expect(verdict(whole.subarray(0, length), [1])).toBe('waits');
  });

  it('of any bytes is an answer, a failure or not yet over', () => {
    const bytes = fc.array(
      fc.oneof(
        fc.constantFrom(
          'HTTP/1.1 407 No\r\n',
          'HTTP/1.1 200 OK\r\n',
          'Proxy-Authenticate: ',
          'Digest ',
          'nonce="n"',
        ),
        fc.constantFrom('\r\n', '\r\n\r\n', ',', 'realm=r', 'Basic'),
        fc.string({ maxLength: 6 }),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(bytes, sizes, (parts, cut) => {
        verdict(Buffer.from(parts.join(''), 'latin1'), cut);
      }),
      { numRuns: 1000 },
    );
  });
});
