import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { CulvertError } from '#shared/failure.ts';
import { importLine } from '#shared/profile-protocol.ts';
import { importKinds, importText, type ImportKind } from '../../../electron/engine/import/index.ts';
import { canary, expectSound, fixture, fixtures, isChinese, mutated, refusalOf } from './texts.ts';

const mebibyte = 1024 * 1024;
/** A text of nearly 4 MiB in at most 9,000 lines. */
const filled = (bit: string) => bit.repeat(Math.floor((4 * mebibyte - 100) / Buffer.byteLength(bit)));

/** Longest that an import may take; far above what is measured, far below what a square would be. */
const mostMs = 15_000;

function survives(text: string, kind?: ImportKind): void {
  try {
    expectSound(importText(text, { ...(kind !== undefined && { kind }), profile: 'work' }));
  } catch (error) {
    if (!(error instanceof CulvertError)) throw error;
    expect(error.failure.code).toBe('import-invalid');
    expect(error.failure.detail).not.toContain(canary);
    expect(isChinese(error.failure.phrase)).toBe(true);
  }
}

describe('the limits of an import', () => {
  it.each([
    ['bytes', 'x'.repeat(4 * mebibyte + 1), '4194305 bytes; at most 4194304'],
    ['bytes of a buffer', Buffer.alloc(5 * mebibyte), '5242880 bytes'],
    ['lines', 'socks5://h:1\n'.repeat(10_001), '10001 lines; at most 10000'],
    [
      'profiles',
      Array.from({ length: 501 }, (_, at) => `socks5://h${at}:1`).join('\n'),
      'more than 500 profiles',
    ],
    ['text', 'a\0b', 'not a text'],
    ['UTF-8', Buffer.from([0x68, 0xff, 0xfe, 0x80]), 'not a text in UTF-8'],
  ])('are told with the figure: %s', (_what, input, reason) => {
    expect(refusalOf(input)).toContain(reason);
  });

  it('count rules', () => {
    const rules = Array.from({ length: 20_001 }, (_, at) => ({ id: `r${at}`, match: {}, action: 'block' }));
    expect(refusalOf(JSON.stringify({ profiles: [], rules }))).toContain('more than 20000 rules');
    expect(importText(JSON.stringify({ profiles: [], rules: rules.slice(1) })).rules).toHaveLength(20_000);
  });

  it('let as much through as they allow', () => {
    const text = Array.from({ length: 500 }, (_, at) => `socks5://joe:pw@h${at}.example:1#P${at % 7}`).join(
      '\n',
    );
    expectSound(importText(text));
    expect(importText(`${text}\n`).profiles).toHaveLength(500);
    const rules = Array.from({ length: 9_900 }, (_, at) => `- DOMAIN,h${at}.example,A`).join('\n');
    const clash = `proxies: [{name: A, type: socks5, server: h, port: 1}]\nrules:\n${rules}\n- MATCH,A\n`;
    expect(importText(clash).rules).toHaveLength(9_900);
  });

  it('read UTF-16 and Windows ends of line as well', () => {
    expect(
      importText(Buffer.from('\ufeffsocks5://h:1\r\nsocks5://i:1\r\n', 'utf16le')).profiles,
    ).toHaveLength(2);
    expect(importText(Buffer.from('\ufeffsocks5://h:1\rsocks5://i:1')).lines.map(({ line }) => line)).toEqual(
      [1, 2],
    );
  });
});

describe('whatever comes in', () => {
  it.each(fixtures.flatMap((name) => importKinds.map((kind) => [name, kind] as const)))(
    '%s read as %s is taken or refused',
    (name, kind) => survives(fixture(name), kind),
  );

  it.each(fixtures)('%s is told to a window word for word', (name) => {
    const { lines } = importText(fixture(name), { name });
    expect(lines.map((line) => v.parse(importLine, line))).toEqual(lines);
  });

  it.each(fixtures)('%s with damage is taken or refused', (name) => {
    fc.assert(
      fc.property(mutated(fixture(name)), (text) => survives(text)),
      { numRuns: 300 },
    );
  });

  it.each(importKinds)('any text read as %s is taken or refused', (kind) => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => survives(text, kind)),
      { numRuns: 300 },
    );
    const bytes = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(bytes, (input) => survives(Buffer.from(input).toString('latin1'), kind)),
      { numRuns: 300 },
    );
  });

  it('JSON with damage is taken or refused', () => {
    const { profiles, rules, secrets } = importText(fixture('work.ppx'));
    const text = JSON.stringify({ version: 1, profiles, rules, secrets }, undefined, 1);
    fc.assert(
      fc.property(mutated(text), (damaged) => survives(damaged, 'culvert')),
      { numRuns: 300 },
    );
  });

  it('shows no password of a line, however it is broken', () => {
    const forms = [
      `socks5://joe:${canary}@h.example:1080#n`,
      `h.example:1080:joe:${canary}`,
      `export ALL_PROXY="socks5://joe:${canary}@h.example:1080"`,
      `[ProxyList]\nsocks5 192.0.2.1 1080 joe ${canary}`,
    ];
    // A “#” is left out: what stands behind it is a name by definition, and shown.
    const put = fc.constantFrom('', '@', ':', '/', ' ', '%', ',', '"', '[', '?');
    const steps = fc.array(fc.record({ at: fc.nat(40), put }), { maxLength: 3 });
    const property = fc.property(fc.constantFrom(...forms), steps, (form, changes) => {
      const text = changes.reduce((now, change) => {
        const start = now.indexOf(canary);
        const place = Math.min(change.at, now.length);
        const isInside = place > start && place < start + canary.length;
        return isInside ? now : now.slice(0, place) + change.put + now.slice(place);
      }, form);
      const { lines } = importText(text);
      expect(JSON.stringify(lines)).not.toContain(canary);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it.each([
    ['links', filled('socks5://')],
    ['links', filled(',')],
    ['links', filled('a:')],
    ['links', filled(`${' '.repeat(450)}\n`)],
    ['links', filled(`socks://${'A'.repeat(500)}\n`)],
    ['environment', filled(' ')],
    ['environment', `no_proxy=${filled('a.b,').slice(0, -20)}`],
    ['environment', `ALL_PROXY=${filled(' #').slice(0, -20)}`],
    ['proxychains', filled(`localnet ${'1'.repeat(490)}\n`)],
    ['proxychains', filled('chain_len ')],
    ['proxifier', filled('<a>')],
    ['proxifier', `<ProxifierProfile>${filled('<a/>').slice(0, -60)}</ProxifierProfile>`],
    ['proxifier', filled('<!--')],
    ['proxifier', `<ProxifierProfile ${filled('a="" ').slice(0, -60)}/>`],
    ['clash', filled('[')],
    ['clash', filled('- ')],
    ['clash', `proxies: {${filled('a,').slice(0, -60)}}`],
    ['clash', filled('"')],
    ['clash', filled(`a: &a "x"\n${' '.repeat(450)}\n`)],
    ['culvert', `{"profiles": [${filled('1,').slice(0, -60)}1]}`],
    ['culvert', filled('{"a":')],
    ['direct-list', filled('1.')],
  ] as const)('%s of 4 MiB ends in time', (kind, text) => {
    const started = performance.now();
    survives(text, kind);
    expect(performance.now() - started).toBeLessThan(mostMs);
  });
});
