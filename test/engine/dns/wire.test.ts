import * as dnsPacket from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scan, skipName } from '../../../electron/engine/dns/wire.ts';
import { queryBytes, rawQuery } from './queries.ts';

/** A header with one question and one answer, whose name field is given. */
function withAnswerName(name: number[]): Buffer {
  const query = queryBytes({ name: 'a.b' });
  query.writeUInt16BE(1, 6);
  return Buffer.concat([query, Buffer.from([...name, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1])]);
}

describe('bounds of a message', () => {
  it('a name of 255 bytes passes, one of 256 does not', () => {
    const label = Buffer.alloc(63, 0x61);
    expect(scan(rawQuery([label, label, label, Buffer.alloc(61, 0x61)]))?.questionEnd).toBe(12 + 255 + 4);
    expect(scan(rawQuery([label, label, label, Buffer.alloc(62, 0x61)]))).toBeUndefined();
  });

  it('127 labels pass, more cannot be within 255 bytes', () => {
    const labels = (count: number) => Array.from({ length: count }, () => Buffer.from('a'));
    expect(scan(rawQuery(labels(127)))).toBeDefined();
    expect(scan(rawQuery(labels(128)))).toBeUndefined();
  });

  it('a pointer may lead back to the question', () => {
    expect(scan(withAnswerName([0xc0, 12]))?.records).toHaveLength(1);
    expect(scan(withAnswerName([1, 0x63, 0xc0, 14]))?.records).toHaveLength(1);
  });

  it.each([
    ['to itself', [0xc0, 21]],
    ['forward', [0xc0, 30]],
    ['past the end', [0xff, 0xff]],
    ['into the header', [0xc0, 0]],
    ['to the label in front of it', [1, 0x63, 0xc0, 21]],
    ['of a reserved kind', [0x80, 12]],
    ['of the other reserved kind', [0x40, 12]],
  ])('a pointer %s does not', (_, name) => {
    expect(scan(withAnswerName(name))).toBeUndefined();
  });

  it('a question cannot point anywhere', () => {
    const query = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]);
    expect(scan(query)).toBeUndefined();
  });

  it('pointers that grow a name beyond 255 bytes are found', () => {
    // Each segment is a label of 63 and a pointer to the segment before.
    const segment = (target: number) => [
      63,
      ...Array<number>(63).fill(0x61),
      0xc0 | (target >> 8),
      target & 255,
    ];
    const bytes = [...Array<number>(12).fill(0), 0];
    let target = 12;
    for (let index = 0; index < 4; index += 1) {
      const at = bytes.length;
      bytes.push(...segment(target));
      target = at;
    }
    const message = Buffer.from(bytes);
    expect(skipName(message, 13 + 2 * 66)).toBe(13 + 3 * 66);
    expect(skipName(message, 13 + 3 * 66)).toBe(-1);
  });

  it.each([
    ['a count larger than what is there', (b: Buffer) => b.writeUInt16BE(65_535, 6)],
    ['two questions', (b: Buffer) => b.writeUInt16BE(2, 4)],
    ['no question', (b: Buffer) => b.writeUInt16BE(0, 4)],
  ])('%s is refused', (_, spoil) => {
    const bytes = queryBytes();
    spoil(bytes);
    expect(scan(bytes)).toBeUndefined();
  });

  it('every cut of a message is refused, and so is a byte too many', () => {
    const whole = withAnswerName([0xc0, 12]);
    for (let length = 0; length < whole.length; length += 1) {
      expect(scan(whole.subarray(0, length)), `${length}`).toBeUndefined();
    }
    expect(scan(Buffer.concat([whole, Buffer.alloc(1)]))).toBeUndefined();
  });

  it('what the library writes passes, and the parts are where the library reads them', () => {
    const label = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
    const name = fc.array(label, { minLength: 1, maxLength: 8 }).map((labels) => labels.join('.'));
    fc.assert(
      fc.property(name, fc.array(name, { maxLength: 8 }), fc.nat(0xffff), (asked, targets, id) => {
        const bytes = dnsPacket.encode({
          type: 'response',
          id,
          questions: [{ type: 'CNAME', name: asked }],
          answers: targets.map((data, ttl) => ({ type: 'CNAME', name: asked, ttl, data })),
        });
        const found = scan(bytes);
        expect(found?.id).toBe(id);
        expect(found?.type).toBe(5);
        expect(found?.records.map((record) => record.ttl)).toEqual(targets.map((_, ttl) => ttl));
      }),
    );
  });

  it('100,000 random messages neither throw nor loop', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const message = Buffer.from(bytes);
        if (message.length > 12) message.writeUInt16BE(1, 4);
        const found = scan(message);
        if (found !== undefined) expect(found.questionEnd).toBeLessThanOrEqual(message.length);
      }),
      { numRuns: 100_000 },
    );
  });
});
