import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineReader } from '../../../electron/shared/control/line-reader.ts';

test('lines come out whole however the bytes are cut, characters of several bytes included', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\n', ''))),
      fc.array(fc.nat(20)),
      (lines, cuts) => {
        const heard: string[] = [];
        const reader = new LineReader(1 << 20, (line) => heard.push(line));
        let rest = Buffer.from(lines.map((line) => `${line}\n`).join(''));
        for (const cut of cuts) {
          expect(reader.push(rest.subarray(0, cut))).toBe(true);
          rest = rest.subarray(cut);
        }
        reader.push(rest);
        expect(heard).toEqual(lines.filter((line) => line !== ''));
      },
    ),
  );
});

test('a line that has no end is not kept for ever', () => {
  const reader = new LineReader(100, () => undefined);
  expect(reader.push(Buffer.alloc(90))).toBe(true);
  expect(reader.push(Buffer.alloc(20))).toBe(false);
});
