/** What to say when one connection or look-up was refused or failed, or was seen where it may not be. */
import type { Themed } from './sentence.ts';

export const connections = {
  'host-name-invalid': {
    what: 'a connection was refused',
    why: 'its host name has characters that cannot be sent to a proxy, or is too long',
    todo: 'check the name in the app',
  },
  'destination-blocked': {
    what: 'a connection was refused',
    why: 'a rule or a setting of the profile blocks its destination',
    todo: 'change the profile if it should be possible',
  },
  'destination-unreachable': {
    what: 'a connection failed',
    why: 'its destination cannot be reached from this computer',
    todo: 'check that the destination is right and that this computer has a network',
  },
  'fake-address-unmapped': {
    what: 'a connection was refused',
    why: 'the app used an address that stood for a name which is no longer known',
    todo: 'let the app look the name up again (restart it)',
  },
  'dns-failed': {
    what: 'a name could not be looked up',
    why: 'the resolver behind the proxy did not answer',
    todo: 'use --dns fake, or name another resolver',
  },
  'blocked-by-rule': {
    what: 'a connection was refused',
    why: 'a rule blocks it',
    todo: 'see `culvert rule ls` if it should be possible',
  },
  'blocked-by-profile': {
    what: 'a connection was refused',
    why: 'the profile blocks what no rule allows',
    todo: 'choose another profile (`culvert switch`) if it should be possible',
  },
  'host-port-taken': {
    what: 'a port of this computer was not opened to the app',
    why: 'the app listens on the same port itself',
    todo: 'change the port of one of the two',
  },
  'probe-unreachable': {
    what: 'the check could not be made',
    why: 'the server that it asks cannot be reached',
    todo: 'try again later, or name another one with --url; this says nothing about leaks',
  },
  'leak-found': {
    what: 'a leak was found',
    why: 'something reached the outside that did not go the way of the profile',
    todo: 'stop the app and report it with the detail shown here',
  },
} satisfies Themed;
