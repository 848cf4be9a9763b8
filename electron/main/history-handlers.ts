/**
 * What main answers about the traffic of the past: it asks all engines of this user, and the window's own one for the
 * files, which have the past of engines that have ended.
 */
import type { WindowHandlers, windowHistoryCalls } from '#shared/contract.ts';
import type { EngineClient } from '#shared/control/client.ts';
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import type { HistoryPast, HistoryStep, HistoryView } from '#shared/history-protocol.ts';
import { askOwn } from './app-handlers.ts';
import type { Parts } from './handlers.ts';
import { mergeHosts, mergeViews } from './history-merge.ts';

/** An engine that does not answer within this is left out of the picture this time. */
const patienceMs = 2000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const daySeconds = 24 * 60 * 60;

type Answering = Pick<Parts, 'engines' | 'own'>;
type Without = { engine: number; since: number }[];

/** The answers, over all engines. */
export function historyHandlersFor(parts: Answering): Pick<WindowHandlers, keyof typeof windowHistoryCalls> {
  return {
    'history.read': async ({ step, seconds }) => {
      const asked: HistoryStep = step === 3600 ? 60 : step;
      const reach = { step: asked, seconds: Math.min(seconds, daySeconds) };
      const views = await ofAll(parts, (client) => client.call('history.read', reach));
      const now = Date.now();
      const { past, problem } =
        asked < 60
          ? {}
          : await pastOf(parts, views, {
              from: now - seconds * 1000,
              to: now + minuteMs,
              step: pastStep(step),
            });
      return {
        ...mergeViews(
          { step, seconds, now },
          views.map(({ value }) => value),
          past,
        ),
        ...(problem === undefined ? {} : { problem }),
      };
    },
    'history.hosts': async ({ from, to, app }) => {
      const answers = await ofAll(parts, (client) => client.call('history.hosts', { from, to, app }));
      if (answers.length === 0) return { from, to, hosts: [] };
      const since = await ofAll(parts, (client) => client.call('history.read', { step: 60, seconds: 60 }));
      const { past } = await pastOf(parts, since, { from, to, step: 60, hostsOf: app ?? '' });
      return mergeHosts(
        answers.map(({ value }) => value),
        past?.hosts ?? [],
      );
    },
    'history.state': () => askOwn(parts, 'history.state', {}),
    'history.keep': (change) => askOwn(parts, 'history.keep', change),
    'history.clear': async () => {
      await Promise.all(parts.engines.answering.map((client) => client.call('history.clear', {})));
      return {};
    },
  };
}

function pastStep(step: 1 | 10 | 60 | 3600): 60 | 3600 {
  return step === 3600 ? 3600 : 60;
}

/** What every engine that answers in time says. Throws `engine-unreachable` where there are some and none does. */
async function ofAll<T>(
  { engines }: Answering,
  ask: (client: EngineClient) => Promise<T>,
): Promise<{ engine: number; value: T }[]> {
  const clients = engines.answering;
  const answers = await Promise.all(
    clients.map(async (client) => {
      const value = await inTime(ask(client));
      return value === undefined ? [] : [{ engine: client.pid, value }];
    }),
  );
  if (clients.length > 0 && answers.flat().length === 0) throw new CulvertError('engine-unreachable');
  return answers.flat();
}

/** Undefined for what is not there in time, or fails because its engine has ended meanwhile. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, patienceMs, undefined);
  });
  try {
    return await Promise.race([answer.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the files have of times that no engine has told of; without an engine of the window's own there is nobody to ask. */
async function pastOf(
  parts: Answering,
  told: readonly { engine: number; value: HistoryView }[],
  query: { from: number; to: number; step: 60 | 3600; hostsOf?: string },
): Promise<{ past?: HistoryPast; problem?: Failure }> {
  if (parts.own.state.state !== 'ready') return {};
  const without: Without = told.map(({ engine, value: { since, at } }) => ({
    engine,
    since: Math.floor(Math.max(since, at - dayMs + minuteMs) / minuteMs) * minuteMs,
  }));
  try {
    return { past: await askOwn(parts, 'history.past', { ...query, without }) };
  } catch (error) {
    // The rest of the picture is as good as it was.
    return { problem: failureOf(error) };
  }
}
