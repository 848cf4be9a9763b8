/** The door for what the window asks: whatever comes, an answer goes back, and only what fits gets through. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import * as v from 'valibot';
import { answer, serveWindow } from '../../electron/main/ipc.ts';
import {
  callChannel,
  windowCallNames,
  windowCalls,
  type WindowCall,
  type WindowHandlers,
} from '../../electron/shared/contract.ts';
import { CulvertError } from '../../electron/shared/failure.ts';

const door = vi.hoisted(() => new Map<string, (event: unknown, params: unknown) => unknown>());
vi.mock('electron', () => ({
  ipcMain: {
    handle: (channel: string, work: (event: unknown, params: unknown) => unknown) => door.set(channel, work),
  },
}));

/** Handlers that say what they were called with. */
function recorder(): { handlers: WindowHandlers; heard: [WindowCall, unknown][] } {
  const heard: [WindowCall, unknown][] = [];
  const entries = windowCallNames.map((name) => [name, (params: unknown) => void heard.push([name, params])]);
  return { handlers: Object.fromEntries(entries) as WindowHandlers, heard };
}

test('whatever is sent, the answer is an answer, and a handler hears only what its schema lets through', async () => {
  const { handlers, heard } = recorder();
  const hostile = fc.oneof(
    fc.anything({ withNullPrototype: true, withBigInt: true, maxDepth: 3 }),
    fc.record({ lane: fc.oneof(fc.string(), fc.integer()), force: fc.anything() }, { requiredKeys: [] }),
    fc.constant(JSON.parse('{"__proto__":{"lane":"1-1"},"lane":"1-1"}') as unknown),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...windowCallNames), hostile, async (name, params) => {
      heard.length = 0;
      const given = await answer(handlers, name, params);
      expect(typeof given.ok).toBe('boolean');
      for (const [, through] of heard) expect(v.is(windowCalls[name].params, through)).toBe(true);
      expect(heard.length).toBe(given.ok ? 1 : 0);
    }),
    { numRuns: 2000 },
  );
});

test('what a handler throws comes back as its failure', async () => {
  const { handlers } = recorder();
  const failing = {
    ...handlers,
    'lane.stop': () => {
      throw new CulvertError('lane-unknown', { detail: '1-1' });
    },
    'text.copy': () => Promise.reject(new Error('no clipboard')),
  } as WindowHandlers;
  expect(await answer(failing, 'lane.stop', { lane: '1-1' })).toEqual({
    ok: false,
    failure: { code: 'lane-unknown', detail: '1-1' },
  });
  expect(await answer(failing, 'text.copy', { text: 'x' })).toMatchObject({ failure: { code: 'internal' } });
});

test('each call of the contract has its channel, and nobody but the page is heard there', async () => {
  const { handlers, heard } = recorder();
  const page = {};
  serveWindow(handlers, (frame) => frame === page);
  expect([...door.keys()]).toEqual(windowCallNames.map(callChannel));
  const stop = door.get(callChannel('lane.stop'));
  expect(await stop?.({ senderFrame: {} }, { lane: '1-1' })).toMatchObject({
    failure: { code: 'peer-refused' },
  });
  expect(await stop?.({ senderFrame: null }, { lane: '1-1' })).toMatchObject({ ok: false });
  expect(heard).toEqual([]);
  expect(await stop?.({ senderFrame: page }, { lane: '1-1' })).toMatchObject({ ok: true });
});
