/** The connections of all lanes while somebody looks at them, as main tells of them. */
import { defineStore } from 'pinia';
import { ref, shallowRef, triggerRef } from 'vue';
import type { WindowEventValue } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import { eachCount } from '#shared/flow-counts.ts';
import type { FlowView } from '#shared/model.ts';
import { call, listen } from '../bridge.ts';
import { useNotices } from './notices.ts';

/** Closed connections that are kept. */
const keptClosed = 20_000;

/** What tells a flow from those of other engines: the process id of its own, and its number there. */
export function flowKey({ lane, id }: Pick<FlowView, 'lane' | 'id'>): string {
  return `${lane.slice(0, lane.indexOf('-'))}/${id}`;
}

export function isOver(flow: FlowView): boolean {
  return flow.state === 'closed' || flow.state === 'refused';
}

export const useFlows = defineStore('flows', () => {
  /** In the order in which they were opened. */
  const all = shallowRef(new Map<string, FlowView>());
  const failure = shallowRef<Failure>();
  const isPaused = ref(false);
  let waiting: WindowEventValue<'flows'>[] = [];
  let stopListening: (() => void) | undefined;

  /** Begins to watch; what is shown until then is old. */
  async function watch(): Promise<void> {
    stopListening ??= listen('flows', (value) => {
      if (isPaused.value) waiting.push(value);
      else take([value]);
    });
    const answer = await call('flows.watch', {});
    failure.value = answer.ok ? undefined : answer.failure;
  }

  async function unwatch(): Promise<void> {
    stopListening?.();
    stopListening = undefined;
    const answer = await call('flows.unwatch', {});
    if (!answer.ok) failure.value = answer.failure;
  }

  /** Stops the picture, not the connections; going on shows what came meanwhile. */
  function pause(isWanted: boolean): void {
    isPaused.value = isWanted;
    if (isWanted) return;
    take(waiting);
    waiting = [];
  }

  /** Takes over what was told. */
  function take(events: readonly WindowEventValue<'flows'>[]): void {
    for (const { of, isWhole, changed, counted } of events) {
      if (isWhole) forgetEngine(of);
      for (const flow of changed) all.value.set(flowKey(flow), flow);
      eachCount(counted, (id, bytesUp, bytesDown) => {
        const flow = all.value.get(`${of}/${id}`);
        if (flow !== undefined) all.value.set(`${of}/${id}`, { ...flow, bytesUp, bytesDown });
      });
    }
    forgetOldest();
    triggerRef(all);
  }

  function forgetEngine(pid: number): void {
    for (const [key, flow] of all.value) if (flow.lane.startsWith(`${pid}-`)) all.value.delete(key);
  }

  function forgetOldest(): void {
    const over = [...all.value].filter(([, flow]) => isOver(flow));
    for (const [key] of over.slice(0, Math.max(0, over.length - keptClosed))) all.value.delete(key);
  }

  /** Marks what was open on lanes that are gone as closed: nobody will tell of it any more. */
  function keepOnly(lanes: readonly string[]): void {
    const kept = new Set(lanes);
    for (const [key, flow] of all.value) {
      if (!isOver(flow) && !kept.has(flow.lane)) all.value.set(key, { ...flow, state: 'closed' });
    }
    triggerRef(all);
  }

  async function close(flows: readonly FlowView[]): Promise<void> {
    const answer = await call('flows.close', { flows: flows.map(({ lane, id }) => ({ lane, id })) });
    if (!answer.ok) useNotices().fail(answer.failure);
  }

  return { all, failure, isPaused, watch, unwatch, pause, take, keepOnly, close };
});
