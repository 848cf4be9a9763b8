/** Where passwords are kept, for the verbs that keep some, and telling of it. */
import { inEnglish } from '#shared/phrase.ts';
import { Secrets } from '#engine';
import { complain } from './output.ts';

/** `productDir` is where the program is that asks the keyring. */
export function openSecrets(productDir: string): Promise<Secrets> {
  return Secrets.open({ productDir });
}

/** Says on stderr where that many passwords were kept. */
export function tellPlace({ notices }: Secrets, number: number): void {
  if (number === 0) return;
  if (notices.length > 0) for (const notice of notices) complain(inEnglish(notice));
  else
    complain(
      `${number === 1 ? 'the password is' : `${number} passwords are`} kept — in the keyring of this session — ` +
        'the configuration has none',
    );
}
