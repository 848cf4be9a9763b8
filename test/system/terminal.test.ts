/** `culvert run` in a real terminal under a real shell: as if the command ran there without it. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repository } from '../world/artefact.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World, type RunOptions } from '../world/world.ts';
import { Typist } from './typist.ts';

let world: World;
let product: Product;
let proxy: Proxy;
let listener: string;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('mirror');
  listener = join(world.dir, 'listener.py');
  copyFileSync(join(repository, 'test/system/listener.py'), listener);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const ways: [string, 'rootless' | 'helper', RunOptions][] = [
  ['rootless', 'rootless', { user: 'culvert-a' }],
  ['as root', 'helper', {}],
  // With use_pty, Debian's default, the helper is in a session of its own: the terminal is relayed.
  ['through sudo', 'helper', { user: 'culvert-a' }],
];
const prompt = /[$#] $/;

describe.each(ways)('%s', (way, isolation, who) => {
  const line = (command: string) =>
    `${product.culvert} run --isolation ${isolation} --proxy ${proxy.url} --quiet -- ${command}`;
  const isRelayed = way === 'through sudo';

  /** A shell with job control on a terminal; 33 lines of 101 characters. */
  async function open(shell = 'bash --norc --noediting -i'): Promise<{ typist: Typist; tty: string }> {
    const typist = new Typist(world, shell.split(' '), who);
    await typist.see(prompt);
    const [tty] = await typist.enter('tty', /\/dev\/pts\/\d+/);
    await typist.see(prompt);
    await typist.enter('stty rows 33 cols 101', prompt);
    return { typist, tty };
  }

  async function close(typist: Typist): Promise<void> {
    typist.type('exit 0\r');
    expect((await typist.ended).code).toBe(0);
    await until('everything to be gone', () => world.leftovers().length === 0);
  }

  test('the app has the terminal, and hears of its size', async () => {
    const { typist, tty } = await open();
    await using _ = typist;
    const [, own] = await typist.enter(line(`python3 ${listener} SIGWINCH`), /ready (\/dev\/pts\/\d+)/);
    expect(own === tty).toBe(!isRelayed);
    await world.must(['stty', '-F', tty, 'rows', '40', 'cols', '90']);
    await typist.see(/SIGWINCH \d+ 90x40/);
    typist.type('\u0004');
    await typist.see(prompt);
    await close(typist);
  });

  test('Ctrl+C and Ctrl+\\ reach the app, each exactly once', async () => {
    const { typist } = await open();
    await using _ = typist;
    await typist.enter(line(`python3 ${listener} SIGINT SIGQUIT`), /ready/);
    typist.type('\u0003');
    await typist.see(/SIGINT 1/);
    typist.type('\u001c');
    await typist.see(/SIGQUIT 2/);
    await typist.enter('more', /heard more after 2/);
    typist.type('\u0004');
    await typist.see(prompt);
    await typist.enter('echo status $?', /status 0/);
    await close(typist);
  });

  test('Ctrl+C ends an app that does nothing about it, by that signal', async () => {
    const { typist } = await open();
    await using _ = typist;
    await typist.enter(line('sh -c \'echo rea""dy; exec sleep 1000\''), /ready/);
    typist.type('\u0003');
    await typist.see(prompt);
    await typist.enter('echo status $?', /status 130/);
    await close(typist);
  });

  test('Ctrl+Z stops it for its shell, and fg goes on with what is typed', async () => {
    const { typist } = await open();
    await using _ = typist;
    typist.type(`${line('sh -c \'echo rea""dy; exec cat\'')}\r`);
    await typist.see(/ready/);
    await typist.enter('one', /one\s+one/);
    for (let round = 0; round < 2; round += 1) {
      typist.type('\u001a');
      await typist.see(/Stopped/);
      await typist.see(prompt);
      await typist.enter('jobs', /Stopped.*culvert run/);
      await typist.enter('fg', /culvert run/);
      await typist.enter('two', /two\s+two/);
    }
    typist.type('\u0004');
    await typist.see(prompt);
    await typist.enter('echo status $?', /status 0/);
    await close(typist);
  });

  test('an app that stops itself alone looks stopped to the shell, and fg goes on with it', async () => {
    const { typist } = await open();
    await using _ = typist;
    typist.type(`${line('sh -c \'echo rea""dy; kill -STOP $$; echo ag""ain; exec cat\'')}\r`);
    await typist.see(/ready/);
    await typist.see(/Stopped/);
    await typist.see(prompt);
    await typist.enter('fg', /culvert run/);
    await typist.see(/again/);
    await typist.enter('two', /two\s+two/);
    typist.type('\u0004');
    await typist.see(prompt);
    await typist.enter('echo status $?', /status 0/);
    await close(typist);
  });

  test('it may close its terminal and live on, and Ctrl+C still finds it', async () => {
    const { typist } = await open();
    await using _ = typist;
    await typist.enter(line("sh -c 'exec <&- >&- 2>&-; sleep 0.2; exit 5'"), prompt);
    await typist.enter('echo status $?', /status 5/);
    await typist.enter(line('sh -c \'echo rea""dy; exec sleep 1000 <&- >&- 2>&-\''), /ready/);
    await until('the app', () => world.leftovers().some(({ command }) => command === 'sleep 1000'));
    typist.type('\u0003');
    await typist.see(prompt);
    await typist.enter('echo status $?', /status 130/);
    await close(typist);
  });

  test('a shell on the lane has job control of its own', async () => {
    const { typist } = await open();
    await using _ = typist;
    await typist.enter(line('bash --norc --noediting -i'), prompt);
    await typist.enter('sleep 1000', /sleep 1000\s/);
    // The shell on the lane makes the job the foreground one a moment after it has echoed the line.
    await until('the job', () => world.leftovers().some(({ command }) => command === 'sleep 1000'));
    typist.type('\u001a');
    await typist.see(/Stopped\s+sleep 1000/);
    await typist.enter('fg', /sleep 1000/);
    typist.type('\u0003');
    await typist.see(prompt);
    await typist.enter('exit 7', prompt);
    await typist.enter('echo status $?', /status 7/);
    await close(typist);
  });

  test('a program that takes the terminal over gets and gives every byte, and leaves it as it was', async () => {
    const script = join(world.dir, 'raw.py');
    writeFileSync(
      script,
      `import os, termios, tty
before = termios.tcgetattr(0)
tty.setraw(0)
os.write(1, b'ready')
keys = b''
while len(keys) < 5: keys += os.read(0, 5)
os.write(1, b'<one\\ntwo>' + repr(keys).encode() + b'\\r\\n')
termios.tcsetattr(0, termios.TCSAFLUSH, before)
`,
    );
    const { typist } = await open();
    await using _ = typist;
    const [before] = await typist.enter('stty -g', /[0-9a-f:]{40,}/);
    await typist.enter(line(`python3 ${script}`), /ready/);
    typist.type('\u0003\u001a\r\u0000\u001c');
    await typist.see(/<one\ntwo>b'\\x03\\x1a\\r\\x00\\x1c'/);
    await typist.see(prompt);
    const [after] = await typist.enter('stty -g', /[0-9a-f:]{40,}/);
    expect(after).toBe(before);
    await close(typist);
  });

  test('in the background it waits for its terminal until the shell gives it', async () => {
    const { typist } = await open();
    await using _ = typist;
    await typist.enter(`${line('sh -c \'echo rea""dy; cat\'')} &`, /ready/);
    // A job that wants the keyboard is stopped where it shares the terminal, and waits where it has its own.
    const state = isRelayed ? 'Running' : 'Stopped';
    await until('the shell to know', async () => {
      await typist.enter('jobs', prompt);
      return new RegExp(`${state}.*culvert run`).test(typist.screen);
    });
    await typist.enter('fg', /culvert run/);
    await typist.enter('typed', /typed[^]*typed/);
    typist.type('\u0004');
    await typist.see(prompt);
    await close(typist);
  });

  test('what it leaves behind is waited for and named, and Ctrl+C ends that', async () => {
    const { typist } = await open();
    await using _ = typist;
    const command = line('sh -c \'sleep 1000 & echo rea""dy\'').replace('--quiet ', '');
    await typist.enter(command, /ready/);
    await typist.see(/culvert: waiting — .* there is still sleep \(\d+\) — Ctrl\+C stops that/);
    typist.type('\u0003');
    await typist.see(prompt);
    await typist.enter('echo status $?', /status 0/);
    await close(typist);
  });

  test('much that is typed at an app that does not read stops nobody else, and a hang-up ends all', async () => {
    const { typist } = await open();
    await using _ = typist;
    const fetching = line(
      'sh -c \'stty raw -echo; echo rea""dy; sleep 0.5; curl -sS http://example.test/; sleep 1000\'',
    );
    await typist.enter(fetching, /ready/);
    typist.type('x'.repeat(200_000));
    await typist.see(new RegExp(greeting.trim()));
    typist.running.kill('SIGKILL');
    await typist.ended;
    await until('everything to be gone', () => world.leftovers().length === 0);
  });

  test.skipIf(isRelayed)('settings of the terminal that the app changes stay changed', async () => {
    const { typist } = await open('sh -i');
    await using _ = typist;
    await typist.enter(line('stty -echo'), prompt);
    await typist.enter('stty -a', / -echo /);
    await close(typist);
  });
});
