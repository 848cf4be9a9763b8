/** Why a text is no proxy, and what was assumed of one. */
import type { Templates } from './template.ts';

export const proxyTexts = {
  'proxy-text.too-long': 'longer than {most} characters',
  'proxy-text.other-protocol':
    '{protocol} is not a SOCKS or HTTP proxy; run its client and use the SOCKS port that it offers on this computer',
  'proxy-text.as-socks5': 'without a scheme it is taken as SOCKS5',
  'proxy-text.two-readings':
    'it can be read in two ways; write %40 for an “@” and %3A for a “:” in the password',
  'proxy-text.mtproto':
    'Telegram’s own MTProto is not a SOCKS or HTTP proxy; only Telegram itself can use it',
  'proxy-text.server-missing': 'the server is missing',
  'proxy-text.port-missing': 'the port is missing',
  'proxy-text.same-proxy': 'the same proxy as in line {line}',
  'proxy-text.unread-line': 'a line that is no proxy link',
  'proxy-text.scheme': 'unknown scheme; possible are socks5, socks5h, socks4, socks4a, http and https',
  'proxy-text.after-port': 'nothing may follow the port',
  'proxy-text.host-missing': 'the host is missing',
  'proxy-text.brackets': 'an IPv6 address needs brackets, for example socks5://[2001:db8::1]:1080',
  'proxy-text.form': 'the part after the user is not of the form host:port',
  'proxy-text.not-ipv6': 'the brackets do not hold an IPv6 address',
  'proxy-text.host': 'host: {defect}',
  'proxy-text.http-port': 'an HTTP proxy needs its port, for example http://host:3128',
  'proxy-text.port-missing-form': 'the port is missing; write host:port or socks5://host',
  'proxy-text.port': 'the port must be a number from 1 to 65535',
  'proxy-text.escapes': '“/”, “?” and “#” in a user name or password are written as %2F, %3F and %23',
  'proxy-text.user-missing': 'there is a password but no user name',
  'proxy-text.socks4-password': 'SOCKS4 has a user name but no password',
  'proxy-text.user-colon': 'an HTTP proxy takes no user name with a colon',
  'proxy-text.user-long': 'the user name is longer than {most} bytes',
  'proxy-text.password-long': 'the password is longer than {most} bytes',
  'proxy-text.user-controls': 'the user name has control characters',
  'proxy-text.password-controls': 'the password has control characters',
  'proxy-text.user-percent': 'the user name has a % that is not followed by the two digits of a UTF-8 byte',
  'proxy-text.password-percent':
    'the password has a % that is not followed by the two digits of a UTF-8 byte',
  'proxy-text.name-empty': 'the name is empty',
  'proxy-text.name-long': 'the name is longer than {most} bytes',
  'proxy-text.name-characters': 'the name has characters other than letters, digits, “.”, “-” and “_”',
  'proxy-text.not-proxy': 'not a proxy',
  'proxy-text.sign-in': 'the user name or password is not valid text',
  'proxy-text.direct-alone': '“direct” goes with no other proxy',
  'proxy-text.nothing': 'there is no proxy in it',
} as const satisfies Templates;
