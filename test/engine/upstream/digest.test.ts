/** Digest sign-in: the RFCs' own examples, what is read of challenges, and what never is. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  answerOf,
  parseChallenges,
  strongestDigest,
  type DigestRequest,
} from '../../../electron/engine/upstream/digest.ts';

const request: DigestRequest = {
  method: 'GET',
  uri: '/dir/index.html',
  user: 'Mufasa',
  password: 'Circle of Life',
  cnonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  count: 1,
};
const shared =
  'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';

function answer(challenge: string, more: Partial<DigestRequest> = {}): string {
  const offer = strongestDigest(parseChallenges(challenge));
  if (offer === undefined) throw new Error('no offer');
  return answerOf(offer, { ...request, ...more });
}
const responseIn = (text: string): string | undefined => /response="([0-9a-f]*)"/.exec(text)?.[1];

describe('the examples of RFC 7616 §3.9.1', () => {
  it('MD5', () => {
    const said = answer(`Digest ${shared}, algorithm=MD5`);
    expect(responseIn(said)).toBe('8ca523f5e9506fed4657c9700eebdbec');
    expect(said).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"');
    expect(said).toContain('qop=auth, nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"');
  });

  it('SHA-256, which is taken where both are offered', () => {
    const both = `Digest ${shared}, algorithm=MD5, Digest ${shared}, algorithm=SHA-256`;
    expect(responseIn(answer(both))).toBe('753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1');
    expect(answer(both)).toContain('algorithm=SHA-256');
  });
});

describe('an answer', () => {
  const old =
    'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"';

  it('without qop is that of RFC 2069 (its example as corrected)', () => {
    const said = answer(old, { password: 'CircleOfLife' });
    expect(responseIn(said)).toBe('1949323746fe6a43ef61f9606e7febea');
    expect(said).not.toMatch(/qop|nc=|cnonce|algorithm/);
  });

  it.each(['MD5', 'SHA-256'])('%s-sess hashes the secret with the nonces', (algorithm) => {
    const hash = (text: string): string =>
      createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(text)
        .digest('hex');
    const key = hash(`${hash('Mufasa:r:Circle of Life')}:n:${request.cnonce}`);
    const expected = hash(`${key}:n:0000000a:${request.cnonce}:auth:${hash('GET:/dir/index.html')}`);
    const said = answer(`digest realm=r,nonce=n,qop=auth,algorithm=${algorithm}-sess`, { count: 10 });
    expect(responseIn(said)).toBe(expected);
    expect(said).toContain(`algorithm=${algorithm}-sess`);
  });

  it('quotes what needs it and sends user names in UTF-8', () => {
    const said = answer(String.raw`Digest realm="a \"b\" \\", nonce="n"`, { user: 'jö"e' });
    expect(said).toContain(String.raw`realm="a \"b\" \\"`);
    expect(Buffer.from(said, 'latin1').toString()).toContain(String.raw`username="jö\"e"`);
  });
});

describe('challenges', () => {
  it.each([
    ['Basic realm="x"', ['Basic']],
    ['Negotiate, NTLM', ['Negotiate', 'NTLM']],
    ['Negotiate YII=, Basic realm="a, Digest b"', ['Negotiate', 'Basic']],
    ['Negotiate YIIab==,Digest realm="x",nonce="y"', ['Negotiate', 'Digest']],
    [' , ,Digest realm = "x" , nonce="y", Basic realm=z', ['Digest', 'Basic']],
    ['', []],
    ['"', []],
  ])('%j are read', (text, schemes) => {
    expect(parseChallenges(text).map(({ scheme }) => scheme)).toEqual(schemes);
  });

  it('keep what belongs to each', () => {
    const [digest, basic] = parseChallenges('Digest realm="x", NONCE="a=\\"b", stale=TRUE, Basic realm="z"');
    expect(Object.fromEntries(digest?.params ?? [])).toEqual({ realm: 'x', nonce: 'a="b', stale: 'TRUE' });
    expect(Object.fromEntries(basic?.params ?? [])).toEqual({ realm: 'z' });
  });

  it.each([
    'Digest realm="x"',
    'Digest nonce="x"',
    'Digest realm="x", nonce="y", algorithm=MD4',
    'Digest realm="x", nonce="y", qop="auth-int"',
    'Digest realm="x", nonce="y\u0001"',
    `Digest realm="x", nonce="${'y'.repeat(5000)}"`,
    'Basic realm="x"',
  ])('%j has no Digest that can be answered', (text) => {
    expect(strongestDigest(parseChallenges(text))).toBeUndefined();
  });

  it('of any kind are read within bounds, and no answer to them has a line break', () => {
    const piece = fc.oneof(
      fc.constantFrom('Digest ', 'realm=', 'nonce=', 'qop=', '"', '\\', ',', '=', ' ', 'auth', 'MD5', '\r\n'),
      fc.string({ maxLength: 8 }),
    );
    const text = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (challenge) => {
        const challenges = parseChallenges(challenge);
        expect(challenges.length).toBeLessThanOrEqual(16);
        const offer = strongestDigest(challenges);
        if (offer !== undefined) expect(answerOf(offer, request)).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 2000 },
    );
  });

  it('of any values come back from the text that says them', () => {
    const value = fc.string({
      unit: fc.constantFrom(' ', '!', '"', '#', ',', '=', '\\', 'a', 'Z', '~'),
      maxLength: 20,
    });
    fc.assert(
      fc.property(value, value, (realm, nonce) => {
        const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
        const offer = strongestDigest(
          parseChallenges(`Basic realm="b", Digest realm=${quote(realm)}, nonce=${quote(nonce)}`),
        );
        expect(offer).toMatchObject({ realm, nonce });
      }),
    );
  });

  it('of 16 KiB take no time, whatever is in them', () => {
    for (const text of [
      'a '.repeat(8000),
      '"'.repeat(16_000),
      `x="${'\\'.repeat(16_000)}`,
      '='.repeat(16_000),
      ' '.repeat(16_000),
      `a${' '.repeat(16_000)}`,
    ]) {
      const begin = performance.now();
      parseChallenges(text);
      expect(performance.now() - begin).toBeLessThan(100);
    }
  });
});
