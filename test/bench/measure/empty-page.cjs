/** A window with a page that has nothing, sandboxed as Culvert's is: says its process, and ends with its input. */
const { setTimeout } = require('node:timers');
const { app, BrowserWindow } = require('electron');

app.enableSandbox();
app.whenReady().then(async () => {
  const window = new BrowserWindow({ width: 1100, height: 720 });
  await window.loadURL('about:blank');
  // As long as the other page has to come to rest.
  setTimeout(() => process.stdout.write(`page ${window.webContents.getOSProcessId()}\n`), 3000);
  process.stdin.on('data', () => app.exit(0));
});
