/**
 * The window's own engine as a process: started by electron/main, which holds the other end of its standard input.
 *
 * Does: answers once on standard output, as a line of JSON, whether its control socket is open; ends when its window is gone and no lane
 * is left, so that apps outlive the window that started them.
 */
import { failureOf, type Answer } from '#shared/failure.ts';
import { Engine } from './engine.ts';

/** What an engine that is being ended by the system still gets, as a shell would say it. */
const signalled = 143;

async function main(): Promise<void> {
  // Else every app on its lanes that is made with Electron would start as a Node.js.
  delete process.env['ELECTRON_RUN_AS_NODE'];
  const engine = await Engine.start({
    isolation: 'auto',
    hasTerminal: false,
    productDir: import.meta.dirname,
  });
  let hasWindow = true;
  const end = async (code: number): Promise<void> => {
    await engine.close();
    process.exit(code);
  };
  const endIfUnneeded = (): void => {
    if (!hasWindow && engine.snapshot().lanes.length === 0) void end(0);
  };
  engine.on('changed', endIfUnneeded);
  process.stdin.once('close', () => {
    hasWindow = false;
    endIfUnneeded();
  });
  process.stdin.on('error', () => {
    // The window is gone; `close` follows.
  });
  process.stdin.resume();
  process.once('SIGTERM', () => void end(signalled));
  answer({ ok: true, value: null });
}

function answer(value: Answer<null>): void {
  process.stdout.on('error', () => {
    // The window is gone before it could hear of it.
  });
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

main().catch((error: unknown) => {
  answer({ ok: false, failure: failureOf(error) });
  process.exitCode = 1;
  process.stdin.destroy();
});
