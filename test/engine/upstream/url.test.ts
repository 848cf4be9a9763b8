import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import { formatUpstream, parseProxyUrl } from '../../../electron/engine/upstream/url.ts';

const parse = (text: string, env: NodeJS.ProcessEnv = {}) => parseProxyUrl(text, env);

function reasonOf(text: string, env: NodeJS.ProcessEnv = {}): string {
  try {
    parse(text, env);
  } catch (error) {
    expect(error).toBeInstanceOf(CulvertError);
    expect((error as CulvertError).failure.code).toBe('proxy-url-invalid');
    return (error as CulvertError).failure.detail ?? '';
  }
  throw new Error(`${text} was accepted`);
}

describe('a proxy URL', () => {
  it.each([
    ['socks5://192.0.2.1:1081', { kind: 'socks5', host: '192.0.2.1', port: 1081 }],
    ['SOCKS5H://proxy.example', { kind: 'socks5', host: 'proxy.example', port: 1080 }],
    ['socks4://192.0.2.1', { kind: 'socks4', host: '192.0.2.1', port: 1080 }],
    ['socks4a://joe@192.0.2.1:9', { kind: 'socks4a', host: '192.0.2.1', port: 9, user: 'joe' }],
    ['http://proxy.example:3128/', { kind: 'http', host: 'proxy.example', port: 3128 }],
    ['https://proxy.example', { kind: 'https', host: 'proxy.example', port: 443 }],
    ['https://[2001:db8::1]:8443/', { kind: 'https', host: '2001:db8::1', port: 8443 }],
    ['proxy.example:1080', { kind: 'socks5', host: 'proxy.example', port: 1080 }],
    [
      'joe:pw@proxy.example:1080',
      { kind: 'socks5', host: 'proxy.example', port: 1080, user: 'joe', password: 'pw' },
    ],
    ['socks5://[2001:db8::1]:1080', { kind: 'socks5', host: '2001:db8::1', port: 1080 }],
    ['[::1]:9050', { kind: 'socks5', host: '::1', port: 9050 }],
    ['socks5://proxy.example:1080#Work', { kind: 'socks5', host: 'proxy.example', port: 1080 }],
    [' socks5://proxy.example:65535\n', { kind: 'socks5', host: 'proxy.example', port: 65535 }],
  ])('%s is read', (text, upstream) => {
    expect(parse(text)).toEqual(upstream);
  });

  it('decodes user name and password', () => {
    const { user, password } = parse('socks5://j%C3%B6e%40home:p%3Aw%2F%25@h:1');
    expect({ user, password }).toEqual({ user: 'jöe@home', password: 'p:w/%' });
  });

  it('takes everything up to the last @ as the sign-in, and everything after the first colon as password', () => {
    expect(parse('socks5://joe:a:b@c@h:1')).toEqual({
      kind: 'socks5',
      host: 'h',
      port: 1,
      user: 'joe',
      password: 'a:b@c',
    });
  });

  it('takes a missing password from CULVERT_PASSWORD, but not an empty one', () => {
    const env = { CULVERT_PASSWORD: 'from-env' };
    expect(parse('socks5://joe@h:1', env).password).toBe('from-env');
    expect(parse('socks5://joe:own@h:1', env).password).toBe('own');
    expect(parse('socks5://joe:@h:1', env).password).toBe('');
    expect(parse('socks5://h:1', env)).not.toHaveProperty('password');
    expect(parse('socks4://joe@h:1', env)).not.toHaveProperty('password');
    expect(parse('socks5://joe@h:1')).not.toHaveProperty('password');
  });

  it.each([
    ['ftp://proxy.example:21', /unknown scheme/],
    ['http://proxy.example', /needs its port/],
    ['proxy.example', /port is missing/],
    ['', /host is missing/],
    ['socks5://', /host is missing/],
    ['socks5://:1080', /host is missing/],
    ['socks5://h:0', /1 to 65535/],
    ['socks5://h:65536', /1 to 65535/],
    ['socks5://h:', /1 to 65535/],
    ['socks5://h:12x', /1 to 65535/],
    ['socks5://2001:db8::1', /brackets/],
    ['socks5://[2001:db8::zz]:1', /IPv6/],
    ['h:1080:joe:secret', /host:port/],
    ['socks5://h:1/path', /nothing may follow/],
    ['socks5://h:1?x=1', /nothing may follow/],
    ['socks5://ho st:1', /characters/],
    ['socks5://h\r\nx:1', /characters/],
    ['socks5://hö.example:1', /characters/],
    [`socks5://${'a'.repeat(254)}:1`, /253/],
    [`socks5://${'a'.repeat(5000)}:1`, /4096/],
    ['socks5://:pw@h:1', /no user name/],
    ['socks5://joe:%zz@h:1', /password has a %/],
    ['socks5://%ff:pw@h:1', /user name has a %/],
    ['socks5://joe:a/b@h:1', /%2F/],
    [`socks5://${'u'.repeat(256)}:pw@h:1`, /user name is longer than 255/],
    [`socks5://joe:${'%C3%B6'.repeat(128)}@h:1`, /password is longer than 255/],
    ['socks4://joe:pw@h:1', /no password/],
    ['socks4://joe%00@h:1', /control characters/],
    ['http://joe:a%0D%0Ab@h:1', /control characters/],
    ['http://jo%3Ae:pw@h:1', /colon/],
  ])('%j is refused with its reason', (text, reason) => {
    expect(reasonOf(text)).toMatch(reason);
  });

  it('is refused when the password of CULVERT_PASSWORD is too long', () => {
    expect(reasonOf('socks5://joe@h:1', { CULVERT_PASSWORD: 'x'.repeat(256) })).toMatch(/255/);
  });

  it('never shows any of the password in an error', () => {
    const marker = 'Zq7';
    const anywhere = fc.tuple(
      fc.string(),
      fc.constantFrom(':', '@', '/', '%', '#', '?', ' ', '://', ''),
      fc.string(),
    );
    fc.assert(
      fc.property(
        anywhere,
        fc.constantFrom('socks5://', 'http://', 'socks4://', ''),
        ([before, mark, after], scheme) => {
          try {
            parse(`${scheme}${before}${marker}${mark}${marker}${after}`);
          } catch (error) {
            expect(String((error as Error).stack)).not.toContain(marker);
            expect((error as Error).cause).toBeUndefined();
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('round-trips any user name and password', () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(text, text, (user, password) => {
        const url = `socks5://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h:1`;
        expect(parse(url)).toMatchObject({ user, password });
      }),
    );
  });

  it('is shown without its secrets', () => {
    expect(formatUpstream(parse('socks5://joe:secret@proxy.example'))).toBe('socks5://proxy.example:1080');
    expect(formatUpstream(parse('http://joe:secret@[2001:db8::1]:3128'))).toBe('http://[2001:db8::1]:3128');
  });
});
