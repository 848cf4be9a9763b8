/** The traffic of the past while somebody looks at it, as main tells it, and which part of it is looked at. */
import { defineStore } from 'pinia';
import { computed, ref, shallowRef } from 'vue';
import type { WindowValue } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import type { HistoryHosts } from '#shared/history-protocol.ts';
import { call } from '../bridge.ts';
import { clipped, ranges, type Grouping, type RangeId, type Span } from '../traffic-picture.ts';

export const useHistory = defineStore('history', () => {
  const range = ref<RangeId>('5m');
  const grouping = ref<Grouping>('app');
  /** Which line has which place in the graph, so that it looks the same whenever the screen is opened again. */
  const places: Readonly<Record<Grouping, Map<string, number>>> = { app: new Map(), profile: new Map() };
  const view = shallowRef<WindowValue<'history.read'>>();
  const failure = shallowRef<Failure>();
  const hosts = shallowRef<HistoryHosts>();
  const selection = shallowRef<Span>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Answers to earlier questions are not taken. */
  let asked = 0;
  let askedHosts = 0;

  const chosen = computed(() => ranges.find(({ id }) => id === range.value) ?? ranges[0]);
  const span = computed<Span>(() => {
    const { from = 0, at = 0 } = view.value ?? {};
    return selection.value ?? { from, to: at };
  });

  /** Asks now, and again and again until `unwatch`. */
  async function watch(): Promise<void> {
    unwatch();
    const question = (asked += 1);
    const { step, seconds, everyMs } = chosen.value;
    const answer = await call('history.read', { step, seconds: step === 1 ? seconds + 1 : seconds });
    if (question !== asked) return;
    failure.value = answer.ok ? undefined : answer.failure;
    if (answer.ok) {
      const { from, at } = answer.value;
      selection.value = clipped(selection.value, { from, to: at });
      view.value = answer.value;
      await readHosts();
    }
    if (question === asked) timer = setTimeout(() => void watch(), everyMs);
  }

  function unwatch(): void {
    clearTimeout(timer);
    asked += 1;
  }

  async function choose(id: RangeId): Promise<void> {
    range.value = id;
    forget();
    await watch();
  }

  async function select(wanted: Span | undefined): Promise<void> {
    selection.value = wanted;
    await readHosts();
  }

  async function readHosts(): Promise<void> {
    const question = (askedHosts += 1);
    const { from, to } = span.value;
    const answer = await call('history.hosts', { from, to });
    if (question !== askedHosts) return;
    hosts.value = answer.ok ? answer.value : undefined;
    if (!answer.ok) failure.value = answer.failure;
  }

  /** Forgets what is shown: it is gone. */
  function forget(): void {
    view.value = undefined;
    hosts.value = undefined;
    selection.value = undefined;
  }

  return { range, grouping, places, view, failure, hosts, selection, watch, unwatch, choose, select, forget };
});
