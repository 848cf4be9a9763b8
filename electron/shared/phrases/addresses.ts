/** Why a text is no address, range, port or name of a host. */
import type { Templates } from './template.ts';

export const addresses = {
  'address.not-address-or-range': 'not an address or a range of addresses',
  'address.prefix-length': 'what follows the “/” is not a length up to {most}',
  'address.not-address': 'not an address',
  'address.not-port': 'the port is not a number from 1 to 65535',
  'address.not-ports': 'not a port or a range of ports',
  'address.not-span': 'not a range of addresses',
  'address.span-order': 'the range ends before it begins',
  'address.question-mark': '“?” for one character has no counterpart',
  'address.empty': 'it is empty',
  'address.everything': 'a pattern for everything',
  'address.not-host': 'not a host name',
  'address.not-mask': 'a mask that is no range',
  'address.not-entry': 'it {defect}',
} as const satisfies Templates;
