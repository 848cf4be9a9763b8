/** How much of the traffic of the past is kept on disk, as the engine says it. */
import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { HistoryState } from '#shared/history-protocol.ts';
import { call } from '../bridge.ts';
import { useHistory } from './history.ts';
import { useNotices } from './notices.ts';

export const useKeptHistory = defineStore('kept-history', () => {
  const state = shallowRef<HistoryState>();

  async function read(): Promise<void> {
    const answer = await call('history.state', {});
    // Without an engine there is nothing to be said of it, and the window says that where it matters.
    if (answer.ok) state.value = answer.value;
  }

  async function keep(change: { keep?: HistoryState['keep']; hosts?: boolean }): Promise<void> {
    const answer = await call('history.keep', change);
    if (answer.ok) state.value = answer.value;
    else useNotices().fail(answer.failure);
  }

  /** Forgets the past, in memory and on disk. */
  async function clear(): Promise<void> {
    const answer = await call('history.clear', {});
    if (!answer.ok) useNotices().fail(answer.failure);
    useHistory().forget();
    await read();
  }

  return { state, read, keep, clear };
});
