import { expect, test } from 'vitest';
import { proxyTextsIn, readProxies } from '../../../electron/engine/profiles/typed-proxies.ts';

test('a URL is a proxy with the name behind its #, else with its address', () => {
  const { upstreams, name } = readProxies(['socks5://me:pw@192.0.2.1:1080#My%20work'], {});
  expect(upstreams).toEqual([{ kind: 'socks5', host: '192.0.2.1', port: 1080, user: 'me', password: 'pw' }]);
  expect(name).toBe('My work');
  expect(readProxies(['http://proxy.test:3128'], {}).name).toBe('proxy.test:3128');
});

test('links of other programs are taken too', () => {
  const base64 = Buffer.from('me:pw@192.0.2.1:1080').toString('base64');
  const expected = { kind: 'socks5', host: '192.0.2.1', port: 1080, user: 'me', password: 'pw' };
  for (const link of [`socks://${base64}#x`, '192.0.2.1:1080:me:pw'])
    expect(readProxies([link], {}).upstreams).toEqual([expected]);
});

test('several are a chain, in their order, with a name that is not too long', () => {
  const urls = Array.from({ length: 8 }, (_, index) => `socks5://proxy-number-${index}.example.test:1080`);
  const { upstreams, name } = readProxies(urls, {});
  expect(upstreams.map(({ host }) => host)).toEqual(urls.map((url) => new URL(url).hostname));
  expect(name.length).toBeLessThanOrEqual(60);
});

test('a user without a password takes the one of the environment, where the kind has passwords', () => {
  const env = { CULVERT_PASSWORD: 'from-env' };
  const passwordOf = (url: string) => readProxies([url], env).upstreams[0]?.password;
  expect(passwordOf('socks5://me@192.0.2.1:1080')).toBe('from-env');
  expect(passwordOf('socks5://me:own@192.0.2.1:1080')).toBe('own');
  expect(passwordOf('socks5://192.0.2.1:1080')).toBeUndefined();
  expect(passwordOf('socks4://me@192.0.2.1:1080')).toBeUndefined();
});

test('“direct” is no proxy, and stands alone', () => {
  expect(readProxies(['direct'], {}).upstreams).toEqual([]);
  expect(() => readProxies(['direct', 'socks5://192.0.2.1'], {})).toThrow(/no other proxy/);
});

test.each(['gopher://192.0.2.1:70', 'socks5://me:hunter2@', '', '# a comment', 'a b'])(
  '“%s” is refused, and not repeated',
  (text) => {
    expect(() => readProxies([text], {})).toThrow(/^the proxy was not understood/);
    expect(() => readProxies([text], {})).not.toThrow(/hunter2/);
  },
);

test('a text is taken apart into its proxies, one a line or links beside each other', () => {
  const text =
    '# mine\nsocks5://a.test:1#My work\r\n\n192.0.2.1:1080:me:p w\nsocks5://b.test:1, http://c.test:2 https://d.test';
  expect(proxyTextsIn(text)).toEqual([
    ...['socks5://a.test:1#My work', '192.0.2.1:1080:me:p w'],
    ...['socks5://b.test:1', 'http://c.test:2', 'https://d.test'],
  ]);
  expect(proxyTextsIn(' \n; nothing\n')).toEqual([]);
});
