/**
 * A world of a test's own: a host with ordinary users, and an internet behind it that answers for every
 * address, so that a leak would work and be seen. Nothing of it is on the machine: the namespaces are
 * anonymous, /run and /etc are the world's own, every process is in its cell, and all of it ends with it.
 *
 *   await using world = await World.create();
 *   await using proxy = await world.proxy('dante');
 *   await using capture = await world.capture();
 *   const { stdout, code } = await world.run(['curl', '-s', 'http://example.test/'], { user: 'culvert-a' });
 *   expect(await capture.leaks(proxy.exceptions)).toEqual([]);
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { internet } from './addresses.ts';
import { Capture, type CaptureOptions } from './capture.ts';
import { Cell, isAlive } from './cell.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { hostState } from './host-state.ts';
import { leftoversOf, netNamespacesOf, type Leftover } from './leftovers.ts';
import { Namespace } from './namespace.ts';
import { connect, shell } from './network.ts';
import { Owned } from './owned.ts';
import { startProxy, type Proxy, type ProxyKind, type ProxyOptions } from './proxies.ts';
import type { Outcome, Running } from './running.ts';
import { Servers } from './servers.ts';
import { enrol, makeUsers, type User, type UserName } from './users.ts';

export interface WorldOptions {
  /** The host's /etc/resolv.conf; by default the internet's server. */
  readonly resolvConf?: string;
  /** Lets culvert-a use sudo without a password. */
  readonly sudo?: boolean;
}

export interface RunOptions {
  /** Who runs it; root when absent. */
  readonly user?: UserName;
  /** Where; the host when absent. */
  readonly at?: Place;
  /** Added to the user's environment; a variable that is undefined is taken out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly stdin?: string | Uint8Array;
  readonly tty?: boolean;
  /** After that many milliseconds it is killed; 60,000 by default. */
  readonly timeoutMs?: number;
}

export type { UserName } from './users.ts';
export const places = ['host', 'internet'] as const;
export type Place = (typeof places)[number];

export class World {
  readonly users: Record<UserName, User>;
  readonly certificates: Certificates;
  /** A directory that everybody can read and only root can write. */
  readonly dir: string;
  /** Served by the web servers below /files/. */
  readonly www: string;
  readonly internet: Servers;
  readonly #parts: Parts;

  private constructor(parts: Parts, servers: Servers) {
    this.#parts = parts;
    this.users = parts.users;
    this.certificates = parts.certificates;
    this.dir = parts.dir;
    this.www = parts.www;
    this.internet = servers;
  }

  /** Resolves when the host is connected and the internet's servers listen. Needs root. */
  static async create(options: WorldOptions = {}): Promise<World> {
    await using stack = new Owned();
    const parts = await assemble(stack, options);
    const servers = stack.use(
      await Servers.start({
        where: 'internet',
        namespace: parts.internet,
        files: parts.www,
        certificates: parts.certificates,
      }),
    );
    const world = new World(parts, servers);
    parts.owned = stack.move();
    return world;
  }

  /** Runs a command to its end. The exit status is the caller's to judge. */
  async run(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const running = this.spawn(command, options);
    running.child.stdin?.end(options.stdin);
    const timer = setTimeout(() => running.abandon(), options.timeoutMs ?? 60_000);
    try {
      return await running.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The same, and throws with the command's words when it fails. */
  async must(command: readonly string[], options: RunOptions = {}): Promise<string> {
    const { stdout, stderr, code, signal } = await this.run(command, options);
    if (code === 0) return stdout;
    throw new Error(`${command.join(' ')} failed (${code ?? signal}): ${stderr}${stdout}`);
  }

  /** Starts a command; its standard input stays open. End it, or leave that to the world. */
  spawn(command: readonly string[], options: RunOptions = {}): Running {
    const user = options.user === undefined ? undefined : this.users[options.user];
    const env = Object.entries({ ...environmentOf(user), ...options.env });
    const running = this.namespace(options.at ?? 'host').spawn(command, {
      ...(user === undefined ? {} : { user }),
      env: Object.fromEntries(env.filter((entry): entry is [string, string] => entry[1] !== undefined)),
      cwd: options.cwd ?? user?.home ?? '/',
      tty: options.tty ?? false,
    });
    return this.#parts.owned.use(running);
  }

  /** Runs a shell script as root, in one place; throws when a step of it fails. */
  async shell(script: string, at: Place = 'host'): Promise<string> {
    return shell(this.namespace(at), script);
  }

  namespace(at: Place): Namespace {
    return this.#parts[at];
  }

  /** The path by which the test reaches a file that the host sees at `inside` (its /run and /etc are its own). */
  path(inside: string): string {
    return this.#parts.host.path(inside);
  }

  /** Copies a program to where every user can run it: a checkout may lie where only its owner can go. */
  share(program: string): string {
    const copy = join(this.dir, basename(program));
    if (!existsSync(copy)) copyFileSync(program, copy);
    chmodSync(copy, 0o755);
    return copy;
  }

  async proxy(kind: ProxyKind, options: ProxyOptions = {}): Promise<Proxy> {
    return this.#parts.owned.use(await startProxy(this, kind, options));
  }

  /** The same servers as the internet's on the host itself, port 53 of its loopback addresses included. */
  async hostServers(without: readonly number[] = []): Promise<Servers> {
    const { host, www, certificates, owned } = this.#parts;
    return owned.use(
      await Servers.start({ where: 'host', namespace: host, files: www, certificates, without }),
    );
  }

  /** A capture of every interface of the host, already running. */
  async capture(options: CaptureOptions = {}): Promise<Capture> {
    return this.#parts.owned.use(await Capture.start(this.#parts.host, options));
  }

  async hostState(): Promise<string> {
    return hostState(this.#parts.host);
  }

  /** Processes of this world that its own parts do not account for, and where they are. */
  leftovers(): Leftover[] {
    return leftoversOf(this.#parts.cell, [this.#parts.host, this.#parts.internet]);
  }

  /** Every living process of this world, its own parts included. */
  pids(): number[] {
    return this.#parts.cell.pids();
  }

  /** The network namespaces that a process of this world is in or holds by a descriptor. */
  netNamespaces(): Set<string> {
    return netNamespacesOf(this.#parts.cell);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.owned[Symbol.asyncDispose]();
  }
}

interface Parts {
  readonly cell: Cell;
  readonly host: Namespace;
  readonly internet: Namespace;
  readonly users: Record<UserName, User>;
  readonly certificates: Certificates;
  readonly dir: string;
  readonly www: string;
  owned: Owned;
}

async function assemble(stack: Owned, options: WorldOptions): Promise<Parts> {
  await sweep();
  const dir = mkdtempSync(join(tmpdir(), `culvert-world-${process.pid}-`));
  stack.defer(() => rmSync(dir, { recursive: true, force: true }));
  chmodSync(dir, 0o755);
  const www = join(dir, 'www');
  mkdirSync(www);
  const cell = stack.use(Cell.create(basename(dir)));
  const host = stack.use(await Namespace.hold(cell));
  const users = makeUsers(join(dir, 'home'));
  await furnish(host, join(dir, 'etc'));
  enrol(users, host.path('/etc'), host.path('/run'));
  writeFileSync(host.path('/etc/resolv.conf'), options.resolvConf ?? `nameserver ${internet.dns4}\n`);
  if (options.sudo === true) {
    writeFileSync(host.path('/etc/sudoers.d/culvert-world'), 'culvert-a ALL=(ALL) NOPASSWD: ALL\n', {
      mode: 0o440,
    });
  }
  const beyond = stack.use(await Namespace.hold(cell, host));
  await connect(host, beyond);
  const certificates = makeCertificates(dir);
  return { cell, host, internet: beyond, users, certificates, dir, www, owned: stack };
}

/** Ends the worlds of test runs that were killed: the name says whose they were. */
async function sweep(): Promise<void> {
  const pattern = /^culvert-world-([0-9]+)-/;
  const isOver = (name: string): boolean => !isAlive(Number(pattern.exec(name)?.[1]));
  for (const { name, cell } of Cell.found(pattern)) if (isOver(name)) await cell[Symbol.asyncDispose]();
  for (const name of readdirSync(tmpdir())) {
    if (pattern.test(name) && isOver(name)) rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** Gives the host an /etc and a /run of its own, the latter as an init system leaves it. */
async function furnish(host: Namespace, upper: string): Promise<void> {
  await shell(
    host,
    `mkdir ${upper}
    mount -t tmpfs -o mode=755 culvert-world ${upper}
    mkdir ${upper}/upper ${upper}/work
    mount -t overlay -o lowerdir=/etc,upperdir=${upper}/upper,workdir=${upper}/work culvert-world /etc
    rm -f /etc/resolv.conf
    mount -t tmpfs -o mode=755 culvert-world /run
    mkdir -m 1777 /run/lock
    mkdir /run/sshd`,
  );
}

function environmentOf(user: User | undefined): Record<string, string> {
  const path = `/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:${dirname(process.execPath)}`;
  const common = { PATH: path, LANG: 'C.UTF-8', SHELL: '/bin/bash', TERM: 'dumb' };
  if (user === undefined) return { ...common, HOME: '/root', USER: 'root', LOGNAME: 'root' };
  const who = { HOME: user.home, USER: user.name, LOGNAME: user.name };
  return { ...common, ...who, XDG_RUNTIME_DIR: `/run/user/${user.uid}` };
}
