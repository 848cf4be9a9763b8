/** The engines of this user as one thing: asked at once, or followed while they come and go. */
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EngineClient } from '#shared/control/client.ts';
import { CulvertError } from '#shared/failure.ts';
import { enginePidOf, runtimeDir } from '#shared/paths.ts';

const lookAgainMs = 1000;

/**
 * Asks every engine, oldest first. One that ends while it is asked is left out: it is the same as not found.
 * Throws what `ask` throws else.
 */
export async function askEngines<T>(ask: (client: EngineClient) => Promise<T>): Promise<T[]> {
  const clients = await EngineClient.all();
  try {
    const answers = await Promise.all(clients.map((client) => unlessGone(ask(client))));
    return answers.filter((answer) => answer !== undefined).map(({ value }) => value);
  } finally {
    for (const client of clients) client.close();
  }
}

/**
 * Joins every engine that there is or comes to be, until the last one has ended; where there is none, waits for the
 * first. `onGone` is called for each that ends.
 */
export async function followEngines(
  join: (client: EngineClient) => Promise<void>,
  onGone: (client: EngineClient) => void,
): Promise<void> {
  const joined = new Map<number, EngineClient>();
  const seen = new Set<number>();
  const look = async (): Promise<void> => {
    for (const pid of enginePids()) {
      if (joined.has(pid)) continue;
      const client = await EngineClient.at(pid);
      if (client === undefined) continue;
      seen.add(pid);
      joined.set(pid, client);
      client.on('gone', () => {
        joined.delete(pid);
        onGone(client);
      });
      await unlessGone(join(client));
    }
  };
  await look();
  while (seen.size === 0 || joined.size > 0) {
    await delay(lookAgainMs);
    await look();
  }
}

function enginePids(): number[] {
  return readdirSync(runtimeDir())
    .map(enginePidOf)
    .filter((pid) => pid !== undefined)
    .toSorted((a, b) => a - b);
}

/** An answer that may be undefined itself, or undefined where the engine has ended instead of answering. */
async function unlessGone<T>(answer: Promise<T>): Promise<{ readonly value: T } | undefined> {
  try {
    return { value: await answer };
  } catch (error) {
    if (error instanceof CulvertError && error.failure.code === 'engine-unreachable') return undefined;
    throw error;
  }
}
