/**
 * A desktop in a world: a screen of its own, the built product, and Culvert's window on it as an ordinary user
 * opens it, sandbox included. The window is driven by Playwright from outside: what it listens on for that is in
 * the world's network, so this process listens in its place and passes bytes on.
 */
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { _electron, type ElectronApplication, type Page } from 'playwright-core';
import { repository } from '../world/artefact.ts';
import type { Exception } from '../world/capture.ts';
import { Cell } from '../world/cell.ts';
import { Owned } from '../world/owned.ts';
import type { Product } from '../world/product.ts';
import type { Outcome } from '../world/running.ts';
import { electron, installWindow } from '../world/window.ts';
import { World } from '../world/world.ts';

const user = 'culvert-a';

export interface OpenOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether the first run is shown where there is no profile, as it is to whoever has not skipped it. */
  readonly showsFirstRun?: boolean;
}

export class Desktop {
  readonly world: World;
  readonly product: Product;
  /** What an app of this desktop finds its screen by. */
  readonly display: string;
  readonly #owned: Owned;

  private constructor(world: World, product: Product, display: string, owned: Owned) {
    this.world = world;
    this.product = product;
    this.display = display;
    this.#owned = owned;
  }

  static async create(): Promise<Desktop> {
    await using stack = new Owned();
    const world = stack.use(await World.create());
    const { product, display } = await installWindow(world);
    cpSync(join(repository, 'test/app/hold.cjs'), join(product.dir, 'hold.cjs'));
    return new Desktop(world, product, display, stack.move());
  }

  /** Opens the window and waits for its page, at what runs. */
  async open(options: OpenOptions = {}): Promise<OpenWindow> {
    if (options.showsFirstRun !== true) this.#skipFirstRun();
    return OpenWindow.open(await this.#line(options));
  }

  /** Looks for proxies on this computer would be among the packets of a test; what was kept before stays. */
  #skipFirstRun(): void {
    const { home, uid, gid } = this.world.users[user];
    const dir = join(home, '.config/culvert');
    const file = join(dir, 'window.json');
    if (existsSync(file)) return;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(file, '{"isFirstRunSkipped": true}\n', { mode: 0o600 });
    for (const path of [dirname(dir), dir, file]) chownSync(path, uid, gid);
  }

  /** Starts Culvert's window program once more, to its end. */
  async again(args: readonly string[]): Promise<Outcome> {
    const command = [electron, join(this.product.dir, 'main.cjs'), ...args];
    return this.world.run(command, { user, env: this.#env({}) });
  }

  #env(more: Readonly<Record<string, string>>): Record<string, string> {
    return { DISPLAY: this.display, LANG: 'en_US.UTF-8', DBUS_SESSION_BUS_ADDRESS: 'disabled:', ...more };
  }

  /**
   * A program for Playwright that starts the window in the world, and listens where Playwright will look for it.
   * Playwright would take the sandbox away, which an ordinary user's window has.
   */
  async #line({ args = [], env = {} }: OpenOptions): Promise<Line> {
    const { world } = this;
    const owned = new Owned();
    const dir = join(world.dir, `window-${process.hrtime.bigint()}`);
    mkdirSync(dir);
    chmodSync(dir, 0o777);
    const doors = await Promise.all(['inspect', 'debug'].map((name) => openDoor(join(dir, name))));
    for (const { server } of doors) owned.defer(() => void server.close());
    const [inspect, debug] = doors.map(({ port }) => port);
    const relay = world.spawn([process.execPath, '-e', relayScript, dir, `${inspect}`, `${debug}`]);
    await relay.says(/relaying/);
    owned.defer(() => relay.end());
    const program = join(dir, 'electron.sh');
    const { uid, gid, home, name } = world.users[user];
    const variables = {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      USER: name,
      LOGNAME: name,
      XDG_RUNTIME_DIR: `/run/user/${uid}`,
      ...this.#env(env),
    };
    const settings = Object.entries(variables).map(([key, value]) => `'${key}=${value}'`);
    writeFileSync(
      program,
      `#!/bin/bash
echo $$ > ${procsOf(world)}
for arg do
  case $arg in
  --no-sandbox) continue ;;
  --inspect=0) arg=--inspect=${inspect} ;;
  --remote-debugging-port=0) arg=--remote-debugging-port=${debug} ;;
  esac
  args+=("$arg")
done
exec nsenter -t ${world.namespace('host').pid} -n -m -- \\
  setpriv --pdeathsig KILL --reuid=${uid} --regid=${gid} --init-groups --inh-caps=-all \\
  env -i -C ${home} ${settings.join(' ')} ${electron} "\${args[@]}"
`,
      { mode: 0o755 },
    );
    const ports = doors.map(({ port }) => port);
    return {
      program,
      args: ['-r', join(this.product.dir, 'hold.cjs'), join(this.product.dir, 'main.cjs'), ...args],
      owned,
      ports,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}

interface Line {
  readonly program: string;
  readonly args: readonly string[];
  readonly owned: Owned;
  readonly ports: readonly number[];
}

export class OpenWindow {
  readonly app: ElectronApplication;
  readonly page: Page;
  /** Every address that the window asked for, and what its page complained of. */
  readonly requests: string[] = [];
  readonly complaints: string[] = [];
  /** What Playwright itself says to it. */
  readonly exceptions: readonly Exception[];
  readonly #owned: Owned;

  private constructor(app: ElectronApplication, page: Page, { owned, ports }: Line) {
    this.app = app;
    this.exceptions = ports.map((port) => ({ address: '127.0.0.1', port }));
    this.page = page;
    page.setDefaultTimeout(15_000);
    this.#owned = owned;
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  static async open(line: Line): Promise<OpenWindow> {
    const { program, args, owned } = line;
    const app = await _electron.launch({
      executablePath: program,
      args: [...args],
      timeout: 20_000,
      colorScheme: null,
    });
    const ended = new Promise((resolve) => app.process().once('exit', resolve));
    owned.defer(async () => {
      await app.close();
      await ended;
    });
    const window = new OpenWindow(app, await app.firstWindow(), line);
    await window.page.getByRole('heading', { level: 1 }).waitFor();
    await window.page.evaluate(() => {
      location.hash = '#/running';
    });
    await window.page.locator('a[href="#/running"][aria-current="page"]').waitFor({ state: 'attached' });
    return window;
  }

  /**
   * What a function answers in the window's main process. V8's debugger holds the promise of an answer weakly until
   * microtasks run, and an idle main process may collect garbage before: so a timer holds it until it is told.
   */
  inMain<Answer, Given = undefined>(
    look: (electron: typeof import('electron'), given: Given) => Answer | Promise<Answer>,
    ...[given]: Given extends undefined ? [] : [Given]
  ): Promise<Answer> {
    return this.app.evaluate(
      async (electron, [text, argument]) => {
        // As Playwright does it: the function comes as its text.
        const answer = await (globalThis.eval(`(${text})`) as typeof look)(electron, argument as Given);
        await new Promise((resolve) => setImmediate(resolve));
        return answer;
      },
      [String(look), given] as const,
    );
  }

  /** Whether the user can see it. */
  async isVisible(): Promise<boolean> {
    return this.inMain(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().some((window) => window.isVisible()),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }
}

/** In the world: passes what comes to a Unix socket on to a port of its loopback. */
const relayScript = `
const net = require('node:net');
const [dir, ...ports] = process.argv.slice(1);
['inspect', 'debug'].forEach((name, index) => {
  net.createServer((from) => {
    const to = net.connect(Number(ports[index]), '127.0.0.1');
    for (const [a, b] of [[from, to], [to, from]]) {
      a.pipe(b);
      a.on('error', () => b.destroy());
      a.on('close', () => b.destroy());
    }
  }).listen(dir + '/' + name + '.sock', () => console.log('relaying'));
});
`;

/** Listens on a free port of this machine's loopback, in front of a Unix socket. */
async function openDoor(path: string): Promise<{ server: Server; port: number }> {
  const server = createServer((from) => {
    const to = connect(`${path}.sock`);
    for (const [a, b] of [
      [from, to],
      [to, from],
    ] as const) {
      a.pipe(b);
      a.on('error', () => b.destroy());
      a.on('close', () => b.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

function procsOf(world: World): string {
  const name = world.dir.slice(world.dir.lastIndexOf('/') + 1);
  const [found] = Cell.found(new RegExp(`^${name}$`));
  if (found === undefined) throw new Error(`the world ${name} has no control group`);
  return found.cell.procs;
}
