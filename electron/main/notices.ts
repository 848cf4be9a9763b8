/**
 * What is worth a word on the desktop while the window is not looked at, and how often: the proxy of running apps
 * lost and back, an app that opened outside of its lane, a leak that was found. Pure; the clock is the caller's.
 *
 * One event is one notice, however many apps it meets; the same one again is told after a minute at the earliest.
 */
import type { NoticeEvent } from '#shared/app-protocol.ts';
import type { Overview, ShownLane } from '#shared/contract.ts';
import type { CheckReport } from '#shared/model.ts';
import type { Words } from './locales/words.ts';

/** The same is not told again sooner. */
export const quietMs = 60_000;

export interface Notice {
  readonly kind: 'lost' | 'restored' | 'escaped' | 'leak' | 'background';
  readonly title: string;
  readonly text: string;
}

export class Notices {
  /** When something was told last, by what it was about. */
  readonly #toldAt = new Map<string, number>();
  /** The profiles that were told to be lost and are not back. */
  readonly #lost = new Set<string>();

  /**
   * What is new in an overview at `nowMs` (of any clock that never goes back). Something that is held back is
   * told by a later call, if it is still so: call again within a minute.
   */
  update(overview: Overview, nowMs: number, words: Words): readonly Notice[] {
    const groups = byChain(proxiedLanes(overview));
    for (const chain of this.#lost) if (!groups.has(chain)) this.#lost.delete(chain);
    return [...groups].flatMap(([chain, lanes]) => {
      const notice = this.#changeOf(chain, lanes, nowMs, words);
      return notice === undefined ? [] : [notice];
    });
  }

  /** An engine says that something became of an app after it was opened. */
  escaped({ app, name, failure }: NoticeEvent, nowMs: number, { notice }: Words): Notice | undefined {
    // The other things that become of an app are told where it is shown.
    if (failure.code !== 'app-running-outside') return undefined;
    if (!this.#mayTell(`escaped ${app}`, nowMs)) return undefined;
    return { kind: 'escaped', title: notice.escaped(name), text: notice.escapedText };
  }

  /** A lane was checked, whoever asked for it. */
  checked(
    lane: string,
    name: string,
    { outcome }: CheckReport,
    nowMs: number,
    { notice }: Words,
  ): Notice | undefined {
    if (outcome !== 'leak' || !this.#mayTell(`leak ${lane}`, nowMs)) return undefined;
    return { kind: 'leak', title: notice.leak(name), text: notice.leakText };
  }

  #changeOf(
    chain: string,
    lanes: readonly ShownLane[],
    nowMs: number,
    { notice }: Words,
  ): Notice | undefined {
    const profile = lanes[0]?.profile.name ?? '';
    const down = lanes.filter(({ health }) => health === 'unreachable');
    if (down.length > 0) {
      if (this.#lost.has(chain) || !this.#mayTell(`lost ${chain}`, nowMs)) return undefined;
      this.#lost.add(chain);
      return { kind: 'lost', title: notice.lost(profile), text: notice.lostText(namesOf(down)) };
    }
    if (!this.#lost.has(chain) || !lanes.some(({ health }) => health === 'reachable')) return undefined;
    this.#lost.delete(chain);
    return { kind: 'restored', title: notice.restored(profile), text: notice.restoredText(namesOf(lanes)) };
  }

  #mayTell(what: string, nowMs: number): boolean {
    for (const [known, at] of this.#toldAt) if (nowMs - at >= quietMs) this.#toldAt.delete(known);
    if (this.#toldAt.has(what)) return false;
    this.#toldAt.set(what, nowMs);
    return true;
  }
}

/** The lanes that have a proxy to lose, of engines that speak for them. */
function proxiedLanes({ engines, lanes }: Overview): readonly ShownLane[] {
  const answering = new Set(engines.filter(({ isAnswering }) => isAnswering).map(({ pid }) => pid));
  return lanes.filter(
    ({ state, via, engine }) =>
      state === 'running' && via !== 'direct' && via !== 'blocked' && answering.has(engine),
  );
}

/** The lanes that lose their proxy together: by profile, or by the proxy itself where that was typed. */
function byChain(lanes: readonly ShownLane[]): ReadonlyMap<string, readonly ShownLane[]> {
  const groups = new Map<string, ShownLane[]>();
  for (const lane of lanes) {
    const chain = lane.profile.id ?? lane.via;
    groups.set(chain, [...(groups.get(chain) ?? []), lane]);
  }
  return groups;
}

/** Names of apps, each once, for a sentence. */
export function namesOf(lanes: readonly Pick<ShownLane, 'name'>[]): string {
  return [...new Set(lanes.map(({ name }) => name))].join(', ');
}
