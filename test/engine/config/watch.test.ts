import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../electron/shared/failure.ts';
import type { Config } from '../../../electron/shared/profile.ts';
import { bundle } from '../../world/artefact.ts';
import { Running } from '../../world/running.ts';
import { until } from '../../world/until.ts';
import { Sandbox } from './sandbox.ts';

const text = (profile: string) => `{ "version": 1, "defaultProfile": "${profile}" }\n`;

/** A watched directory, and what was told of it. */
class Watched extends Sandbox {
  readonly told: string[] = [];
  readonly #end: () => void;

  constructor(prepare: (box: Sandbox) => void = (box) => box.write(text('none'))) {
    super();
    prepare(this);
    this.#end = this.store.watch(
      (config: Config) => this.told.push(config.defaultProfile ?? 'empty'),
      (failure: Failure) => this.told.push(failure.code),
    );
  }

  /** Waits until as many were told within the second that is promised, and that nothing comes behind them. */
  async expectTold(...told: string[]): Promise<void> {
    await until(`${told.join()} to be told`, () => this.told.length >= told.length, 1500);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(this.told.splice(0)).toEqual(told);
  }

  override [Symbol.dispose](): void {
    this.#end();
    super[Symbol.dispose]();
  }
}

describe('a watched configuration', () => {
  it('tells a change in place, one by rename, and one of its own, each once', async () => {
    using box = new Watched();
    box.write(text('direct'));
    await box.expectTold('direct');
    writeFileSync(`${box.path}.new`, text('none'));
    renameSync(`${box.path}.new`, box.path);
    await box.expectTold('none');
    await box.store.update((config) => ({ ...config, defaultProfile: 'direct' }));
    await box.expectTold('direct');
  });

  it('tells a change by another process', async () => {
    using box = new Watched(() => undefined);
    const script = bundle('test/engine/config/writer.ts');
    const running = new Running(
      spawn(process.execPath, [script, box.dir, 'count', 'x', '1'], { stdio: 'pipe' }),
    );
    expect(await running.ended).toMatchObject({ code: 0 });
    await box.expectTold('empty');
  });

  it('tells the last of many changes, not what was in between', async () => {
    using box = new Watched();
    for (let at = 0; at < 20; at += 1) box.write(text(at % 2 === 0 ? 'none' : 'direct'));
    await box.expectTold('direct');
  });

  it('says nothing of a comment, a touch, and other files', async () => {
    using box = new Watched();
    appendFileSync(box.path, '// looks good\n');
    writeFileSync(join(box.dir, 'culvert.json.swp'), 'x');
    await box.expectTold();
  });

  it('tells a broken text once and nothing when the last good one is back', async () => {
    using box = new Watched();
    box.write('{ "version": 1, ');
    await box.expectTold('config-invalid');
    box.write(text('none'));
    await box.expectTold();
    box.write('{');
    await box.expectTold('config-invalid');
    box.write(text('direct'));
    await box.expectTold('direct');
  });

  it('survives that the file is removed and made again, and tells only what lasts', async () => {
    using box = new Watched();
    rmSync(box.path);
    box.write(text('none'));
    await box.expectTold();
    rmSync(box.path);
    await box.expectTold('empty');
    box.write(text('direct'));
    await box.expectTold('direct');
  });

  it('survives that its directory is made anew', async () => {
    using box = new Watched();
    renameSync(box.dir, `${box.dir}.away`);
    rmSync(`${box.dir}.away`, { recursive: true });
    await box.expectTold('empty');
    mkdirSync(box.dir);
    box.write(text('direct'));
    await box.expectTold('direct');
    box.write(text('none'));
    await box.expectTold('none');
  });

  it('follows a link to what it leads to, also when it leads elsewhere', async () => {
    using box = new Watched((made) => {
      for (const name of ['one', 'two']) {
        mkdirSync(join(made.dir, name));
        writeFileSync(join(made.dir, name, 'c.json'), text('none'));
      }
      symlinkSync('one/c.json', made.path);
    });
    writeFileSync(join(box.dir, 'one/c.json'), text('direct'));
    await box.expectTold('direct');
    rmSync(box.path);
    symlinkSync('two/c.json', box.path);
    await box.expectTold('none');
    writeFileSync(join(box.dir, 'two/c.json'), text('direct'));
    await box.expectTold('direct');
  });

  it('is let go of with everything', () => {
    const held = () => process.getActiveResourcesInfo().filter((name) => /Timeout|FSEvent/.test(name)).length;
    const before = held();
    {
      using box = new Watched();
      box.write(text('direct'));
    }
    expect(held()).toBe(before);
  });
});
