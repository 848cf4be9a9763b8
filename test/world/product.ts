/**
 * The built product as a user finds it: copied to a directory that everybody can read, since a checkout may
 * lie where only its owner can go. `runOn` is `culvert run` in a world.
 */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './artefact.ts';
import type { Outcome, Running } from './running.ts';
import type { RunOptions, World } from './world.ts';

/** What of dist/ and node_modules/ the product needs to run. */
const parts = ['bin', 'native/libculvert.so', 'native/culvert-launch'];
const modules = ['koffi', '@koromix', '@napi-rs'];

export const isolations = ['rootless', 'helper'] as const;
export type TestedIsolation = (typeof isolations)[number];

export interface LaneOptions extends RunOptions {
  readonly proxy?: string;
  /** A profile of the user's configuration. */
  readonly profile?: string;
  readonly isolation?: TestedIsolation;
  /** Further options of `culvert run`. */
  readonly options?: readonly string[];
}

export class Product {
  readonly culvert: string;
  readonly dir: string;
  readonly #world: World;

  private constructor(world: World, dir: string) {
    this.#world = world;
    this.dir = dir;
    this.culvert = join(dir, 'bin', 'culvert');
  }

  /** Copies the product into the world's directory; it goes when the world does. */
  static install(world: World): Product {
    const dir = join(world.dir, 'product');
    const dist = join(repository, 'dist');
    mkdirSync(join(dir, 'native'), { recursive: true });
    const scripts = readdirSync(dist).filter((name) => /\.(cjs|code)$/.test(name));
    for (const part of [...parts, ...scripts]) cpSync(join(dist, part), join(dir, part), { recursive: true });
    for (const name of modules) {
      const from = join(repository, 'node_modules', name);
      if (existsSync(from)) cpSync(from, join(dir, 'node_modules', name), { recursive: true });
    }
    chmodSync(dir, 0o755);
    return new Product(world, dir);
  }

  /** `culvert run` of a command, by culvert-a unless told otherwise, to its end. */
  async run(command: readonly string[], options: LaneOptions): Promise<Outcome> {
    return this.#world.run(this.#line(command, options), { user: 'culvert-a', ...options });
  }

  /** The same, and throws with the command's words when it fails. */
  async must(command: readonly string[], options: LaneOptions): Promise<string> {
    return this.#world.must(this.#line(command, options), { user: 'culvert-a', ...options });
  }

  /** The same, started only. */
  spawn(command: readonly string[], options: LaneOptions): Running {
    return this.#world.spawn(this.#line(command, options), { user: 'culvert-a', ...options });
  }

  #line(command: readonly string[], { proxy, profile, isolation, options = [] }: LaneOptions): string[] {
    const out = [
      ...(proxy === undefined ? [] : ['--proxy', proxy]),
      ...(profile === undefined ? [] : ['--profile', profile]),
    ];
    const way = isolation === undefined ? [] : ['--isolation', isolation];
    return [this.culvert, 'run', ...out, ...way, ...options, '--', ...command];
  }
}
