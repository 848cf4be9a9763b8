/** The pseudo terminal of `culvert run` between a real terminal and a real session. Needs dist/native. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { chooseTerminal, withPty } from '../../electron/cli/passthrough.ts';
import { bundle, repository } from '../world/artefact.ts';
import { Keyboard } from './keyboard.ts';

let host: string;

beforeAll(() => {
  if (!existsSync(join(repository, 'dist/native/libculvert.so')))
    throw new Error('build first: node build/build.js');
  // Where the native part is looked for: beside the bundle of the product.
  host = bundle('test/cli/pty-host.ts', { __dirname: JSON.stringify(join(repository, 'dist')) });
});

describe('which way the terminal is passed on', () => {
  const onTerminal = { terminals: [true, true, true] as const, isPiped: false };

  test('a helper in our session shares it, terminal or not', () => {
    expect(chooseTerminal(7, 7, onTerminal)).toBe('share');
    expect(chooseTerminal(7, 7, { terminals: [false, false, false], isPiped: true })).toBe('share');
  });

  test('a helper in another session gets a terminal of its own when there is one', () => {
    expect(chooseTerminal(8, 7, onTerminal)).toBe('own');
    expect(chooseTerminal(8, 7, { terminals: [true, false, true], isPiped: false })).toBe('own');
    expect(chooseTerminal(8, 7, { terminals: [false, false, false], isPiped: false })).toBe('none');
  });

  test('in a pipeline the keys are left to the pager at its end', () => {
    expect(chooseTerminal(8, 7, { terminals: [true, false, true], isPiped: true })).toBe('none');
  });

  test('only descriptors that were terminals become the new one', () => {
    expect(withPty({ terminals: [true, false, true], isPiped: false }, 9)).toEqual([9, 1, 9]);
  });
});

describe('the terminal of its own', { timeout: 30_000 }, () => {
  const run = (command: string) => new Keyboard(`stty rows 33 cols 101; ${command}`, repository);

  test('is one to the app, of the same size, and foreground of its own session', async () => {
    await using keyboard = run(`node ${host} sh -c 'test -t 0 && test -t 1 && stty size; ps -o stat= -p $$'`);
    await keyboard.see(/33 101/);
    await keyboard.see(/Ss\+/);
    expect(await keyboard.end()).toBe(0);
  });

  test('gives every line of the output before it ends, and the exit status', async () => {
    await using keyboard = run(`node ${host} sh -c 'seq 1 20000; exit 5'`);
    expect(await keyboard.end()).toBe(5);
    const lines = keyboard.screen.trim().split(/[\r\n]+/);
    expect(lines).toHaveLength(20_000);
    expect(lines.at(-1)).toBe('20000');
  });

  test('passes what is typed, echoed once, and Ctrl+D', async () => {
    await using keyboard = run(`node ${host} sh -c 'echo ready; cat'`);
    await keyboard.see(/ready/);
    keyboard.type('hello\r');
    await keyboard.see(/hello\s+hello/);
    keyboard.type('\u0004');
    expect(await keyboard.end()).toBe(0);
    expect(keyboard.screen.match(/hello/g)).toHaveLength(2);
  });

  test('turns Ctrl+C into one SIGINT for the app', async () => {
    const app = `trap 'n=$((n+1)); echo interrupted $n' INT; echo ready; while test $n -lt 1; do sleep 0.05; done; sleep 0.2; echo total $n`;
    await using keyboard = run(`node ${host} sh -c "n=0; ${app.replaceAll('$', '\\$')}"`);
    await keyboard.see(/ready/);
    keyboard.type('\u0003');
    await keyboard.see(/interrupted 1/);
    await keyboard.see(/total 1/);
    expect(await keyboard.end()).toBe(0);
  });

  test('tells the app of a new window size', async () => {
    const app = `trap 'stty size' WINCH; echo ready; until stty size | grep -q 40.90; do sleep 0.05; done`;
    await using keyboard = run(`tty; node ${host} sh -c "${app}"`);
    const [terminal] = await keyboard.see(/\/dev\/pts\/\d+/);
    await keyboard.see(/ready/);
    execFileSync('stty', ['-F', terminal, 'rows', '40', 'cols', '90']);
    await keyboard.see(/40 90/);
    expect(await keyboard.end()).toBe(0);
  });

  test('leaves our terminal with the settings that it had', async () => {
    await using keyboard = run(`stty -g; node ${host} sh -c 'stty raw -echo; echo in raw mode'; stty -g`);
    const [before] = await keyboard.see(/[0-9a-f]+(?::[0-9a-f]+){10,}/);
    const [after] = await keyboard.see(/[0-9a-f]+(?::[0-9a-f]+){10,}/);
    expect(after).toBe(before);
  });

  test('adds nothing to what a full-screen program writes', async () => {
    await using keyboard = run(`node ${host} sh -c 'stty raw; printf "one\\ntwo\\n\\tthree."'`);
    expect(await keyboard.end()).toBe(0);
    expect(keyboard.screen).toBe('one\ntwo\n\tthree.');
  });

  test('stops with the app and goes on with fg', async () => {
    await using keyboard = new Keyboard('bash --norc --noediting -i', repository);
    await keyboard.see(/[$#] /);
    keyboard.type(`node ${host} sh -c 'echo ready; kill -STOP $$; echo again; cat'\r`);
    await keyboard.see(/ready\s/);
    await keyboard.see(/Stopped/);
    keyboard.type('stty -a | grep -o "[^ ]*icanon"; fg\r');
    await keyboard.see(/^icanon/m);
    await keyboard.see(/again\s/);
    keyboard.type('typed\r');
    await keyboard.see(/typed\s+typed/);
    keyboard.type('\u0004');
    await keyboard.see(/[$#] /);
    keyboard.type('exit 0\r');
    expect(await keyboard.end()).toBe(0);
  });
});
