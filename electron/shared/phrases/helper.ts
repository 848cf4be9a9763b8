/** Why an isolated network is made the way it is, and the particulars of a helper or an engine that is not there. */
import type { Templates } from './template.ts';

export const helpers = {
  'helper.rootless': 'no password is needed: the kernel lets you make isolated networks of your own',
  'helper.by-root': 'Culvert was started by root',
  'helper.polkit': 'the administrator’s permission was asked for by polkit',
  'helper.sudo': 'the administrator’s permission was asked for by sudo',
  'helper.sudo-without-password': 'sudo allows it without a password',
  'helper.desktop': 'the administrator’s permission was asked for by the desktop',
  'helper.other-user': 'user {user} instead of {expected}',
  'helper.late': '{seconds} s',
  'helper.given-up': 'given up',
  'engine.no-answer': 'no answer',
  'engine.ended': 'it ended with {words}',
} as const satisfies Templates;
