/** The window's own engine without a window: the process that electron/main would start, and somebody who asks it. */
import { join } from 'node:path';
import type { NoticeEvent } from '#shared/app-protocol.ts';
import type { EngineCall, EngineParams, EngineValue } from '#shared/engine-protocol.ts';
import type { Failure } from '#shared/failure.ts';
import type { LaneView } from '#shared/model.ts';
import { bundle } from '../world/artefact.ts';
import type { Product } from '../world/product.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import type { World } from '../world/world.ts';

interface Word {
  readonly id?: number;
  readonly value?: unknown;
  readonly failure?: Failure;
  readonly event?: string;
}

export class AppHost {
  readonly engine: Running;
  readonly #talker: Running;
  #asked = 0;

  private constructor(engine: Running, talker: Running) {
    this.engine = engine;
    this.#talker = talker;
  }

  /** Resolves when the engine answers; it is culvert-a's. */
  static async start(world: World, product: Product, env: Record<string, string> = {}): Promise<AppHost> {
    const user = 'culvert-a';
    const engine = world.spawn([process.execPath, join(product.dir, 'engine.cjs')], { user, env });
    await engine.says(/^\{"ok":true/);
    const script = world.share(bundle('test/system/app-talker.ts'));
    const talker = world.spawn([process.execPath, script, String(engine.pid)], { user });
    await talker.says(/"event":"ready"/);
    return new AppHost(engine, talker);
  }

  /** What the engine answers. Throws an Error that begins with the failure's code. */
  async call<C extends EngineCall>(call: C, params: EngineParams<C>): Promise<EngineValue<C>> {
    const { value, failure } = await this.#ask(call, params);
    if (failure !== undefined) throw new Error(`${failure.code}: ${failure.detail ?? ''}`);
    return value as EngineValue<C>;
  }

  /** The failure that a call meets. */
  async refused<C extends EngineCall>(call: C, params: EngineParams<C>): Promise<Failure> {
    const { value, failure } = await this.#ask(call, params);
    if (failure === undefined) throw new Error(`${call} answered ${JSON.stringify(value)}`);
    return failure;
  }

  /** What it has told of itself, of one kind. */
  told(event: string): unknown[] {
    return this.#words().flatMap((word) => (word.event === event ? [word.value] : []));
  }

  /** Waits for the notice about a lane. */
  notice(lane: string): Promise<NoticeEvent> {
    return until(`a notice about ${lane}`, () =>
      (this.told('notice') as NoticeEvent[]).find((notice) => notice.lane === lane),
    );
  }

  async lanes(): Promise<LaneView[]> {
    return (await this.call('snapshot', {})).lanes;
  }

  /** Ends what runs on its lanes, and waits for them to go. */
  async clear(): Promise<void> {
    for (const { id } of await this.lanes()) {
      // One that has just become empty is no lane any more, as was wanted.
      await this.#ask('lane.stop', { lane: id, force: true });
    }
    await until('no lane', async () => (await this.lanes()).length === 0);
  }

  /** Asks, and does not wait; whoever asked can be killed by `loseAsker`. */
  begin<C extends EngineCall>(call: C, params: EngineParams<C>): void {
    this.#talker.write(`${JSON.stringify([0, call, params])}\n`);
  }

  /** Whoever asks is gone, and all it has asked for with it. */
  async loseAsker(): Promise<void> {
    await this.#talker.end();
  }

  /** The window is gone; whoever asks goes on. */
  loseWindow(): void {
    this.engine.child.stdin?.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#talker.end();
    await this.engine.end();
  }

  async #ask(call: string, params: unknown): Promise<Word> {
    this.#asked += 1;
    const id = this.#asked;
    this.#talker.write(`${JSON.stringify([id, call, params])}\n`);
    return until(
      `an answer to ${call}`,
      () => {
        if (this.#talker.hasEnded) throw new Error(`nobody asks any more: ${this.#talker.stderr}`);
        return this.#words().find((word) => word.id === id);
      },
      30_000,
    );
  }

  #words(): Word[] {
    const whole = this.#talker.stdout.split('\n').slice(0, -1);
    return whole.map((line) => JSON.parse(line) as Word);
  }
}
