import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonSchema } from '../../../electron/engine/config/json-schema.ts';
import { configWith, failureIn, profileWith, Sandbox } from './sandbox.ts';

const lived = `{
  // My proxies.
  "version": 1,
  "profiles": [
    {
      "id": "work", // the office
      "name": "Work",
    },
    /* not now
    { "id": "old" }, */
    { "id": "home", "name": "Home" }
  ],
  "apps": { "firefox": "work" }, // for the intranet
}
`;

describe('the configuration file', () => {
  it('is an empty configuration where there is none, and reading makes none', () => {
    using box = new Sandbox();
    expect(box.store.read()).toEqual(configWith({}));
    expect(readdirSync(box.dir)).toEqual([]);
  });

  it('is made by the first update, for its owner only, with a schema for editors beside it', async () => {
    using box = new Sandbox();
    await box.store.update((config) => ({ ...config, profiles: [profileWith('work')] }));
    expect(statSync(box.path).mode & 0o777).toBe(0o600);
    expect(readdirSync(box.dir).sort()).toEqual(['culvert.json', 'culvert.json.good', 'culvert.schema.json']);
    const written = JSON.parse(readFileSync(box.path, 'utf8')) as Record<string, unknown>;
    expect(Object.keys(written).slice(0, 2)).toEqual(['$schema', 'version']);
    expect(JSON.parse(readFileSync(join(box.dir, String(written['$schema'])), 'utf8'))).toEqual(jsonSchema());
    expect(box.store.read().profiles).toEqual([profileWith('work')]);
  });

  it('keeps comments, order and form of what people wrote when something is changed', async () => {
    using box = new Sandbox();
    box.write(lived);
    await box.store.update((config) => ({
      ...config,
      profiles: config.profiles.map((profile) =>
        profile.id === 'home' ? { ...profile, name: 'House' } : profile,
      ),
      apps: { ...config.apps, curl: 'home' },
    }));
    const text = readFileSync(box.path, 'utf8');
    expect(text).toContain('// My proxies.');
    expect(text).toContain('"id": "work", // the office');
    expect(text).toContain('/* not now\n    { "id": "old" }, */\n    { "id": "home", "name": "House" }');
    expect(text).toContain('// for the intranet');
    expect(box.store.read().apps).toEqual({ firefox: 'work', curl: 'home' });
  });

  it('is not written at all by an update that changes nothing', async () => {
    using box = new Sandbox();
    box.write(lived);
    const before = statSync(box.path);
    await box.store.update((config) => structuredClone(config));
    expect(statSync(box.path).ino).toBe(before.ino);
  });

  it('is left alone when the change throws or makes something that does not hold', async () => {
    using box = new Sandbox();
    box.write(lived);
    await expect(
      box.store.update(() => {
        throw new Error('thought better of it');
      }),
    ).rejects.toThrow('thought better of it');
    const failure = await failureIn(() =>
      box.store.update((config) => ({ ...config, defaultProfile: 'nobody' })),
    );
    expect(failure).toMatchObject({
      code: 'config-invalid',
      detail: 'field defaultProfile: there is no profile “nobody”',
    });
    expect(readFileSync(box.path, 'utf8')).toBe(lived);
    expect(existsSync(join(box.dir, 'culvert.lock'))).toBe(false);
  });

  it('is not touched when it is broken, and the last good copy can be read', async () => {
    using box = new Sandbox();
    box.write(lived);
    const good = box.store.read();
    box.write('{ "version": 1, "profiles": [ }');
    expect(await failureIn(() => box.store.read())).toMatchObject({ code: 'config-invalid' });
    expect(await failureIn(() => box.store.update((config) => config))).toMatchObject({
      code: 'config-invalid',
    });
    expect(readFileSync(box.path, 'utf8')).toBe('{ "version": 1, "profiles": [ }');
    expect(box.store.readLastGood()).toEqual(good);
  });

  it('of a newer Culvert is neither read nor written', async () => {
    using box = new Sandbox();
    box.write('{ "version": 2, "profile": {} }');
    expect(await failureIn(() => box.store.read())).toMatchObject({
      code: 'config-newer',
      detail: 'culvert.json has version 2, known is 1',
    });
    expect(await failureIn(() => box.store.update((config) => config))).toMatchObject({
      code: 'config-newer',
    });
    expect(readFileSync(box.path, 'utf8')).toBe('{ "version": 2, "profile": {} }');
    expect(box.store.readLastGood()).toBeUndefined();
  });

  it('may be a link: what it leads to is replaced, the link stays', async () => {
    using box = new Sandbox();
    const elsewhere = join(box.dir, 'dotfiles');
    mkdirSync(elsewhere);
    writeFileSync(join(elsewhere, 'proxies.json'), lived);
    symlinkSync('dotfiles/proxies.json', box.path);
    await box.store.update((config) => ({ ...config, defaultProfile: 'home' }));
    expect(lstatSync(box.path).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(elsewhere, 'proxies.json'), 'utf8')).toContain('"defaultProfile": "home"');
    expect(readdirSync(elsewhere)).toEqual(['proxies.json']);
  });

  it('may be a link to a file that is not there yet', async () => {
    using box = new Sandbox();
    symlinkSync('later.json', box.path);
    await box.store.update((config) => ({ ...config, defaultProfile: 'direct' }));
    expect(readFileSync(join(box.dir, 'later.json'), 'utf8')).toContain('"defaultProfile": "direct"');
  });

  it('that is too large, no text or no file at all is refused', async () => {
    using box = new Sandbox();
    box.write(`{ "version": 1 ${' '.repeat(8 << 20)}}`);
    expect(await failureIn(() => box.store.read())).toMatchObject({
      detail: 'culvert.json: is larger than 8 MiB',
    });
    writeFileSync(box.path, Buffer.from([0x7b, 0xff, 0x7d]));
    expect(await failureIn(() => box.store.read())).toMatchObject({
      detail: 'culvert.json: is not UTF-8 text',
    });
    using other = new Sandbox();
    mkdirSync(other.path);
    expect(await failureIn(() => other.store.read())).toMatchObject({
      detail: 'culvert.json: is not a file',
    });
  });

  it('keeps its mark and its line ends', async () => {
    using box = new Sandbox();
    box.write('\ufeff{\r\n\t"version": 1\r\n}\r\n');
    await box.store.update((config) => ({ ...config, defaultProfile: 'none' }));
    expect(readFileSync(box.path, 'utf8')).toBe(
      '\ufeff{\r\n\t"version": 1,\r\n\t"defaultProfile": "none"\r\n}\r\n',
    );
  });
});
