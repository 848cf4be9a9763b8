/**
 * One start by culvert-launch in a world of its own: a mount namespace with its own /run, /tmp and /etc (an
 * overlay with the user culvert-test), two network namespaces joined by a veth pair, and for `rootless` a user
 * namespace as the helper makes it. When its process has ended nothing is left.
 */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { encodeLaunchPayload, type LaunchPayload } from '../../../electron/shared/launch-payload.ts';
import type { Mode, Terminal } from '../../../electron/shared/helper-protocol.ts';
import { compile, repository } from '../../world/artefact.ts';
import { Running } from '../../world/running.ts';
import { until } from '../../world/until.ts';

export const user = { uid: 23_001, gid: 23_001, crew: 23_100 } as const;

export interface LaunchOptions {
  readonly mode: Mode;
  readonly argv: readonly [string, ...string[]];
  readonly env?: Record<string, string>;
  readonly terminal?: Terminal;
  readonly payload?: Partial<LaunchPayload>;
  /** Bytes instead of a well-formed payload. */
  readonly rawPayload?: Uint8Array;
  /** What the launcher is told, where that is not the user's id. */
  readonly uid?: number;
  /** Shell commands of root in the world, before anything is started. */
  readonly setup?: string;
  /** Interfaces of the app namespace beside lo. */
  readonly interfaces?: readonly string[];
  readonly failAt?: string;
  /** In a pseudo terminal. */
  readonly isInTerminal?: boolean;
  /** The product's launcher, or the one that can fail on request (default: the latter). */
  readonly launcher?: string;
}

/** Directory with the programs of these tests, which every user can enter. */
export class Programs {
  readonly directory = mkdtempSync('/var/tmp/culvert-launch-');
  readonly launcher = join(this.directory, 'culvert-launch');
  readonly product = join(this.directory, 'product', 'culvert-launch');
  readonly probe = join(this.directory, 'probe');
  readonly preload = join(this.directory, 'preload.so');

  constructor() {
    chmodSync(this.directory, 0o755);
    const make = ['-C', join(repository, 'native'), `OUT=${this.directory}/product`];
    execFileSync('make', [...make, this.product], { stdio: ['ignore', 'ignore', 'inherit'] });
    const sources = execFileSync('sh', ['-c', 'ls native/launch*.c'], { cwd: repository, encoding: 'utf8' });
    const flags = [
      '-std=c11',
      '-D_GNU_SOURCE',
      '-g',
      '-O1',
      '-Wall',
      '-Wextra',
      '-Werror',
      '-DCULVERT_FAULTS',
    ];
    const checked = ['-fsanitize=undefined', '-fno-sanitize-recover=undefined'];
    execFileSync('gcc', [...flags, ...checked, '-o', this.launcher, ...sources.trim().split('\n')], {
      cwd: repository,
    });
    copyFileSync(compile('test/native/launch/probe.c'), this.probe);
    // Says into a file which program it was loaded into, and as whom.
    const source =
      '#include <stdio.h>\n#include <unistd.h>\n#include <errno.h>\n' +
      '__attribute__((constructor)) static void tell(void) { FILE *f = fopen("/tmp/files/loaded", "a");' +
      ' if (f) { fprintf(f, "%s %d\\n", program_invocation_short_name, (int)getuid()); fclose(f); } }\n';
    writeFileSync(join(this.directory, 'preload.c'), source);
    execFileSync('gcc', [
      '-D_GNU_SOURCE',
      '-shared',
      '-fPIC',
      '-o',
      this.preload,
      join(this.directory, 'preload.c'),
    ]);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class Launched {
  readonly running: Running;
  readonly #pipe: Readable;
  #status = '';
  readonly #isStatusClosed: Promise<void>;

  constructor(running: Running) {
    this.running = running;
    // Node's types know five descriptors; there are as many as were asked for.
    const descriptors: readonly unknown[] = running.child.stdio;
    this.#pipe = descriptors[5] as Readable;
    this.#pipe.on('data', (bytes: Buffer) => (this.#status += bytes.toString()));
    this.#isStatusClosed = new Promise((resolve) => this.#pipe.once('close', resolve));
  }

  /** The status lines so far. */
  get status(): string[] {
    return this.#status.split('\n').slice(0, -1);
  }

  /** Waits for a status line; answers its match. */
  async reports(pattern: RegExp): Promise<RegExpMatchArray> {
    return until(`status ${String(pattern)} (so far: ${this.#status}; ${this.running.stderr})`, () => {
      return this.status.map((line) => pattern.exec(line)).find((match) => match !== null) ?? undefined;
    });
  }

  /** Closes the reading end of the status pipe. */
  forgetStatus(): void {
    this.#pipe.destroy();
  }

  /** The process id of the app, once it runs. */
  async pid(): Promise<number> {
    return Number((await this.reports(/^started (\d+)$/))[1]);
  }

  /** Fields of /proc/PID/status of the app. */
  async field(name: string, pid?: number): Promise<string> {
    const text = readFileSync(`/proc/${pid ?? (await this.pid())}/status`, 'utf8');
    return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
  }

  /** Runs a shell command of root's in the world outside the lane; answers its output. */
  outside(command: string): string {
    return execFileSync('nsenter', ['-t', String(this.running.pid), '-m', 'sh', '-c', command], {
      encoding: 'utf8',
    });
  }

  /** Waits for the end of launcher and output. */
  async end(): Promise<{ status: string[]; stdout: string; stderr: string; code: number | null }> {
    const outcome = await this.running.ended;
    await this.#isStatusClosed;
    return { ...outcome, status: this.status };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.running.child.stdin?.end();
    const app = /^started (\d+)$/m.exec(this.#status)?.[1];
    if (app !== undefined && !this.running.hasEnded && !/^(exited|signalled)/m.test(this.#status)) {
      process.kill(Number(app), 'SIGKILL');
    }
    await this.running.end();
  }
}

export function launch(programs: Programs, options: LaunchOptions): Launched {
  const payload = join(programs.directory, `payload-${process.hrtime.bigint()}`);
  writeFileSync(payload, options.rawPayload ?? encodeLaunchPayload(payloadOf(options)));
  const payloadFd = openSync(payload, 'r');
  // Stands for the gateway, and for descriptors that must not reach the app, whatever the helper had open.
  const leak = openSync('/dev/null', 'r');
  const terminal = options.terminal ?? 'none';
  const world = [
    'unshare',
    '--mount',
    '--propagation',
    'private',
    'bash',
    '--norc',
    join(import.meta.dirname, 'world.sh'),
  ];
  const command = options.isInTerminal === true ? [programs.probe, 'pty', ...world] : world;
  const child = spawn(command[0] ?? '', command.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe', 'ignore', payloadFd, 'pipe', leak, leak, leak],
    detached: true,
    cwd: '/',
    env: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      MODE: options.mode,
      APP_UID: String(user.uid),
      LAUNCH_UID: String(options.uid ?? user.uid),
      APP_GID: String(user.gid),
      CREW_GID: String(user.crew),
      TERMINAL: terminal,
      APP_PGRP: terminal === 'share' ? 'self' : '0',
      INTERFACES: (options.interfaces ?? ['app0']).join(' '),
      LAUNCHER: options.launcher ?? programs.launcher,
      FAULT: options.failAt === undefined ? '' : `--fail-at=${options.failAt}`,
      SETUP: options.setup ?? '',
    },
  });
  closeSync(payloadFd);
  closeSync(leak);
  rmSync(payload);
  return new Launched(new Running(child));
}

export function payloadOf(options: LaunchOptions): LaunchPayload {
  return {
    umask: 0o022,
    ignoredSignals: 0n,
    limits: [],
    cwd: '/',
    argv: options.argv,
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...options.env },
    ...options.payload,
  };
}
