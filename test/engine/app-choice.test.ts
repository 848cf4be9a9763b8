import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { profileFor, startableOf } from '../../electron/engine/app-choice.ts';
import { Catalogue, createLauncher } from '../../electron/engine/apps/index.ts';
import { checkConfig } from '../../electron/engine/config/parse.ts';

let home: string;
let env: Record<string, string>;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'culvert-choice-'));
  env = { HOME: home, XDG_DATA_DIRS: join(home, 'none'), PATH: '/usr/bin:/bin' };
  mkdirSync(join(home, '.local/share/applications'), { recursive: true });
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

function install(id: string, exec: string): string {
  const file = join(home, `.local/share/applications/${id}.desktop`);
  writeFileSync(file, `[Desktop Entry]\nType=Application\nName=${id}\nExec=${exec}\n`);
  return file;
}

const choose = (name: string) => startableOf(name, new Catalogue(env), env);

test('an app is known by its id first, then by the programs that it starts', async () => {
  install('org.example.Maps', 'env LANG=C /usr/bin/true %U');
  expect((await choose('org.example.Maps')).names).toEqual(['org.example.Maps', 'env', 'true']);
  expect((await choose('org.example.Maps.desktop')).names[0]).toBe('org.example.Maps');
});

test('a program is known by its path first, then by its name, and stands for an app without an entry', async () => {
  const { names, app, program } = await choose('/bin/true');
  expect(names).toEqual(['/bin/true', 'true']);
  expect(app).toMatchObject({ id: '/bin/true', name: 'true', exec: '/bin/true' });
  expect(program).toMatchObject({ format: 'elf', isExecutable: true });
});

test('an entry from elsewhere is known by its path, and has to be trusted', async () => {
  const file = join(home, 'Maps.desktop');
  writeFileSync(file, '[Desktop Entry]\nType=Application\nName=Maps\nExec=true\n');
  expect(await choose(file)).toMatchObject({ names: [file, 'true'], untrusted: { command: ['true'] } });
});

test('a launcher stands for its app and profile, by its id and by its file', async () => {
  const source = install('maps', 'true');
  const { id, file } = await createLauncher(
    { culvert: '/usr/bin/true', app: 'maps', profile: { id: 'work', name: 'Work' }, source },
    env,
  );
  for (const name of [id, file])
    expect(await choose(name)).toMatchObject({ names: ['maps', 'true'], profile: 'work' });
});

test('what is no app is refused', async () => {
  await expect(choose('no-such')).rejects.toMatchObject({ failure: { code: 'app-unknown' } });
  await expect(choose(home)).rejects.toMatchObject({ failure: { code: 'app-refused' } });
});

test('the profile is the given one, else that of the first name that is bound, else the default', () => {
  const names = ['maps', 'true'];
  const bound = checkConfig({ version: 1, defaultProfile: 'none', apps: { true: 'direct' } });
  expect(profileFor(bound, 'none', names).id).toBe('none');
  expect(profileFor(bound, undefined, names).id).toBe('direct');
  expect(profileFor(bound, undefined, ['other']).id).toBe('none');
  const bare = checkConfig({ version: 1 });
  expect(() => profileFor(bare, undefined, names)).toThrow(/no profile was chosen .* \(maps\)/);
  expect(() => profileFor(bare, 'gone', names)).toThrow(/there is no such profile .* \(gone\)/);
});
