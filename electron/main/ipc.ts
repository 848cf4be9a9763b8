/**
 * The door for what the window asks: each call of shared/contract.ts, its sender checked, its parameters parsed,
 * its answer an `Answer` (S42). Nothing is thrown across.
 */
import { ipcMain, type WebFrameMain } from 'electron';
import * as v from 'valibot';
import {
  callChannel,
  windowCallNames,
  windowCalls,
  type WindowCall,
  type WindowHandlers,
} from '#shared/contract.ts';
import { failureOf, type Answer } from '#shared/failure.ts';

/** Answers the window's calls. `isPage` says whether a frame is the window's own page. */
export function serveWindow(handlers: WindowHandlers, isPage: (frame: WebFrameMain | null) => boolean): void {
  for (const name of windowCallNames) {
    ipcMain.handle(callChannel(name), (event, params: unknown) => {
      if (!isPage(event.senderFrame)) return refusal;
      return answer(handlers, name, params);
    });
  }
}

const refusal: Answer<never> = { ok: false, failure: { code: 'peer-refused', detail: 'another page' } };

/** The answer to one call, whatever its parameters are. */
export async function answer(
  handlers: WindowHandlers,
  name: WindowCall,
  params: unknown,
): Promise<Answer<unknown>> {
  const parsed = v.safeParse(windowCalls[name].params, params);
  if (!parsed.success) return { ok: false, failure: { code: 'bad-message', step: name } };
  try {
    const handler = handlers[name] as (params: unknown) => unknown;
    return { ok: true, value: await handler(parsed.output) };
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}
