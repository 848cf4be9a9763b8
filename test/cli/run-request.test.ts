import { describe, expect, test } from 'vitest';
import { dnsOf, isolationOf, upstreamsOf, wordOf } from '../../electron/cli/run-request.ts';
import { lacksPassword } from '../../electron/engine/upstream/url.ts';

describe('--dns', () => {
  test('left out means fake through a proxy and host without one', () => {
    expect(dnsOf(undefined, false)).toEqual({ mode: 'fake' });
    expect(dnsOf(undefined, true)).toEqual({ mode: 'host' });
  });

  test.each(['192.0.2.53', '192.0.2.53:5353', '2001:db8::53', '[2001:db8::53]', '[2001:db8::53]:5353'])(
    'remote takes the resolver %s',
    (resolver) => {
      expect(dnsOf(`remote=${resolver}`, false)).toEqual({ mode: 'remote', resolver });
    },
  );

  test.each([
    '',
    'dns.example',
    '192.0.2.53:0',
    '192.0.2.53:70000',
    '192.0.2.999',
    '[192.0.2.53]:53',
    '::1:53:x',
  ])('remote refuses the resolver “%s”', (resolver) => {
    expect(() => dnsOf(`remote=${resolver}`, false)).toThrow(/resolver is an IP address/);
  });

  test('host beside a proxy is refused: the questions would go around it', () => {
    expect(() => dnsOf('host', false)).toThrow(/around the proxy/);
    expect(dnsOf('host', true)).toEqual({ mode: 'host' });
  });

  test('an address belongs to remote only', () => {
    expect(() => dnsOf('fake=192.0.2.53', false)).toThrow(/takes no address/);
  });
});

test('a wrong word is answered with the possible ones', () => {
  expect(() => isolationOf('maybe')).toThrow(/--isolation is one of auto, helper, rootless, not “maybe”/);
  expect(wordOf('--udp', 'block', ['allow', 'block'])).toBe('block');
});

describe('--proxy', () => {
  test('direct is no proxy', () => {
    expect(upstreamsOf(['direct'], {})).toEqual([]);
    expect(() => upstreamsOf(['direct', 'socks5://192.0.2.1'], {})).toThrow(/no other proxy/);
  });

  test('a user without a password lacks one until the environment gives it', () => {
    const url = 'socks5://me@192.0.2.1:1080';
    expect(upstreamsOf([url], {}).map(lacksPassword)).toEqual([true]);
    expect(upstreamsOf([url], { CULVERT_PASSWORD: 's' }).map(lacksPassword)).toEqual([false]);
  });

  test('nobody is asked for a password where there is no user, an empty one, or a kind without passwords', () => {
    for (const url of [
      'socks5://192.0.2.1:1080',
      'socks5://me:@192.0.2.1:1080',
      'socks4://me@192.0.2.1:1080',
    ]) {
      expect(upstreamsOf([url], {}).map(lacksPassword)).toEqual([false]);
    }
  });
});
