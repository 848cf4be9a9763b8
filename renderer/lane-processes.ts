/** The processes of a running app, asked for again and again while its card is seen. */
import { shallowRef, watch, type Ref } from 'vue';
import type { WindowValue } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import { call } from './bridge.ts';
import { useEvery } from './while-seen.ts';

/** How often they are asked for, in milliseconds: while the details are open, and while they are not. */
const askMs = { open: 2000, closed: 6000 };

export interface LaneProcesses {
  /** Undefined until they are known. */
  readonly processes: Ref<WindowValue<'lane.processes'> | undefined>;
  readonly failure: Ref<Failure | undefined>;
}

/** Asks while the component that calls it is there and the window is visible. */
export function useLaneProcesses(lane: () => string, isOpen: () => boolean): LaneProcesses {
  const processes = shallowRef<WindowValue<'lane.processes'>>();
  const failure = shallowRef<Failure>();
  let isAsking = false;

  async function ask(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    const answer = await call('lane.processes', { lane: lane() });
    isAsking = false;
    failure.value = answer.ok ? undefined : answer.failure;
    if (answer.ok) processes.value = answer.value;
  }

  const beginAnew = useEvery(
    () => (isOpen() ? askMs.open : askMs.closed),
    () => void ask(),
  );
  watch(isOpen, beginAnew);
  return { processes, failure };
}
