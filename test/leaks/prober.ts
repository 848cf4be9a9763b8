/**
 * The probe program inside a lane (or in any place), asked line by line: it is inside before the state that is
 * to be tested is brought about, and it outlives whatever dies around it.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';
import { lineOf, type Probe } from './probes.ts';

export interface Result {
  readonly probe: Probe;
  /** As probe.c says it: connected, answered, silent, ended or the name of an errno value. */
  readonly word: string;
  readonly tookMs: number;
}

let pipes = 0;

export class Prober implements AsyncDisposable {
  readonly running: Running;
  /** Both ends of a named pipe: Node closes the standard input of a child that was killed, its orphans' too. */
  readonly #input: number;
  #read = 0;

  private constructor(running: Running, input: number) {
    this.running = running;
    this.#input = input;
  }

  /** `start` gets the command line and starts it wherever the probes are to be sent from. */
  static start(world: World, program: string, start: (command: readonly string[]) => Running): Prober {
    const pipe = join(world.dir, `probes-${++pipes}`);
    execFileSync('mkfifo', ['-m', '666', pipe]);
    const input = openSync(pipe, 'r+');
    // An ignored signal stays ignored: an app that is asked to end and takes its time.
    const command = ['sh', '-c', 'trap "" TERM; exec "$0" - < "$1"', world.share(program), pipe];
    return new Prober(start(command), input);
  }

  /** Sends the probes one after the other and resolves with what the sender saw of each. */
  async walk(probes: readonly Probe[], timeoutMs: (probe: Probe) => number): Promise<Result[]> {
    const from = this.#read;
    this.#read += probes.length;
    writeSync(this.#input, probes.map((probe) => `${lineOf(probe, timeoutMs(probe))}\n`).join(''));
    const lines = await until(
      'the results of all probes',
      () => {
        const said = this.running.stdout.split('\n').slice(0, -1).slice(from, this.#read);
        return said.length === probes.length && said;
      },
      60_000,
    );
    return probes.map((probe, index) => {
      const [word, took] = (lines[index] ?? '').split(' ').slice(-2);
      return { probe, word: word ?? '', tookMs: Number(took) };
    });
  }

  /** Writes the lines without waiting for anything: traffic for the moment in which the sender is killed. */
  feed(probes: readonly Probe[]): void {
    writeSync(this.#input, probes.map((probe) => `${lineOf(probe, 100)}\n`).join(''));
  }

  /** Lets the program come to the end of its input. */
  async [Symbol.asyncDispose](): Promise<void> {
    closeSync(this.#input);
    await this.running.end('SIGTERM');
  }
}
