import type { ConnectionOptions } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxHelloBytes, serverNameOf } from '../../../electron/engine/rules/server-name.ts';
import { helloOf } from './client-hello.ts';

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

function withLength(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u16(body.length), body]);
}

function extensionOf(type: number, body: Buffer): Buffer {
  return Buffer.concat([u16(type), withLength(body)]);
}

function sniOf(name: string, type = 0): Buffer {
  return extensionOf(0, withLength(Buffer.from([type]), withLength(Buffer.from(name))));
}

/** A ClientHello without its record. */
function messageOf(extensions: Buffer | undefined, ciphers = 4): Buffer {
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([32]),
    Buffer.alloc(32, 9),
    withLength(Buffer.alloc(ciphers, 19)),
    Buffer.from([1, 0]),
    extensions === undefined ? Buffer.alloc(0) : withLength(extensions),
  ]);
  return Buffer.concat([Buffer.from([1, body.length >> 16]), u16(body.length & 0xffff), body]);
}

/** Splits a message over records of these sizes, the last one taking the rest. */
function recordsOf(message: Buffer, sizes: readonly number[] = []): Buffer {
  const records: Buffer[] = [];
  let rest = message;
  for (const size of [...sizes, 16_384, 16_384, 16_384]) {
    const part = rest.subarray(0, size);
    rest = rest.subarray(size);
    if (part.length > 0) records.push(Buffer.from([22, 3, 1]), withLength(part));
  }
  return Buffer.concat(records);
}

const plain = recordsOf(messageOf(sniOf('www.example')));
const named = { kind: 'name', name: 'www.example' };
const none = { kind: 'none' };
const more = { kind: 'more' };

describe('the server name of a real ClientHello', () => {
  it.each<[string, ConnectionOptions]>([
    ['of TLS 1.3', { minVersion: 'TLSv1.3' }],
    ['of TLS 1.2', { maxVersion: 'TLSv1.2' }],
    ['with other extensions', { ALPNProtocols: ['h2', 'http/1.1'] }],
  ])('%s is read, and no byte too early', async (_, options) => {
    const hello = await helloOf({ ...options, servername: 'Www.Example.test' });
    expect(serverNameOf(hello)).toEqual({ kind: 'name', name: 'Www.Example.test' });
    const end = hello.indexOf('Www.Example.test') + 'Www.Example.test'.length;
    for (let length = 0; length < end; length++) {
      expect(serverNameOf(hello.subarray(0, length)), `${length} bytes`).toEqual(more);
    }
    expect(serverNameOf(hello.subarray(0, end))).toMatchObject({ kind: 'name' });
  });

  it('without one is none, once nothing but the last extension can be missing', async () => {
    const hello = await helloOf({ servername: '' });
    expect(hello[0]).toBe(22);
    expect(serverNameOf(hello)).toEqual(none);
    expect(serverNameOf(hello.subarray(0, 100))).toEqual(more);
  });
});

describe('the server name', () => {
  it('is found behind other extensions and over any division into records', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 65_535 }), fc.uint8Array({ maxLength: 40 })), {
          maxLength: 8,
        }),
        fc.nat(8),
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 12 }),
        (others, at, sizes) => {
          const extensions = others.map(([type, body]) => extensionOf(type, Buffer.from(body)));
          extensions.splice(at, 0, sniOf('www.example'));
          const bytes = recordsOf(messageOf(Buffer.concat(extensions)), sizes);
          expect(serverNameOf(bytes)).toEqual(named);
          expect(serverNameOf(Buffer.concat([bytes, Buffer.from([99, 99])]))).toEqual(named);
        },
      ),
    );
  });

  it('is decided once: no further byte changes an answer, and none is awaited without need', () => {
    const mangled = fc
      .tuple(fc.nat(plain.length - 1), fc.nat(255), fc.nat(plain.length))
      .map(([at, value, cut]) => {
        const bytes = Buffer.from(plain);
        bytes[at] = value;
        return at < cut ? bytes.subarray(0, cut) : bytes;
      });
    const anything = fc.oneof(
      mangled,
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    );
    const kinds = new Set<string>();
    fc.assert(
      fc.property(anything, (bytes) => {
        let last = serverNameOf(Buffer.alloc(0));
        expect(last).toEqual(more);
        for (let length = 1; length <= bytes.length; length++) {
          const answer = serverNameOf(bytes.subarray(0, length));
          if (last.kind !== 'more') expect(answer).toEqual(last);
          last = answer;
        }
        kinds.add(last.kind);
      }),
      { numRuns: 2000 },
    );
    expect([...kinds].sort()).toEqual(['more', 'name', 'none']);
  });

  it.each([
    ['GET / HTTP/1.1', 1],
    ['SSH-2.0-OpenSSH', 1],
    ['\x16\x04', 2],
    ['\x16\x03\x05', 3],
    ['\x16\x03\x01\x41', 4],
    ['\x16\x03\x01\x40\x01', 5],
    ['\x16\x03\x01\x00\x00', 5],
    ['\x16\x03\x01\x02\x00\x02', 6],
    ['\x16\x03\x01\x02\x00\x01\x04', 7],
    ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x02', 10],
  ])('is none in %j, told by its byte %d', (text, length) => {
    const bytes = Buffer.from(text, 'latin1');
    expect(serverNameOf(bytes.subarray(0, length))).toEqual(none);
    expect(serverNameOf(bytes.subarray(0, length - 1))).toEqual(more);
  });

  it('is none where a second record is of another kind', () => {
    const bytes = recordsOf(messageOf(sniOf('www.example')), [50]);
    expect(serverNameOf(bytes)).toEqual(named);
    bytes[55] = 23;
    expect(serverNameOf(bytes.subarray(0, 55))).toEqual(more);
    expect(serverNameOf(bytes.subarray(0, 56))).toEqual(none);
  });

  it.each([
    ['of another type', sniOf('www.example', 1)],
    ['that is empty', sniOf('')],
    ['that is an address', sniOf('192.0.2.1')],
    ['that some would read as an address', sniOf('127.1')],
    ['with a last dot', sniOf('www.example.')],
    ['with a line break', sniOf('www.example\r\nx')],
    ['with a zero', sniOf('www.example\0')],
    ['beyond ASCII', sniOf('bücher.example')],
    ['that is too long', sniOf(`${'a'.repeat(60)}.`.repeat(4) + 'b'.repeat(14))],
    [
      'whose list is longer than its name',
      extensionOf(0, withLength(Buffer.from([0]), withLength(Buffer.from('a')), Buffer.from([0]))),
    ],
    ['whose extension is empty', extensionOf(0, Buffer.alloc(0))],
    ['that begins in the extension and ends outside', extensionOf(0, Buffer.from([0, 9, 0, 0, 6, 97]))],
  ])('is none where there is one %s', (_, extensions) => {
    expect(serverNameOf(recordsOf(messageOf(extensions)))).toEqual(none);
  });

  it('is none in a hello without extensions, or with an odd number of bytes for ciphers', () => {
    expect(serverNameOf(recordsOf(messageOf(undefined)))).toEqual(none);
    expect(serverNameOf(recordsOf(messageOf(sniOf('www.example'), 5)))).toEqual(none);
    expect(serverNameOf(recordsOf(messageOf(sniOf('www.example'), 0)))).toEqual(none);
  });

  it('is looked for in the first 16 KiB and not beyond', () => {
    const padded = (bytes: number) =>
      recordsOf(messageOf(Buffer.concat([extensionOf(21, Buffer.alloc(bytes)), sniOf('www.example')])));
    expect(serverNameOf(padded(16_000))).toEqual(named);
    const late = padded(maxHelloBytes - 100);
    expect(late.length).toBeGreaterThan(maxHelloBytes);
    expect(serverNameOf(late.subarray(0, maxHelloBytes - 1))).toEqual(more);
    expect(serverNameOf(late.subarray(0, maxHelloBytes))).toEqual(none);
    expect(serverNameOf(late)).toEqual(none);
  });
});
