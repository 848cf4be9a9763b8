/**
 * Loaded before Culvert in a window that is driven: holds Electron's `ready` back until Playwright is connected and
 * calls `__playwright_run`. A page that is already loading when Playwright comes is now and then one it waits for
 * in vain.
 */
const { app } = require('electron');

const whenReady = app.whenReady();
const emit = app.emit.bind(app);
/** @type {unknown[]} */
let held = [];
let isReady = false;
/** @type {(value?: unknown) => void} */
let release = () => {};
const released = new Promise((resolve) => {
  release = resolve;
});

app.emit = (event, ...args) => {
  if (event !== 'ready' || isReady) return emit(event, ...args);
  held = args;
  return true;
};
app.isReady = () => isReady;
app.whenReady = () => released;

globalThis['__playwright_run'] = async () => {
  await whenReady;
  isReady = true;
  release();
  emit('ready', ...held);
};
