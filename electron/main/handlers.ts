/** What main answers to each call of the window. A call without an answer does not compile. */
import { app, clipboard } from 'electron';
import { forwardedCalls, type Overview, type WindowHandlers } from '#shared/contract.ts';
import type { EngineCall } from '#shared/engine-protocol.ts';
import { version } from '#shared/version.ts';
import { appHandlersFor, askOwn } from './app-handlers.ts';
import type { Engines } from './engine-client.ts';
import { saveFile } from './file-saving.ts';
import { historyHandlersFor } from './history-handlers.ts';
import type { OwnEngine } from './own-engine.ts';
import type { KeptPreferences } from './preferences.ts';
import { sumOfHits } from './rule-hits.ts';

/** More characters than a list of links has that somebody would paste into one line. */
const maxPasted = 65_536;

export interface Parts {
  readonly engines: Engines;
  readonly own: OwnEngine;
  readonly preferences: KeptPreferences;
}

/** The overview as it is now. */
export function overviewOf({ engines, own }: Parts): Overview {
  return { own: own.state, ...engines.view(own.pid) };
}

/** The answers, over the parts of main. */
export function handlersFor(parts: Parts): WindowHandlers {
  const { engines, own, preferences } = parts;
  return {
    'window.start': async () => {
      await engines.look();
      engines.tellPast();
      return {
        version,
        preferences: preferences.now,
        systemLanguages: app.getPreferredSystemLanguages(),
        overview: overviewOf(parts),
      };
    },
    'preferences.set': (change) => preferences.set(change),
    'text.copy': async ({ text }) => {
      await clipboard.writeText(text);
      return {};
    },
    'text.paste': async () => ({ text: (await clipboard.readText()).slice(0, maxPasted) }),
    'engine.start': () => {
      own.start();
      return {};
    },
    'lane.stop': (params) => engines.ofLane(params.lane).call('lane.stop', params),
    'lane.switch': (params) => engines.ofLane(params.lane).call('lane.switch', params),
    'lane.processes': (params) => engines.ofLane(params.lane).call('lane.processes', params),
    'lane.check': (params) => engines.ofLane(params.lane).call('lane.check', params),
    'lane.log': (params) => engines.ofLane(params.lane).call('lane.log', params),
    'flows.watch': async () => {
      await engines.watchFlows(true);
      return {};
    },
    'flows.unwatch': async () => {
      await engines.watchFlows(false);
      return {};
    },
    ...appHandlersFor(parts),
    'file.save': saveFile,
    ...historyHandlersFor(parts),
    ...forwarding(parts),
    'rule.hits': async () => sumOfHits(await engines.askAll('rule.hits', {})),
    'flows.close': async ({ flows }) => ({ closed: await closeFlows(engines, flows) }),
  };
}

/** What the window's own engine answers goes to it and comes back as it is. */
function forwarding(parts: Parts): Pick<WindowHandlers, keyof typeof forwardedCalls> {
  const names = Object.keys(forwardedCalls) as EngineCall[];
  return Object.fromEntries(
    names.map((name) => [name, (params: never) => askOwn(parts, name, params)]),
  ) as unknown as Pick<WindowHandlers, keyof typeof forwardedCalls>;
}

async function closeFlows(
  engines: Engines,
  flows: readonly { readonly lane: string; readonly id: number }[],
): Promise<number> {
  const byEngine = Map.groupBy(flows, ({ lane }) => engines.ofLane(lane));
  const answers = await Promise.all(
    [...byEngine].map(([client, of]) => client.call('flows.close', { ids: of.map(({ id }) => id) })),
  );
  return answers.reduce((sum, { closed }) => sum + closed, 0);
}
