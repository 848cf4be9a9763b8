/** HTTP CONNECT as it is on the wire, over real connections to scripted proxies. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Upstream } from '#shared/model.ts';
import { dial } from '../../../electron/engine/upstream/dial.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { ConnectDialogue, maxHeadBytes } from '../../../electron/engine/upstream/http.ts';
import { delay, failureFrom, withProxy } from './scripted-proxy.ts';

const name = destinationOf('example.test', 443);
const yes = 'HTTP/1.1 200 Connection established\r\n\r\n';

function upstream(port: number, signIn: Partial<Upstream> = {}): Upstream {
  return { kind: 'http', host: '127.0.0.1', port, ...signIn };
}

/** Dials a proxy that answers with these pieces, a moment apart. */
function answered<T>(
  pieces: readonly string[],
  test: (port: number) => Promise<T>,
  request: string[] = [],
): Promise<T> {
  return withProxy(async (client) => {
    request.push(await client.readUntil('\r\n\r\n'));
    for (const [index, piece] of pieces.entries()) {
      if (index > 0) await delay(5);
      await client.write(piece);
    }
  }, test);
}

async function earlyOf(...pieces: string[]): Promise<string> {
  return answered(pieces, async (port) => {
    const { socket, early } = await dial(upstream(port), name);
    socket.destroy();
    return early.toString('latin1');
  });
}

const failureOf = (pieces: readonly string[], signIn: Partial<Upstream> = {}) =>
  answered(pieces, (port) => failureFrom(dial(upstream(port, signIn), name, { deadlineMs: 2000 })));

describe('a CONNECT request', () => {
  const requestFor = async (host: string, signIn: Partial<Upstream> = {}) => {
    const request: string[] = [];
    const connect = async (port: number) => {
      const { socket } = await dial(upstream(port, signIn), destinationOf(host, 443));
      socket.destroy();
    };
    await answered([yes], connect, request);
    return request[0];
  };

  it('names host and port, and nothing about this computer', async () => {
    expect(await requestFor('example.test')).toBe(
      'CONNECT example.test:443 HTTP/1.1\r\nHost: example.test:443\r\n\r\n',
    );
  });

  it('has brackets round an IPv6 address', async () => {
    expect(await requestFor('2001:db8::7')).toBe(
      'CONNECT [2001:db8::7]:443 HTTP/1.1\r\nHost: [2001:db8::7]:443\r\n\r\n',
    );
  });

  it('is not built for a name with a line break', async () => {
    const failure = await failureFrom(dial(upstream(1), { host: 'a\r\nX-Evil: 1', port: 1, kind: 'name' }));
    expect(failure.code).toBe('host-name-invalid');
  });
});

describe('a CONNECT answer that says yes', () => {
  it.each([
    ['in one piece', [`${yes}early`]],
    ['of HTTP/1.0 without a reason', ['HTTP/1.0 200\r\n\r\nearly']],
    ['with another 2xx', ['HTTP/1.1 299 Fine\r\n\r\nearly']],
    ['with Content-Length, which means nothing here', ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nearly']],
    ['with Transfer-Encoding', ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nearly']],
    ['after 100 and 103', [`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n${yes}early`]],
    ['after 100, apart', ['HTTP/1.1 100 Continue\r\n', '\r\n', `${yes}early`]],
    ['with folded lines, one of them blank', ['HTTP/1.1 200 OK\r\nX: a\r\n b\r\n \r\n\r\nearly']],
    ['with a line of two carriage returns', ['HTTP/1.1 200 OK\r\n\r\r\nX: a\r\n\r\nearly']],
    ['with bare line feeds', ['HTTP/1.1 200 OK\nX: a\n\nearly']],
    ['cut inside the last line break', ['HTTP/1.1 200 OK\r\nX: a\r\n\r', '\nearly']],
  ])('%s', async (_what, pieces) => {
    expect(await earlyOf(...pieces)).toBe('early');
  });

  it('leaves line breaks behind the head to the app', async () => {
    expect(await earlyOf(`${yes}\r\n\r\n`)).toBe('\r\n\r\n');
  });
});

describe('a CONNECT answer that says no', () => {
  it.each([
    ['HTTP/1.1 403 Forbidden\r\n\r\n', 'proxy-refused', '403 Forbidden'],
    ['HTTP/1.1 502 Bad\x1b[31m Gateway\r\n\r\n', 'proxy-refused', '502 Bad [31m Gateway'],
    ['HTTP/1.1 302 Found\r\nLocation: http://198.51.100.1/\r\n\r\n', 'proxy-refused', '302 Found'],
    [
      'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\r\n',
      'proxy-sign-in-refused',
      '401 No; it offers Basic',
    ],
    ['HTTP/1.1 407 Sign in\r\n\r\n', 'proxy-sign-in-refused', '407 Sign in'],
    [
      'HTTP/1.1 407 X\r\nProxy-Authenticate: Digest realm="x"\r\nproxy-authenticate:NTLM\r\n\r\n',
      'proxy-sign-in-refused',
      '407 X; it offers Digest, NTLM',
    ],
  ])('%j', async (answer, code, detail) => {
    expect(await failureOf([answer])).toEqual({ code, detail });
  });

  it.each([
    ['another protocol', '\x05\x00'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 2x0 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['101', 'HTTP/1.1 101 Switching\r\n\r\n'],
    ['an empty line', '\r\n\r\n'],
    ['a first line without end', `HTTP/1.1 200 ${'x'.repeat(maxHeadBytes)}`],
    ['endless lines', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(100)}`],
    ['endless provisional answers', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(60)],
  ])('%s is not understood', async (_what, answer) => {
    expect((await failureOf([answer])).code).toBe('proxy-protocol-error');
  });

  it('that repeats what we told it is not shown', async () => {
    const signIn = { user: 'joe', password: 'hunter2' };
    const basic = Buffer.from('joe:hunter2').toString('base64');
    for (const echo of ['hunter2', basic]) {
      for (const status of [403, 407]) {
        const failure = await failureOf(
          [`HTTP/1.1 ${status} ${echo}\r\nProxy-Authenticate: ${echo}\r\n\r\n`],
          signIn,
        );
        expect(JSON.stringify(failure)).not.toContain(echo);
      }
    }
  });
});

describe('the CONNECT dialogue', () => {
  it('takes the answer in any pieces and gives back exactly the bytes behind it', () => {
    const heads = fc.constantFrom(
      yes,
      'HTTP/1.1 100 C\r\n\r\nHTTP/1.0 200\nA: b\n c\n\n',
      'HTTP/1.1 204 \r\nX:\r\n\r\n',
    );
    fc.assert(
      fc.property(heads, fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat()), (head, early, where) => {
        const bytes = Buffer.concat([Buffer.from(head), early]);
        const places = [...new Set([...where.map((at) => at % bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        const dialogue = new ConnectDialogue(upstream(1), name, () => undefined);
        let from = 0;
        for (const end of places) {
          const used = dialogue.receive(bytes.subarray(from, end));
          if (used !== undefined) {
            expect(bytes.subarray(from + used)).toEqual(Buffer.from(early));
            return;
          }
          from = end;
        }
        expect.unreachable();
      }),
      { numRuns: 1000 },
    );
  });

  it('survives any bytes at all with a verdict of ours', () => {
    const word = fc.constantFrom('HTTP/1.1 ', '200', '100', ' ', '\r\n', '\n', '\r', 'X: y', '\0', 'é');
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string())), (pieces) => {
        const dialogue = new ConnectDialogue(upstream(1), name, () => undefined);
        try {
          for (const piece of ['HTTP/1.', ...pieces])
            if (dialogue.receive(Buffer.from(piece)) !== undefined) return;
        } catch (error) {
          expect((error as Error).name).toBe('CulvertError');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
