/** What the reader of the configuration has to say against a text, and the small configurations of its tests. */
import { expect } from 'vitest';
import { parseConfig } from '../../../electron/engine/config/parse.ts';
import { InvalidConfig } from '../../../electron/engine/config/problems.ts';
import { CulvertError } from '../../../electron/shared/failure.ts';
import { sayIn } from '../../../electron/shared/phrase.ts';
import { chinesePhrases } from '../../../electron/shared/phrases-zh-cn.ts';

/** What is said against a text, one problem each; each has its Chinese. */
export function said(text: string): string[] {
  try {
    parseConfig(text);
  } catch (error) {
    if (!(error instanceof CulvertError)) throw error;
    if (error instanceof InvalidConfig)
      for (const { message } of error.problems)
        expect(sayIn(chinesePhrases, message)).toMatch(/\p{Script=Han}/u);
    return (error.failure.detail ?? '').split('; ');
  }
  return [];
}

/** The same for a value, without file and place. */
export function saidOf(value: object): string[] {
  return said(JSON.stringify({ version: 1, ...value })).map((text) =>
    text.replace(/^culvert\.json:1:\d+ /, ''),
  );
}

export const server = { id: 's', kind: 'socks5', host: 'proxy.example', port: 1080 };
export const profile = { id: 'work', name: 'Work', chain: { servers: [server] } };
export const withServer = (parts: object) => ({
  profiles: [{ ...profile, chain: { servers: [{ ...server, ...parts }] } }],
});
