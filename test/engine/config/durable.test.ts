/** In which order a file gets to the disk, and who may read it: the old text goes only once the new one is there for good. */
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it, vi } from 'vitest';
import { replaceFile } from '../../../electron/engine/config/file.ts';
import { ConfigStore } from '../../../electron/engine/config/store.ts';
import { Secrets } from '../../../electron/engine/secrets/secrets.ts';
import { failureIn, Sandbox } from './sandbox.ts';

const { done, refuses } = vi.hoisted(() => ({ done: [] as string[], refuses: new Set<string>() }));

/** The real ones, which say what they have done. */
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const step = (what: string): void => {
    if (refuses.has(what)) throw Object.assign(new Error(`EIO: ${what}`), { code: 'EIO' });
    done.push(what);
  };
  return {
    ...real,
    open: async (...words: Parameters<typeof real.open>) => {
      const handle = await real.open(...words);
      const what = (await handle.stat()).isDirectory() ? 'directory' : 'file';
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        await sync();
        step(`sync ${what}`);
      };
      return handle;
    },
    rename: async (...words: Parameters<typeof real.rename>) => {
      step('rename');
      await real.rename(...words);
    },
  };
});

beforeEach(() => {
  done.length = 0;
  refuses.clear();
});

it('a text is on the disk before it takes the place of the old one, and so is that it did', async () => {
  using box = new Sandbox();
  await replaceFile(box.path, 'new');
  expect(done).toEqual(['sync file', 'rename', 'sync directory']);
  expect(readFileSync(box.path, 'utf8')).toBe('new');
});

it.each(['sync file', 'rename'])(
  'a disk that fails at “%s” leaves the old text, and nothing beside it',
  async (what) => {
    using box = new Sandbox();
    box.write('old');
    refuses.add(what);
    expect(await failureIn(() => replaceFile(box.path, 'new'))).toMatchObject({ code: 'config-unwritable' });
    expect(readFileSync(box.path, 'utf8')).toBe('old');
    expect(readdirSync(box.dir)).toEqual(['culvert.json']);
  },
);

it('settings and passwords are for their owner only, whatever the umask is', async () => {
  using box = new Sandbox();
  const dir = join(box.dir, 'made');
  const before = process.umask(0);
  try {
    await ConfigStore.open(dir).update((config) => ({ ...config, defaultProfile: 'none' }));
    using secrets = await Secrets.open({ productDir: box.dir, dir, env: {} });
    await secrets.set('work', 's', 'canary');
  } finally {
    process.umask(before);
  }
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  const modes = readdirSync(dir).map((name) => [name, statSync(join(dir, name)).mode & 0o777]);
  expect(Object.fromEntries(modes)).toEqual({
    ...{ 'culvert.json': 0o600, 'culvert.json.good': 0o600, 'culvert.schema.json': 0o600 },
    'secrets.json': 0o600,
  });
});

it('what was readable for others is not any more once it is written', async () => {
  using box = new Sandbox();
  writeFileSync(box.path, '{ "version": 1 }', { mode: 0o644 });
  await box.store.update((config) => ({ ...config, defaultProfile: 'none' }));
  expect(statSync(box.path).mode & 0o777).toBe(0o600);
});
