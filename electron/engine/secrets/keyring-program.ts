/**
 * dist/keyring.cjs: the keyring (org.freedesktop.secrets) in a process of its own, because a call into it cannot
 * be called off: it lasts as long as a question on the screen is unanswered, and a process that has begun it does
 * not end before. This one can be killed.
 *
 * Reads one JSON request a line and answers each with one line; ends with its input, whatever is under way.
 * Must not: write a password anywhere but into its answer.
 */
import { createInterface } from 'node:readline';
import { keyringService, type KeyringAnswer, type KeyringRequest } from './keyring-messages.ts';

async function answer({ call, account, password }: KeyringRequest): Promise<KeyringAnswer> {
  try {
    // Only here, so that a native part that is missing is an answer too.
    const { AsyncEntry } = await import('@napi-rs/keyring');
    // Not the kernel's keyring, which the library would fall back to: it forgets with the session.
    const entry = new AsyncEntry(keyringService, account, { linux: { store: 'secret-service' } });
    if (call === 'set') await entry.setPassword(password ?? '');
    if (call === 'remove') await entry.deletePassword();
    if (call !== 'get') return { ok: true };
    const found = await entry.getPassword();
    return found === null ? { ok: true } : { ok: true, password: found };
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it failed';
    const isSafe = password === undefined || password === '' || !why.includes(password);
    return { ok: false, why: isSafe ? why : 'it failed' };
  }
}

function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

let queue = Promise.resolve();
createInterface({ input: process.stdin })
  .on('line', (line) => {
    queue = queue.then(async () => {
      write(await answer(JSON.parse(line) as KeyringRequest));
    });
  })
  .on('close', () => {
    // An ordinary end would wait for the call.
    process.kill(process.pid, 'SIGKILL');
  });
write({ ready: true });
