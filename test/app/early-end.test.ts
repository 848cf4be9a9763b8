/** The window is asked to end before anybody can see it: it ends then, and asks nobody anything. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../world/until.ts';
import { electron, installWindow, type WindowParts } from '../world/window.ts';
import { World } from '../world/world.ts';

let world: World;
let parts: WindowParts;

beforeAll(async () => {
  world = await World.create();
  parts = await installWindow(world);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** Loaded before Culvert: sends SIGTERM to it at a moment of its start. */
function signalAt(moment: string): string {
  const script = join(parts.product.dir, 'signal.cjs');
  writeFileSync(
    script,
    `const { app } = require('electron');
const end = () => process.kill(process.pid, 'SIGTERM');
${moment}`,
  );
  chmodSync(script, 0o644);
  return script;
}

test.each([
  ['it is ready', "app.once('ready', end);"],
  ['it has made its window', "app.once('browser-window-created', end);"],
  [
    'its page is on the way',
    "app.once('browser-window-created', (_, { webContents }) => webContents.once('did-navigate', end));",
  ],
])('when %s', async (_, moment) => {
  const command = [electron, '-r', signalAt(moment), join(parts.product.dir, 'main.cjs')];
  const env = { DISPLAY: parts.display, DBUS_SESSION_BUS_ADDRESS: 'disabled:' };
  const { code, signal, stderr } = await world.run(command, { user: 'culvert-a', env, timeoutMs: 30_000 });
  expect(stderr).not.toContain('culvert:');
  expect([code, signal]).toEqual([0, null]);
  await until('nothing to be left', () => world.leftovers().length === 0);
});
