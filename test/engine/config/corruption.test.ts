/** Settings that were damaged by whatever: told, never written over, and never the last copy of them that there was. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeAnew } from '../../../electron/engine/config/rewrite.ts';
import { Secrets } from '../../../electron/engine/secrets/secrets.ts';
import { configWith, failureIn, profileWith, Sandbox } from './sandbox.ts';

const good = configWith({
  defaultProfile: 'work',
  profiles: [profileWith('work'), profileWith('home')],
  rules: [{ id: 'no-ads', match: { to: ['.ads.test'] }, action: 'block' }],
  apps: { firefox: 'home' },
});
const text = writeAnew(good);

/** What becomes of files: cut short, filled with nothing, with bits of others, with bytes that are no text. */
function damagesOf(whole: string): [string, Buffer][] {
  const bytes = Buffer.from(whole);
  const places = Array.from({ length: 30 }, (_, at) => Math.floor(((at + 0.5) * bytes.length) / 30));
  const changed = (at: number, put: string | Uint8Array, cut = 0): Buffer =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(put), bytes.subarray(at + cut)]);
  const zeros = (at: number, length: number): Buffer =>
    Buffer.from(bytes).fill(0, at, Math.min(at + length, bytes.length));
  return [
    ...places.map((at): [string, Buffer] => [`cut off after ${at} bytes`, bytes.subarray(0, at)]),
    ...places.map((at): [string, Buffer] => [`without its first ${at} bytes`, bytes.subarray(at)]),
    ...places.map((at): [string, Buffer] => [`with a block of zeros at ${at}`, zeros(at, 16)]),
    ...places.map((at): [string, Buffer] => [
      `with a byte at ${at} that no text has`,
      changed(at, Uint8Array.of(0xff), 1),
    ]),
    ...places.map((at): [string, Buffer] => [`with an unclosed brace at ${at}`, changed(at, '{')]),
    ['empty', Buffer.alloc(0)],
    ['of zeros', Buffer.alloc(bytes.length)],
    ['of spaces', Buffer.alloc(bytes.length, ' ')],
    ['twice', Buffer.concat([bytes, bytes])],
    ['in UTF-16', Buffer.from(whole, 'utf16le')],
    ['of another program', Buffer.from('[General]\nproxy=socks5://192.0.2.1:1080\n')],
    ['a web page', Buffer.from('<!doctype html><title>502 Bad Gateway</title>')],
    ['a number', Buffer.from('1')],
    ['null', Buffer.from('null')],
    ['a list', Buffer.from('[]')],
  ];
}

describe('culvert.json', () => {
  const damages = damagesOf(text);

  it('is damaged in more than a hundred ways, nearly all of which can be seen', async () => {
    using box = new Sandbox();
    let seen = 0;
    for (const [, bytes] of damages) {
      writeFileSync(box.path, bytes);
      const isRead = await failureIn(() => box.store.read()).catch(() => undefined);
      if (isRead !== undefined) seen += 1;
    }
    expect(seen).toBeGreaterThan(100);
  });

  it.each(damages)(
    '%s is told or read, and not written over; the last good copy stays',
    async (what, bytes) => {
      using box = new Sandbox();
      box.write(text);
      box.store.read();
      writeFileSync(box.path, bytes);
      // Some places are in a name or between words, where another byte is another text that holds.
      const isOther = what.startsWith('with an unclosed brace') && holds(box);
      if (isOther) return;
      const failure = await failureIn(() => box.store.read());
      expect(failure.code).toBe('config-invalid');
      expect(failure.detail).toMatch(/^culvert\.json(:\d+:\d+)?[: ]/);
      expect(await failureIn(() => box.store.update((config) => ({ ...config, apps: {} })))).toMatchObject({
        code: 'config-invalid',
      });
      expect(readFileSync(box.path).equals(bytes)).toBe(true);
      expect(box.store.readLastGood()).toEqual({ $schema: './culvert.schema.json', ...good });
    },
  );

  function holds(box: Sandbox): boolean {
    try {
      box.store.read();
      return true;
    } catch {
      return false;
    }
  }
});

describe('secrets.json', () => {
  const written = `${JSON.stringify({ version: 1, secrets: { 'work/s': { password: 'canary' }, 'home/s': { password: 'b' } } }, null, 2)}\n`;

  it.each(damagesOf(written))(
    '%s is told or read, and no password in it is written over',
    async (_what, bytes) => {
      using box = new Sandbox();
      const path = join(box.dir, 'secrets.json');
      writeFileSync(path, bytes, { mode: 0o600 });
      using secrets = await Secrets.open({ productDir: box.dir, dir: box.dir, env: {} });
      const failure = await failureIn(() => secrets.get('work', 's')).catch(() => undefined);
      if (failure === undefined) return;
      expect(failure.code).toBe('secret-unreadable');
      expect(JSON.stringify(failure)).not.toContain('canary');
      expect(await failureIn(() => secrets.set('home', 's', 'new'))).toMatchObject({
        code: 'secret-unreadable',
      });
      expect(readFileSync(path).equals(bytes)).toBe(true);
    },
  );
});
