import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { withLock } from '../../../electron/engine/config/lock.ts';
import { parseConfig } from '../../../electron/engine/config/parse.ts';
import { writeAnew } from '../../../electron/engine/config/rewrite.ts';
import { bundle } from '../../world/artefact.ts';
import { Running } from '../../world/running.ts';
import { until } from '../../world/until.ts';
import { configWith, failureIn, Sandbox } from './sandbox.ts';

let script: string;

beforeAll(() => {
  script = bundle('test/engine/config/writer.ts');
});

function writer(...args: string[]): Running {
  return new Running(spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

async function kill(running: Running): Promise<void> {
  running.child.kill('SIGKILL');
  await running.ended;
}

/** Runs `once` in a mount namespace of its own where `mount` was done to the directory; what it says, and the file. */
function inMount(dir: string, mount: string): { said: string; names: string[]; text: string } {
  const lines = [
    ...['mount --make-rprivate /', mount],
    `${process.execPath} ${script} ${dir} once || true; ls ${dir} > ${dir}.names; cat ${dir}/culvert.json > ${dir}.text`,
  ];
  const said = execFileSync('unshare', ['--mount', 'sh', '-ec', lines.join('\n')], { encoding: 'utf8' });
  return {
    said,
    names: readFileSync(`${dir}.names`, 'utf8').trim().split('\n'),
    text: readFileSync(`${dir}.text`, 'utf8'),
  };
}

const small = '{ "version": 1, "defaultProfile": "none" } // small\n';

describe('several processes at once', () => {
  it('lose none of their updates', async () => {
    using box = new Sandbox();
    const writers = ['a', 'b', 'c', 'd'].map((name) => writer(box.dir, 'count', name, '50'));
    for (const running of writers) expect(await running.ended).toMatchObject({ code: 0, stdout: '' });
    expect(Object.keys(box.store.read().apps)).toHaveLength(200);
    expect(readdirSync(box.dir).sort()).toEqual(['culvert.json', 'culvert.json.good', 'culvert.schema.json']);
  });

  it('wait for a lock that is held, and give up after their time', async () => {
    using box = new Sandbox();
    const holder = writer(box.dir, 'hold');
    await holder.says(/held/);
    const failure = await failureIn(() => withLock(box.dir, 'culvert.lock', () => Promise.resolve(), 300));
    expect(failure).toMatchObject({ code: 'config-locked' });
    expect(failure.detail).toContain(`process ${holder.pid} holds`);
    const update = box.store.update((config) => ({ ...config, defaultProfile: 'none' }));
    await kill(holder);
    expect(await update).toMatchObject({ defaultProfile: 'none' });
  });

  it('break the lock of a dead one, and of them only one has it then', async () => {
    using box = new Sandbox();
    let inside = 0;
    for (let round = 0; round < 5; round += 1) {
      const holder = writer(box.dir, 'hold');
      await holder.says(/held/);
      await kill(holder);
      const work = async () => {
        inside += 1;
        expect(inside).toBe(1);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      };
      await Promise.all(Array.from({ length: 20 }, () => withLock(box.dir, 'culvert.lock', work)));
    }
    expect(readdirSync(box.dir)).toEqual([]);
  });

  it('believe in an owner that they cannot look at, for a while', async () => {
    using box = new Sandbox();
    const lock = join(box.dir, 'culvert.lock');
    mkdirSync(lock);
    writeFileSync(join(lock, '1.1.1.0-0.ab'), '');
    const take = () => withLock(box.dir, 'culvert.lock', () => Promise.resolve('taken'), 100);
    expect(await failureIn(take)).toMatchObject({ code: 'config-locked' });
    execFileSync('touch', ['-d', '11 seconds ago', lock]);
    expect(await take()).toBe('taken');
  });
});

describe('a save that does not come to its end', () => {
  // Several at a time, each in a directory of its own: 200 in all.
  it.concurrent.each(['a', 'b', 'c', 'd'])(
    'by kill -9, fifty times, leaves the old text or the new one, and the next save clears up: %s',
    async () => {
      using box = new Sandbox();
      await box.store.update((config) => ({ ...config, defaultProfile: 'none' }));
      const seen = new Set<number>();
      let cutShort = 0;
      for (let round = 0; round < 50; round += 1) {
        const running = writer(box.dir, 'endless');
        await running.says(/begun/);
        const { mtimeMs } = statSync(box.path);
        await until('it to have written', () => statSync(box.path).mtimeMs !== mtimeMs, 20_000);
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 15));
        await kill(running);
        const { config } = parseConfig(readFileSync(box.path, 'utf8'));
        seen.add(config.rules.length);
        expect(config.defaultProfile).toBe('none');
        expect(box.store.readLastGood()?.defaultProfile).toBe('none');
        if (readdirSync(box.dir).some((name) => name.endsWith('.tmp') || name === 'culvert.lock'))
          cutShort += 1;
      }
      expect([...seen].every((count) => [1, 400].includes(count))).toBe(true);
      // The control: most of them were in the middle of it.
      expect(cutShort).toBeGreaterThan(25);
      await box.store.update((config) => ({ ...config, rules: [] }));
      const left = readdirSync(box.dir).filter((name) => name !== 'culvert.json.old');
      expect(left.sort()).toEqual(['culvert.json', 'culvert.json.good', 'culvert.schema.json']);
    },
    600_000,
  );

  it('for a full disk leaves the old text, and says so', () => {
    using box = new Sandbox();
    const dir = join(box.dir, 'full');
    mkdirSync(dir);
    const fill = `printf '%s' '${small}' > ${dir}/culvert.json; head -c 40000 /dev/zero > ${dir}/filler`;
    const { said, names, text } = inMount(dir, `mount -t tmpfs -o size=64k tmpfs ${dir}\n${fill}`);
    expect(said).toContain('"code":"config-unwritable"');
    expect(said).toContain('ENOSPC');
    expect(text).toBe(small);
    expect(names.sort()).toEqual(['culvert.json', 'filler']);
  });

  it('for a directory that is only to be read leaves the old text, and says so', () => {
    using box = new Sandbox();
    const dir = join(box.dir, 'still');
    mkdirSync(dir);
    writeFileSync(join(dir, 'culvert.json'), small);
    const { said, names, text } = inMount(dir, `mount --bind ${dir} ${dir}\nmount -o remount,bind,ro ${dir}`);
    expect(said).toContain('"code":"config-unwritable"');
    expect(said).toContain('EROFS');
    expect([names, text]).toEqual([['culvert.json'], small]);
  });

  it('because it stood still so long that its lock was broken changes nothing', async () => {
    using box = new Sandbox();
    box.write(small);
    const failure = await failureIn(() =>
      box.store.update((config) => {
        execFileSync('rm', ['-r', join(box.dir, 'culvert.lock')]);
        return { ...config, defaultProfile: 'direct' };
      }),
    );
    expect(failure.code).toBe('config-locked');
    expect(readFileSync(box.path, 'utf8')).toBe(small);
  });
});

describe('a configuration of the largest size', () => {
  it('is read and changed within seconds of work, with the comments in it', async () => {
    using box = new Sandbox();
    const rules = Array.from({ length: 20_000 }, (_, at) => ({
      id: `r${at}`,
      match: { to: [`host-${at}.example.com`] },
      action: 'block' as const,
    }));
    box.write(`// kept\n${writeAnew(configWith({ rules }))}`);
    const start = process.cpuUsage();
    await box.store.update((config) => ({ ...config, rules: config.rules.slice(1) }));
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(6);
    const text = readFileSync(box.path, 'utf8');
    expect(text.startsWith('// kept\n')).toBe(true);
    expect(parseConfig(text).config.rules).toHaveLength(19_999);
  });
});
