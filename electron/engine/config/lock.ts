/**
 * One writer at a time among all processes of the user, without a daemon and without flock(2), which Node lacks.
 *
 * The lock is a directory with one file in it, named for its owner. rename(2) puts a prepared directory there only
 * where there is none or an empty one, so taking it is one step. A dead owner's lock is broken by removing the
 * file of its very name, which can be nobody else's: between seeing that it is dead and removing it, nothing that
 * others do can make the removal hit them.
 *
 * Must not: break the lock of a living process; take longer than it is told.
 */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
} from 'node:fs';
import { rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CulvertError } from '#shared/failure.ts';
import { codeOf, unwritable } from './file.ts';

/** How long a writer waits for the others. */
const lockWaitMs = 5000;
/** An owner on another machine or in another container cannot be looked at: so long it is believed to live. */
const foreignLifeMs = 10_000;
const pauseMs = { least: 3, most: 20 };

export interface Lock {
  /** False once it was broken, because this process stood still for too long. */
  isHeld(): boolean;
}

/**
 * Runs `work` while holding the lock `name` in `dir`. Throws `config-locked` when it is not to be had in time and
 * `config-unwritable` where no lock can be made.
 */
export async function withLock<T>(
  dir: string,
  name: string,
  work: (lock: Lock) => Promise<T>,
  waitMs = lockWaitMs,
): Promise<T> {
  const path = join(dir, name);
  const owner = ownName();
  const prepared = `${path}.${owner}`;
  try {
    mkdirSync(prepared, { mode: 0o700 });
    writeFileSync(join(prepared, owner), '', { mode: 0o600 });
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    throw unwritable(error);
  }
  try {
    await take(path, prepared, waitMs);
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    throw error;
  }
  const held = join(path, owner);
  try {
    removePrepared(dir, name);
    return await work({ isHeld: () => existsSync(held) });
  } finally {
    release(path, held);
  }
}

async function take(path: string, prepared: string, waitMs: number): Promise<void> {
  const until = performance.now() + waitMs;
  for (;;) {
    try {
      renameSync(prepared, path);
      return;
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) throw unwritable(error);
    }
    const owner = ownerOf(path);
    if (owner !== undefined && isGone(path, owner)) {
      unlinkIfThere(join(path, owner));
      continue;
    }
    if (performance.now() >= until) {
      const pid = owner === undefined ? '' : `process ${owner.split('.')[0] ?? ''} holds `;
      throw new CulvertError('config-locked', { detail: `${pid}${path}` });
    }
    await wait(pauseMs.least + Math.random() * (pauseMs.most - pauseMs.least));
  }
}

function release(path: string, held: string): void {
  unlinkIfThere(held);
  try {
    rmdirSync(path);
  } catch {
    // Somebody else has taken it already; or it stays empty, which is as good as not there.
  }
}

/** What was prepared by processes that were killed while they waited. */
function removePrepared(dir: string, name: string): void {
  for (const entry of readdirSync(dir)) {
    const owner = entry.startsWith(`${name}.`) ? entry.slice(name.length + 1) : '';
    if (isOwnName(owner) && isGone(join(dir, entry), owner))
      rmSync(join(dir, entry), { recursive: true, force: true });
  }
}

function ownerOf(path: string): string | undefined {
  try {
    return readdirSync(path).find(isOwnName);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw unwritable(error);
  }
}

/** `PID.START.NAMESPACE.BOOT.NONCE`: who holds it, so that nobody else can be taken for them. */
function ownName(): string {
  const nonce = randomBytes(6).toString('hex');
  return [process.pid, startOf(process.pid) ?? 0, ...here(), nonce].join('.');
}

function isOwnName(name: string): boolean {
  return /^\d+\.\d+\.\d+\.[0-9a-f-]+\.[0-9a-f]+$/.test(name);
}

/** The pid namespace and the boot that process ids are of. */
function here(): [string, string] {
  const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  return [namespace, readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()];
}

function isGone(path: string, owner: string): boolean {
  const [pid = '', start, namespace, boot] = owner.split('.');
  const [ownNamespace, ownBoot] = here();
  if (namespace === ownNamespace && boot === ownBoot) return startOf(Number(pid)) !== Number(start);
  try {
    return Date.now() - statSync(path).mtimeMs > foreignLifeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw unwritable(error);
  }
}

/** When a process started, in ticks since the boot (proc_pid_stat(5), field 22); undefined for dead ones and zombies. */
function startOf(pid: number): number | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // No such process.
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ['Z', 'X'].includes(fields[0] ?? '') ? undefined : Number(fields[19]);
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw unwritable(error);
  }
}
