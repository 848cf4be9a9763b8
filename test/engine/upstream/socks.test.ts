/** The SOCKS dialogue as it is on the wire, over real connections to scripted proxies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Upstream, UpstreamKind } from '#shared/model.ts';
import { dial } from '../../../electron/engine/upstream/dial.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { SocksDialogue } from '../../../electron/engine/upstream/socks.ts';
import { afterRequest, failureFrom, granted, greeted, withProxy, type Script } from './scripted-proxy.ts';

const literal = destinationOf('198.51.100.7', 443);
const name = destinationOf('example.test', 80);
const literal6 = destinationOf('2001:db8::7', 443);

function upstream(port: number, kind: UpstreamKind = 'socks5', signIn: Partial<Upstream> = {}): Upstream {
  return { kind, host: '127.0.0.1', port, ...signIn };
}

/** What the client sends when the proxy answers with these, one after the other. */
async function requests(
  proxy: Partial<Upstream>,
  destination: typeof name,
  exchange: readonly (readonly [wanted: number, answer: readonly number[]])[],
): Promise<string[]> {
  const got: string[] = [];
  const script: Script = async (client) => {
    for (const [wanted, answer] of exchange) {
      got.push((await client.read(wanted)).toString('hex'));
      await client.write(answer);
    }
  };
  await withProxy(script, async (port) => {
    const { socket } = await dial({ ...upstream(port), ...proxy }, destination);
    socket.destroy();
  });
  return got;
}

describe('a SOCKS request', () => {
  it('carries an IPv4 address over SOCKS5', async () => {
    expect(
      await requests({}, literal, [
        [3, greeted],
        [10, granted],
      ]),
    ).toEqual(['050100', '05010001c633640701bb']);
  });

  it('carries a name over SOCKS5 as a name', async () => {
    expect(
      await requests({}, name, [
        [3, greeted],
        [19, granted],
      ]),
    ).toEqual(['050100', `050100030c${Buffer.from('example.test').toString('hex')}0050`]);
  });

  it('carries an IPv6 address over SOCKS5', async () => {
    expect(
      (
        await requests({}, literal6, [
          [3, greeted],
          [22, granted],
        ])
      )[1],
    ).toBe('0501000420010db800000000000000000000000701bb');
  });

  it('carries an IPv4-mapped IPv6 address over SOCKS5', async () => {
    const mapped = destinationOf('::ffff:198.51.100.7', 443);
    expect(
      (
        await requests({}, mapped, [
          [3, greeted],
          [22, granted],
        ])
      )[1],
    ).toBe('0501000400000000000000000000ffffc633640701bb');
  });

  it('signs in when the proxy asks for it', async () => {
    const signIn = { user: 'joe', password: 'pä' };
    expect(
      await requests(signIn, literal, [
        [4, [5, 2]],
        [9, [1, 0]],
        [10, granted],
      ]),
    ).toEqual(['05020002', '01036a6f650370c3a4', '05010001c633640701bb']);
  });

  it('carries the longest name that is allowed', async () => {
    const longest = destinationOf('a'.repeat(253), 80);
    expect(
      (
        await requests({}, longest, [
          [3, greeted],
          [260, granted],
        ])
      )[1],
    ).toMatch(/^05010003fd(61){253}0050$/);
  });

  it('carries an address over SOCKS4 with the user name', async () => {
    const yes = [0, 90, 0, 0, 0, 0, 0, 0];
    expect(await requests({ kind: 'socks4', user: 'joe' }, literal, [[12, yes]])).toEqual([
      '040101bbc63364076a6f6500',
    ]);
  });

  it('carries a name over SOCKS4a behind an address that cannot be', async () => {
    const yes = [0, 90, 0, 0, 0, 0, 0, 0];
    expect(await requests({ kind: 'socks4a' }, name, [[22, yes]])).toEqual([
      `040100500000000100${Buffer.from('example.test\0').toString('hex')}`,
    ]);
  });

  it.each([
    ['socks4', name, /use socks4a/],
    ['socks4', literal6, /IPv6/],
    ['socks4a', literal6, /IPv6/],
  ] as const)('%s refuses what it cannot carry without connecting', async (kind, destination, detail) => {
    let connections = 0;
    await withProxy(
      () => void (connections += 1),
      async (port) => {
        const failure = await failureFrom(dial(upstream(port, kind), destination));
        expect(failure).toMatchObject({
          code: 'proxy-refused',
          detail: expect.stringMatching(detail) as string,
        });
      },
    );
    expect(connections).toBe(0);
  });

  it('is not built with a user name or password that does not fit', async () => {
    for (const signIn of [{ user: 'u'.repeat(256) }, { user: 'u', password: 'ö'.repeat(128) }]) {
      expect((await failureFrom(dial(upstream(1, 'socks5', signIn), literal))).code).toBe(
        'proxy-url-invalid',
      );
    }
  });

  it('is not built for a name that was not checked before', async () => {
    const failure = await failureFrom(dial(upstream(1), { host: 'a\r\nb', port: 80, kind: 'name' }));
    expect(failure.code).toBe('host-name-invalid');
  });
});

describe('a SOCKS5 answer', () => {
  const answered = (answer: readonly number[]) =>
    withProxy(
      afterRequest((client) => client.write(answer)),
      (port) => failureFrom(dial(upstream(port), literal, { deadlineMs: 2000 })),
    );

  it.each([
    [1, 'general failure'],
    [2, 'not allowed by its rules'],
    [3, 'network unreachable'],
    [4, 'host unreachable'],
    [5, 'connection refused'],
    [6, 'time to live expired'],
    [7, 'command not supported'],
    [8, 'address type not supported'],
    [9, 'unknown reason'],
    [255, 'unknown reason'],
  ])('%d means: %s', async (code, meaning) => {
    const expected = { code: 'proxy-refused', detail: `${meaning} (reply ${code})` };
    expect(await answered([5, code, 0, 1, 0, 0, 0, 0, 0, 0])).toEqual(expected);
    // Some proxies close right behind the code.
    expect(await answered([5, code])).toEqual(expected);
  });

  it.each([
    ['another version', [4, 0, 0, 1, 0, 0, 0, 0, 0, 0]],
    ['an unknown address type', [5, 0, 0, 2, 0, 0, 0, 0, 0, 0]],
    ['HTTP', [...Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]],
  ])('with %s is not understood', async (_what, answer) => {
    expect((await answered(answer)).code).toBe('proxy-protocol-error');
  });

  it.each([
    ['an IPv4 address', granted],
    ['an IPv6 address', [5, 0, 0, 4, ...Array<number>(16).fill(7), 0, 80]],
    ['an empty name', [5, 0, 0, 3, 0, 0, 80]],
    ['the longest name', [5, 0, 0, 3, 255, ...Array<number>(255).fill(97), 0, 80]],
  ])('with %s is granted, and what follows is the app’s', async (_what, answer) => {
    await withProxy(
      afterRequest((client) => client.write([...answer, ...Buffer.from('early')])),
      async (port) => {
        const { socket, early } = await dial(upstream(port), literal);
        expect(early.toString()).toBe('early');
        socket.destroy();
      },
    );
  });
});

describe('the sign-in of SOCKS5', () => {
  const signIn = { user: 'joe', password: 'not-to-be-shown' };

  it.each([
    ['no method is acceptable, none offered', {}, [5, 255], 'proxy-sign-in-refused'],
    ['no method is acceptable', signIn, [5, 255], 'proxy-sign-in-refused'],
    ['it chooses what was not offered', {}, [5, 2], 'proxy-protocol-error'],
    ['it chooses GSSAPI', signIn, [5, 1], 'proxy-protocol-error'],
    ['it speaks another version', {}, [4, 0], 'proxy-protocol-error'],
    ['it answers more than was asked', {}, [5, 0, 5, 0], 'proxy-protocol-error'],
  ] as const)('fails when %s', async (_what, credentials, answer, code) => {
    const script: Script = async (client) => {
      await client.read(3);
      await client.write(answer);
    };
    await withProxy(script, async (port) => {
      const failure = await failureFrom(dial(upstream(port, 'socks5', credentials), literal));
      expect(failure.code).toBe(code);
    });
  });

  it.each([
    [[1, 1], 'proxy-sign-in-refused'],
    [[1, 255], 'proxy-sign-in-refused'],
    [[5, 0, 5, 0, 0], 'proxy-protocol-error'],
  ])('answered with %j fails as %s, without the password', async (answer, code) => {
    const script: Script = async (client) => {
      await client.read(4);
      await client.write([5, 2]);
      await client.read(21);
      await client.write(answer);
    };
    await withProxy(script, async (port) => {
      const failure = await failureFrom(dial(upstream(port, 'socks5', signIn), literal));
      expect(failure.code).toBe(code);
      expect(JSON.stringify(failure)).not.toContain('not-to-be-shown');
    });
  });

  it('works with proxies that number the sign-in 5', async () => {
    await requests(signIn, literal, [
      [4, [5, 2]],
      [21, [5, 0]],
      [10, granted],
    ]);
  });
});

describe('a SOCKS4 answer', () => {
  it.each([
    [[0, 91], 'proxy-refused', /rejected or failed \(reply 91\)/],
    [[0, 92], 'proxy-sign-in-refused', /identd/],
    [[0, 93], 'proxy-sign-in-refused', /identd/],
    [[0, 0], 'proxy-protocol-error', /unknown reply 0/],
    [[4, 90], 'proxy-protocol-error', /begins with 4/],
  ] as const)('%j fails as %s', async (start, code, detail) => {
    await withProxy(
      async (client) => {
        await client.read(9);
        await client.write([...start, 0, 0, 0, 0, 0, 0]);
      },
      async (port) => {
        const failure = await failureFrom(dial(upstream(port, 'socks4'), literal));
        expect(failure).toMatchObject({ code, detail: expect.stringMatching(detail) as string });
      },
    );
  });
});

describe('the SOCKS dialogue', () => {
  it('takes the answer in any pieces and gives back exactly the bytes behind it', async () => {
    const answers = [Buffer.from([5, 2]), Buffer.from([1, 0])];
    const last = fc.oneof(
      fc.constant(Buffer.from(granted)),
      fc.uint8Array({ maxLength: 255 }).map((host) => Buffer.from([5, 0, 0, 3, host.length, ...host, 1, 2])),
    );
    const cuts = fc.array(fc.nat(), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(last, fc.uint8Array({ maxLength: 300 }), cuts, async (answer, early, where) => {
        const signIn = { user: 'joe', password: 'x' };
        const dialogue = new SocksDialogue(upstream(1, 'socks5', signIn), name, () => undefined);
        dialogue.start();
        for (const whole of answers) {
          for (const byte of whole) expect(dialogue.receive(Buffer.from([byte]))).toBeUndefined();
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(earlyOf(dialogue, Buffer.concat([answer, early]), where)).toEqual(Buffer.from(early));
      }),
      { numRuns: 300 },
    );
  });

  it('survives any bytes at all with a verdict of ours', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<UpstreamKind>('socks5', 'socks4'),
        fc.array(fc.uint8Array()),
        (kind, chunks) => {
          const dialogue = new SocksDialogue(upstream(1, kind), literal, () => undefined);
          dialogue.start();
          try {
            for (const chunk of chunks) if (dialogue.receive(Buffer.from(chunk)) !== undefined) return;
          } catch (error) {
            expect((error as Error).name).toBe('CulvertError');
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** Delivers the bytes cut at the given places and collects what is left behind the dialogue's end. */
function earlyOf(dialogue: SocksDialogue, bytes: Buffer, where: readonly number[]): Buffer {
  const places = [...new Set([0, ...where.map((place) => place % (bytes.length + 1)), bytes.length])].sort(
    (a, b) => a - b,
  );
  const early: Buffer[] = [];
  let isDone = false;
  places.slice(1).forEach((end, index) => {
    const chunk = bytes.subarray(places[index], end);
    if (isDone) {
      early.push(chunk);
      return;
    }
    const used = dialogue.receive(chunk);
    if (used === undefined) return;
    isDone = true;
    early.push(chunk.subarray(used));
  });
  expect(isDone).toBe(true);
  return Buffer.concat(early);
}
