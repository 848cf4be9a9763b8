/**
 * What is still there of a world: processes of its cell in namespaces other than its own (a lane, a user
 * namespace) or that nobody waits for any more, and mounts that are not the world's.
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { Cell } from './cell.ts';
import type { Namespace } from './namespace.ts';

export interface Leftover {
  readonly pid: number;
  readonly command: string;
  /** The namespaces that differ from those of the world's own, for example "net:[4026532000]". */
  readonly namespaces: readonly string[];
}

const kinds = ['net', 'mnt', 'user', 'pid', 'cgroup', 'ipc', 'uts'] as const;

/** Every process of the cell that is a stranger to the given namespaces, or an orphan inside them. */
export function leftoversOf(cell: Cell, own: readonly Namespace[]): Leftover[] {
  const homes = new Set([process.pid, ...own.map(({ pid }) => pid)].flatMap((pid) => namespacesOf(pid)));
  const members = new Set([...cell.pids(), process.pid]);
  return [...members].flatMap((pid) => {
    const namespaces = namespacesOf(pid).filter((name) => !homes.has(name));
    const parent = parentOf(pid);
    const isOrphan = pid !== process.pid && parent !== undefined && !members.has(parent);
    return namespaces.length > 0 || isOrphan ? [{ pid, command: commandOf(pid), namespaces }] : [];
  });
}

/** Names such as "net:[4026532000]" of every network namespace that a member is in or has a descriptor of. */
export function netNamespacesOf(cell: Cell): Set<string> {
  const links = cell.pids().flatMap((pid) => [`/proc/${pid}/ns/net`, ...descriptorsOf(pid)]);
  const names = links.map((link) => targetOf(link));
  return new Set(names.filter((name) => name.startsWith('net:[')));
}

function descriptorsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
  } catch {
    return []; // ended meanwhile
  }
}

function namespacesOf(pid: number): string[] {
  return kinds.map((kind) => targetOf(`/proc/${pid}/ns/${kind}`)).filter(Boolean);
}

function targetOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // ended meanwhile
  }
}

function parentOf(pid: number): number | undefined {
  const match = /^PPid:\s+([0-9]+)/m.exec(textOf(`/proc/${pid}/status`));
  return match === null ? undefined : Number(match[1]);
}

function commandOf(pid: number): string {
  return textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // ended meanwhile
  }
}
