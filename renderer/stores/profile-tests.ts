/** Tests of profiles, line by line as they come, and what they came to in this session. */
import { defineStore } from 'pinia';
import { computed, ref, shallowReactive } from 'vue';
import type { WindowEventValue, WindowParams } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import { latencyOf } from '#shared/latency.ts';
import type { CheckLine, CheckReport } from '#shared/model.ts';
import { call } from '../bridge.ts';

/** `server` where the line is about that one alone. */
export interface TestedLine {
  readonly server?: string | undefined;
  readonly line: CheckLine;
}

export type Test = { readonly lines: readonly TestedLine[] } & (
  | { readonly state: 'running'; readonly id: string }
  | { readonly state: 'done'; readonly report: CheckReport; readonly at: number }
  | { readonly state: 'cancelled' }
  | { readonly state: 'failed'; readonly failure: Failure }
);
type Subject = WindowParams<'profile.test'>['of'];

/** Tests of all profiles that run at the same time. */
const atOnce = 3;

export const useProfileTests = defineStore('profile-tests', () => {
  /** By the id of the profile. */
  const all = shallowReactive(new Map<string, Test>());
  const waiting = ref<readonly string[]>([]);
  let last = 0;

  const running = computed(() => [...all.values()].filter(({ state }) => state === 'running').length);
  /** Milliseconds of the profiles whose last test went well. */
  const latencies = computed<ReadonlyMap<string, number>>(
    () =>
      new Map(
        [...all].flatMap(([id, test]) => {
          const ms = timeOf(test);
          return ms === undefined ? [] : [[id, ms] as const];
        }),
      ),
  );

  async function run(profile: string, of: Subject = { kind: 'profile', profile }): Promise<void> {
    if (all.get(profile)?.state === 'running') return;
    last += 1;
    const id = `window-${Date.now()}-${last}`;
    all.set(profile, { state: 'running', id, lines: [] });
    const answer = await call('profile.test', { test: id, of });
    const now = all.get(profile);
    // It was cancelled, or forgotten.
    if (now?.state !== 'running' || now.id !== id) return;
    const { lines } = now;
    if (!answer.ok) all.set(profile, { state: 'failed', lines, failure: answer.failure });
    else {
      const told = lines.length > 0 ? lines : answer.value.lines.map((line) => ({ line }));
      all.set(profile, { state: 'done', lines: told, report: answer.value, at: Date.now() });
    }
  }

  /** Takes a line that was told. */
  function take({ test: id, server, line }: WindowEventValue<'testLine'>): void {
    for (const [profile, test] of all) {
      if (test.state === 'running' && test.id === id)
        all.set(profile, { ...test, lines: [...test.lines, { server, line }] });
    }
  }

  async function cancel(profile: string): Promise<void> {
    const test = all.get(profile);
    if (test?.state !== 'running') return;
    all.set(profile, { state: 'cancelled', lines: test.lines });
    await call('profile.endTest', { test: test.id });
  }

  async function runAll(profiles: readonly string[]): Promise<void> {
    if (waiting.value.length > 0) return;
    waiting.value = profiles;
    const work = async (): Promise<void> => {
      for (let next = takeNext(); next !== undefined; next = takeNext()) await run(next);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  function takeNext(): string | undefined {
    const [next, ...others] = waiting.value;
    waiting.value = others;
    return next;
  }

  async function cancelAll(): Promise<void> {
    waiting.value = [];
    await Promise.all([...all.keys()].map(cancel));
  }

  function forget(profile: string): void {
    void cancel(profile).then(() => all.delete(profile));
  }

  return { all, waiting, running, latencies, run, take, cancel, runAll, cancelAll, forget };
});

/** None for a proxy that can be reached but does not carry anything. */
function timeOf(test: Test): number | undefined {
  if (test.state !== 'done') return undefined;
  const { outcome, lines } = test.report;
  const isCarrying = lines.some((line) => line.stage === 'web' && line.outcome === 'ok');
  return outcome === 'failed' && !isCarrying ? undefined : latencyOf(test.report);
}
