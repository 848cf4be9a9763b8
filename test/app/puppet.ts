/** A Python script that plays a part of the desktop, and does what it is told: a command a line, each answered by a line of JSON. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../world/artefact.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';

/** Debian's own: it has the modules for D-Bus. */
const python = '/usr/bin/python3';

export class Puppet {
  readonly #script: Running;
  #answers = 0;

  private constructor(script: Running) {
    this.#script = script;
  }

  /** Resolves when the script (of this folder) has said that it is ready. */
  static async start(
    world: World,
    script: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Puppet> {
    const text = readFileSync(join(repository, 'test/app', script), 'utf8');
    const running = world.spawn([python, '-c', text, ...args], { user: 'culvert-a', env });
    await running.says(/^ready\n/);
    return new Puppet(running);
  }

  /** What it answers; null is undefined. Throws what it says went wrong. */
  async ask(command: string): Promise<unknown> {
    const before = this.#answers;
    this.#answers += 1;
    this.#script.write(`${command}\n`);
    const line = await until(`an answer to “${command}”`, () => {
      const lines = this.#script.stdout.split('\n').slice(1, -1);
      if (this.#script.hasEnded) throw new Error(this.#script.stderr);
      return lines[before];
    });
    const answer = JSON.parse(line) as { ok?: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(`“${command}”: ${answer.error}`);
    return answer.ok ?? undefined;
  }

  async end(): Promise<void> {
    await this.#script.end();
  }
}
