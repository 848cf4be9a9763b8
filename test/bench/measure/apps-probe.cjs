/**
 * Asks an engine for the installed apps and for the icon of each, twice, and says as JSON on a line what that took: the
 * first time it is an engine that has looked at nothing yet. Its argument is the engine's control socket.
 */
const net = require('node:net');
const { performance } = require('node:perf_hooks');

const waiting = new Map();
let last = 0;
let text = '';
const socket = net.connect(process.argv[2]);
socket.on('data', (bytes) => {
  text += bytes;
  const lines = text.split('\n');
  text = lines.pop();
  for (const line of lines) {
    const { id, result, error } = JSON.parse(line);
    if (error !== undefined) throw new Error(JSON.stringify(error));
    waiting.get(id)?.(result);
    waiting.delete(id);
  }
});

function call(method, params) {
  last += 1;
  const id = last;
  socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  return new Promise((resolve) => waiting.set(id, resolve));
}

async function round() {
  const begun = performance.now();
  const apps = await call('app.list', {});
  const listMs = performance.now() - begun;
  const icons = await Promise.all(apps.map(({ id }) => call('app.icon', { app: id, size: 48, scale: 1 })));
  const allMs = performance.now() - begun;
  return { apps: apps.length, icons: icons.filter((icon) => icon !== null).length, listMs, allMs };
}

async function measured() {
  const cold = await round();
  const warm = await round();
  process.stdout.write(`${JSON.stringify({ cold, warm })}\n`);
  socket.end();
}

void measured();
