/** The bytes of the last minute, per lane: one sample for each event of main's, at most one a second. */
import { defineStore } from 'pinia';
import { shallowRef, triggerRef } from 'vue';
import type { TrafficEvent } from '#shared/engine-protocol.ts';

/** Samples that are kept; at one a second the last minute. */
export const keptSamples = 60;

export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Bytes a second since the sample before. */
  readonly up: number;
  readonly down: number;
}

interface History {
  /** Another list with each sample: who shows it has to see that it is another. */
  samples: readonly Sample[];
  last: { at: number } & Figures;
}

/** The figures of a lane that move all the time: an overview has those of its own moment. */
export interface Figures {
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly flowsOpen: number;
}

const none: readonly Sample[] = [];

export const useTraffic = defineStore('traffic', () => {
  const histories = shallowRef(new Map<string, History>());

  function add(event: TrafficEvent): void {
    addAll([event]);
  }

  /** Oldest first; what was told before is not told again. */
  function addAll(events: readonly TrafficEvent[]): void {
    for (const event of events) take(event);
    triggerRef(histories);
  }

  function take({ at, lanes }: TrafficEvent): void {
    for (const { id, ...figures } of lanes) {
      const known = histories.value.get(id);
      if (known === undefined) {
        histories.value.set(id, { samples: [], last: { at, ...figures } });
        continue;
      }
      const seconds = (at - known.last.at) / 1000;
      if (seconds <= 0) continue;
      const sample = {
        at,
        up: Math.max(0, figures.bytesUp - known.last.bytesUp) / seconds,
        down: Math.max(0, figures.bytesDown - known.last.bytesDown) / seconds,
      };
      known.samples = [...known.samples, sample].slice(-keptSamples);
      known.last = { at, ...figures };
    }
  }

  /** Forgets lanes that are gone. */
  function keepOnly(ids: readonly string[]): void {
    const kept = new Set(ids);
    for (const id of histories.value.keys()) if (!kept.has(id)) histories.value.delete(id);
    triggerRef(histories);
  }

  /** The samples of a lane, oldest first. */
  function samplesOf(id: string): readonly Sample[] {
    return histories.value.get(id)?.samples ?? none;
  }

  /** The newest figures of a lane: what was last told, unless the lane itself has moved more since. */
  function latest(lane: Figures & { readonly id: string }): Figures {
    const told = histories.value.get(lane.id)?.last;
    if (told === undefined || told.bytesUp + told.bytesDown < lane.bytesUp + lane.bytesDown) return lane;
    return told;
  }

  /** The latest rates of a lane in bytes a second, and of all lanes together without an id. */
  function rates(id?: string): { up: number; down: number } {
    const of = id === undefined ? [...histories.value.keys()] : [id];
    return of.reduce(
      (sum, key) => {
        const latest = samplesOf(key).at(-1);
        return { up: sum.up + (latest?.up ?? 0), down: sum.down + (latest?.down ?? 0) };
      },
      { up: 0, down: 0 },
    );
  }

  return { add, addAll, keepOnly, samplesOf, latest, rates };
});
