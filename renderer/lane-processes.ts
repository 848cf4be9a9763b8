/** The processes of a running app, asked for again and again while its card is seen. */
import { onMounted, onUnmounted, shallowRef, watch, type Ref } from 'vue';
import type { WindowValue } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import { call } from './bridge.ts';

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
  let timer: ReturnType<typeof setInterval> | undefined;
  let isAsking = false;

  async function ask(): Promise<void> {
    if (isAsking || document.visibilityState === 'hidden') return;
    isAsking = true;
    const answer = await call('lane.processes', { lane: lane() });
    isAsking = false;
    failure.value = answer.ok ? undefined : answer.failure;
    if (answer.ok) processes.value = answer.value;
  }

  function start(): void {
    clearInterval(timer);
    void ask();
    timer = setInterval(() => void ask(), isOpen() ? askMs.open : askMs.closed);
  }

  onMounted(start);
  watch(isOpen, start);
  onUnmounted(() => {
    clearInterval(timer);
  });
  return { processes, failure };
}
