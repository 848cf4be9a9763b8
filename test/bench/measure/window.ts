/**
 * What the window costs: the time from its start until it can be used, and the processor while it is hidden. Without
 * Playwright, which has a share of its own in both.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Running } from '../../world/running.ts';
import { electron, installWindow, type WindowParts } from '../../world/window.ts';
import { World } from '../../world/world.ts';
import { writeConfig } from '../../system/settings.ts';
import { atMost, median, type Single } from './goals.ts';

/** Runs in Electron's main process beside Culvert (`-r`): says when the window can be used, and what its processes cost. */
const probe = `
const { app, BrowserWindow } = require('electron');
const { readFileSync } = require('node:fs');
const usable = \`new Promise((resolve) => {
  const look = () => {
    const isThere = document.querySelector('main h1') !== null &&
      document.querySelector('main [role="gridcell"]') !== null && document.visibilityState === 'visible';
    requestAnimationFrame(isThere ? () => resolve() : look);
  };
  look();
})\`;
const ticks = () => {
  const found = {};
  for (const { pid, type } of app.getAppMetrics()) {
    const fields = readFileSync('/proc/' + pid + '/stat', 'utf8').replace(/^.*\\)/, '').split(' ');
    found[type] = (found[type] ?? 0) + Number(fields[12]) + Number(fields[13]);
  }
  return found;
};
app.whenReady().then(async () => {
  while (BrowserWindow.getAllWindows().length === 0) await new Promise(setImmediate);
  const [window] = BrowserWindow.getAllWindows();
  const { webContents } = window;
  await new Promise((resolve) => webContents.once('dom-ready', resolve));
  await webContents.executeJavaScript(usable);
  console.log('usable ' + Math.round(Date.now() - process.getCreationTime()));
  process.stdin.on('data', async (line) => {
    const [word, seconds] = String(line).trim().split(' ');
    if (word === 'quit') app.exit(0);
    if (word !== 'hide') return;
    window.hide();
    // What hiding itself costs is over by then.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const [before, at] = [ticks(), performance.now()];
    await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
    const [after, ms] = [ticks(), performance.now() - at];
    const shares = Object.entries(after).map(([type, now]) => [type, ((now - (before[type] ?? 0)) * 1000) / ms]);
    console.log('hidden ' + JSON.stringify(Object.fromEntries(shares)));
  });
});
`;

/** Starts the window's program by itself, with the probe. */
function start(world: World, { product, display }: WindowParts): Running {
  // With a profile there is nothing to begin with, and the apps are shown.
  writeConfig(world, { profiles: [{ id: 'home', name: 'Home', action: 'direct' }] });
  const path = join(world.dir, 'probe.cjs');
  writeFileSync(path, probe);
  const env = { DISPLAY: display, LANG: 'en_US.UTF-8', DBUS_SESSION_BUS_ADDRESS: 'disabled:' };
  return world.spawn([electron, '-r', path, join(product.dir, 'main.cjs')], { user: 'culvert-a', env });
}

/** Median of `runs`, each with an engine of its own; the first is not counted, since it also reads the files. */
export async function windowStart(runs: number): Promise<Single> {
  await using world = await World.create();
  const parts = await installWindow(world);
  const found: number[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const window = start(world, parts);
    const [, ms = ''] = await window.says(/usable ([0-9]+)/, 30_000);
    if (run > 0) found.push(Number(ms));
    window.write('quit\n');
    await window.ended;
  }
  return atMost('window, from its start until it can be used', median(found), 'ms', 1500);
}

/** All processes of the window but its engine, beside one lane that downloads and connects without pause. */
export async function windowHidden(seconds: number): Promise<Single[]> {
  await using world = await World.create();
  const parts = await installWindow(world);
  await using proxy = await world.proxy('microsocks');
  const busy =
    'curl -s --limit-rate 10M http://example.test/bytes/9000000000 >/dev/null & while :; do curl -s http://example.test/ >/dev/null; sleep 1; done';
  parts.product.spawn(['bash', '-c', busy], { proxy: proxy.url });
  const window = start(world, parts);
  await window.says(/usable/, 30_000);
  window.write(`hide ${seconds}\n`);
  const [, json = ''] = await window.says(/hidden (\{.*\})/, (seconds + 30) * 1000);
  window.write('quit\n');
  await window.ended;
  const { Browser: main = 0, Tab: page = 0, ...others } = JSON.parse(json) as Record<string, number>;
  const rest = Object.values(others).reduce((sum, share) => sum + share, 0);
  const unit = '% of a core';
  return [
    atMost('window hidden, one busy lane', main + page + rest, unit, 0.5),
    { name: 'window hidden: of that the main process', value: main, unit },
    { name: 'window hidden: of that the page', value: page, unit },
  ];
}
