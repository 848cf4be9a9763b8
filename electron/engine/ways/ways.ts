/** The ways out of one engine: lanes with the same chain share one, and with it what is known of its servers. */
import type { ChainSpec, ChainSurroundings } from '../upstream/chain.ts';
import { DirectWay, LoopbackWay } from './direct-way.ts';
import { ProxyWay } from './proxy-way.ts';

/** Chains that are remembered; the oldest are forgotten first, and live on with those who still use them. */
const kept = 64;

export interface WaysOptions extends ChainSurroundings {
  readonly tcpSocketOn: (family: 4 | 6, device: string) => number;
}

export class Ways {
  readonly loopback: LoopbackWay;
  readonly #options: WaysOptions;
  readonly #chains = new Map<string, ProxyWay>();
  readonly #direct = new Map<string, DirectWay>();

  constructor(options: WaysOptions) {
    this.#options = options;
    this.loopback = new LoopbackWay(options);
  }

  /** The way through this chain. Throws `proxy-url-invalid` for what no proxy can be told. */
  chain(spec: ChainSpec): ProxyWay {
    const key = JSON.stringify(spec);
    const known = this.#chains.get(key) ?? new ProxyWay(spec, this.#options);
    // Again at the end: the first one of the map is the one that was not asked for for longest.
    this.#chains.delete(key);
    this.#chains.set(key, known);
    const [oldest] = this.#chains.keys();
    if (this.#chains.size > kept && oldest !== undefined) this.#chains.delete(oldest);
    return known;
  }

  direct(egress?: string): DirectWay {
    const key = egress ?? '';
    const known = this.#direct.get(key) ?? new DirectWay({ egress, tcpSocketOn: this.#options.tcpSocketOn });
    this.#direct.set(key, known);
    return known;
  }
}
