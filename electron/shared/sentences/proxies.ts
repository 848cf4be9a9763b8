/** What to say when a proxy, or a chain of them, does not do what it should. */
import type { Themed } from './sentence.ts';

export const proxies = {
  'proxy-url-invalid': {
    what: 'the proxy was not understood',
    why: 'a proxy is written like socks5://user:password@host:port',
    todo: 'correct it and try again',
  },
  'proxy-unreachable': {
    what: "can't reach the proxy",
    why: 'it does not answer at its address',
    todo: 'check that it runs and that the address is right; the app stays without network',
  },
  'proxy-timeout': {
    what: "the proxy didn't answer in time",
    why: 'the time for the whole dialogue is over',
    todo: 'try again later, or use another proxy; the app stays without network',
  },
  'proxy-sign-in-refused': {
    what: 'the proxy refused the sign-in',
    why: 'user name or password are wrong, or it wants some and none were given',
    todo: 'check both',
  },
  'proxy-refused': {
    what: 'the proxy refused the connection',
    why: 'it could not or would not reach the destination',
    todo: 'the reason that it gave is in the detail',
  },
  'proxy-protocol-error': {
    what: "the proxy's answer was not understood",
    why: 'this is not a proxy of the kind that you chose, or it is broken',
    todo: 'check the kind and the port of the proxy',
  },
  'proxy-closed': {
    what: 'the proxy closed the connection',
    why: 'it did so before the dialogue was complete',
    todo: 'check that the kind and the port of the proxy are right',
  },
  'udp-not-offered': {
    what: 'UDP refused',
    why: 'the proxy does not offer it',
    todo: 'apps fall back to TCP where they can; use a SOCKS5 proxy with UDP for the others',
  },
  'chain-empty': {
    what: 'a connection was refused',
    why: 'the profile has no proxy server that is on',
    todo: 'add one to the profile; the app stays without network',
  },
  'chain-exhausted': {
    what: 'a connection was refused',
    why: 'fewer servers of the chain are alive than it needs',
    todo: 'check the servers (`culvert profile test`); the app stays without network',
  },
  'certificate-refused': {
    what: 'the proxy was refused',
    why: 'its certificate cannot be verified',
    todo: 'check the host name and the certificate; if you know it, accept its fingerprint in the profile (`culvert profile edit PROFILE --fingerprint`)',
  },
  'egress-missing': {
    what: 'a connection was refused',
    why: 'the interface that the profile names as the way out is not there',
    todo: 'connect it, or choose another one in the profile; the app stays without network',
  },
} satisfies Themed;
