/**
 * Runs in Electron's main process beside Culvert (`-r`): leads the window to the connections and says, as JSON on a line,
 * what these cost its page. A number of seconds on a line of its input begins it; `quit` ends all.
 */
const { setTimeout } = require('node:timers');
const { app, BrowserWindow } = require('electron');

/** Of the wheel, sixty a second. */
const turns = 300;
const say = (text) => process.stdout.write(`${text}\n`);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
/** By when all that an update makes the page do is done, and long before the next one. */
const settledMs = 500;

/** Resolves half a second after the page was told of connections the next time. */
function updatesOf(webContents) {
  const send = webContents.send.bind(webContents);
  let told = () => {};
  webContents.send = (channel, ...values) => {
    send(channel, ...values);
    if (channel === 'culvert.event.flows') told();
  };
  return async () => {
    await new Promise((resolve) => {
      told = resolve;
    });
    await wait(settledMs);
  };
}

async function measured(window, seconds) {
  const { webContents } = window;
  const page = (code) => webContents.executeJavaScript(code);
  await page(`location.hash = '#/connections'`);
  const shown = `document.querySelectorAll('.flows .row').length`;
  while ((await page(shown)) < 10) await wait(100);
  await wait(3000);
  webContents.debugger.attach('1.3');
  await webContents.debugger.sendCommand('Performance.enable');
  const read = async () => {
    const { metrics } = await webContents.debugger.sendCommand('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  const updates = [];
  const settled = updatesOf(webContents);
  await settled();
  let before = await read();
  for (let second = 0; second < seconds; second += 1) {
    // From one to the next there is one update, which there is not in a second of the clock.
    await settled();
    const now = await read();
    const ms = (name) => (now[name] - before[name]) * 1000;
    updates.push({
      task: ms('TaskDuration'),
      cpu: ms('ThreadTime'),
      layout: ms('LayoutDuration') + ms('RecalcStyleDuration'),
    });
    before = now;
  }
  await page(`
    globalThis.longTasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longTasks.push(duration);
    }).observe({ type: 'longtask' });
  `);
  const still = await read();
  const { x, y } = await page(`document.querySelector('.flows').getBoundingClientRect().toJSON()`);
  for (let turn = 0; turn < turns; turn += 1) {
    webContents.sendInputEvent({
      type: 'mouseWheel',
      x: Math.round(x) + 200,
      y: Math.round(y) + 200,
      deltaY: -400,
      canScroll: true,
    });
    await wait(16);
  }
  const scrolled = await page(`document.querySelector('.flows').scrollTop`);
  const longTasks = await page('longTasks');
  const { JSHeapUsedSize: heap, ThreadTime: cpu } = await read();
  const turnMs = ((cpu - still.ThreadTime) * 1000) / turns;
  return { updates, turnMs, longTasks, scrolled, pid: webContents.getOSProcessId(), heap };
}

app.whenReady().then(async () => {
  while (BrowserWindow.getAllWindows().length === 0) await wait(20);
  const [window] = BrowserWindow.getAllWindows();
  await new Promise((resolve) => window.webContents.once('did-finish-load', resolve));
  process.stdin.on('data', (line) => {
    const word = String(line).trim();
    if (word === 'quit') app.exit(0);
    else
      measured(window, Number(word)).then(
        (found) => say(`measured ${JSON.stringify(found)}`),
        (error) => say(`measured ${JSON.stringify({ error: String(error) })}`),
      );
  });
  say('loaded');
});
