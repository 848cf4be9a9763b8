/** Where passwords are kept, and why one cannot be kept or read. */
import type { Templates } from './template.ts';

export const passwords = {
  'password.no-keyring': 'the keyring does not answer',
  'password.program-missing': 'the part that speaks to it is missing',
  'password.unread-answer': 'it gave an answer that was not understood',
  'password.too-slow': 'it did not answer within {seconds} s',
  'password.program-ended': 'the part that speaks to it ended',
  'password.in-memory': 'kept until this process ends: {why}',
  'password.was-open':
    'others on this computer could read {file}; now only you can: change the passwords in it if somebody may have',
  'password.keyring': 'the keyring: {why}',
  'password.gone': 'the keyring has no entry for {account} any more',
  'password.too-long': 'a password of more than {most} characters',
  'password.notices': '{all}',
  'password.file-form': '{file}: is not what it should be',
  'password.file-owner': '{file}: belongs to somebody else',
  'password.file-mode': '{file}: others can read it, and its mode cannot be changed: {error}',
  'password.nowhere': 'the password cannot be kept anywhere',
} as const satisfies Templates;
