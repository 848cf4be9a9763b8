/**
 * The window's side of an engine's control socket, as a program that a user of a world can run: `talker PID`. Each
 * line of standard input is `[id, call, params]`, each line of standard output an answer or an event.
 */
import { createInterface } from 'node:readline';
import { EngineClient } from '#shared/control/client.ts';
import type { EngineCall } from '#shared/engine-protocol.ts';
import { failureOf } from '#shared/failure.ts';

function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function main(): Promise<void> {
  const client = await EngineClient.at(Number(process.argv[2]));
  if (client === undefined) throw new Error('there is no such engine');
  client.on('notice', (value) => {
    say({ event: 'notice', value });
  });
  client.on('config', (value) => {
    say({ event: 'config', value });
  });
  client.on('testLine', (value) => {
    say({ event: 'testLine', value });
  });
  client.on('gone', () => {
    say({ event: 'gone', value: null });
  });
  await client.call('watch', {});
  say({ event: 'ready', value: null });
  for await (const line of createInterface({ input: process.stdin })) {
    const [id, call, params] = JSON.parse(line) as [number, EngineCall, never];
    client.call(call, params).then(
      (value) => {
        say({ id, value });
      },
      (error: unknown) => {
        say({ id, failure: failureOf(error) });
      },
    );
  }
}

void main();
