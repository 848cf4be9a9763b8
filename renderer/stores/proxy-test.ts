/** A test of links that are not saved yet, with its lines as they come. One at a time. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { Failure } from '#shared/failure.ts';
import type { CheckLine, CheckReport } from '#shared/model.ts';
import { call, listen } from '../bridge.ts';

export type ProxyTest =
  | { readonly state: 'none' }
  | { readonly state: 'running'; readonly id: string; readonly lines: readonly CheckLine[] }
  | { readonly state: 'done'; readonly lines: readonly CheckLine[]; readonly outcome: CheckReport['outcome'] }
  | { readonly state: 'failed'; readonly failure: Failure };

export const useProxyTest = defineStore('proxy-test', () => {
  const now = shallowRef<ProxyTest>({ state: 'none' });
  let number = 0;

  const running = (): string | undefined => (now.value.state === 'running' ? now.value.id : undefined);

  listen('testLine', ({ test, line }) => {
    const known = now.value;
    if (known.state === 'running' && known.id === test)
      now.value = { ...known, lines: [...known.lines, line] };
  });

  /** Begins anew; one that is under way ends. */
  async function start(links: string): Promise<void> {
    end();
    number += 1;
    const id = `setup-${number}`;
    now.value = { state: 'running', id, lines: [] };
    const answer = await call('profile.test', { test: id, of: { kind: 'links', links } });
    // It was ended, or another one has begun.
    if (running() !== id) return;
    now.value = answer.ok
      ? { state: 'done', lines: answer.value.lines, outcome: answer.value.outcome }
      : { state: 'failed', failure: answer.failure };
  }

  /** Forgets it, and ends it where it is under way. */
  function end(): void {
    const id = running();
    now.value = { state: 'none' };
    if (id !== undefined) void call('profile.endTest', { test: id });
  }

  return { now, start, end };
});
