/**
 * Where the processes of a lane are, by the kernel's word (/proc, proc(5)): every one that descends from the lane's
 * supervisor, which is their subreaper, so that none can get away by losing its parent.
 *
 * Must not: believe that a process is inside because it was started there.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface IsolationFacts {
  /** How many are in the app namespace. */
  readonly inside: number;
  /** In the network of this computer itself. */
  readonly escaped: readonly NamedProcess[];
  /** In a network of their own, as sandboxes of browsers make them: cut off from both. */
  readonly apart: number;
  /** Of which this user may not know where they are. */
  readonly hidden: readonly NamedProcess[];
  /** Names of the interfaces in the app namespace; undefined where no process is left to see them by. */
  readonly interfaces: readonly string[] | undefined;
}

export interface NamedProcess {
  readonly pid: number;
  readonly name: string;
}

export interface IsolationSources {
  readonly supervisor: number;
  /** Inode of the app namespace, textual. */
  readonly namespace: string;
  /** Inode of the network namespace of a process (0: this one); undefined where it may not be read. */
  readonly namespaceOf: (pid: number) => number | undefined;
  /** Whom the helper, who may look at every process, sees inside. */
  readonly seenInside: ReadonlySet<number>;
  /** By default the system's /proc. */
  readonly proc?: string;
}

/** Looks once. A process that ends meanwhile is nowhere. */
export function lookAtIsolation(sources: IsolationSources): IsolationFacts {
  const { supervisor, namespace, namespaceOf, seenInside, proc = '/proc' } = sources;
  const outside = String(namespaceOf(0));
  const escaped: NamedProcess[] = [];
  const hidden: NamedProcess[] = [];
  let apart = 0;
  let witness: number | undefined;
  let inside = 0;
  for (const { pid, name } of descendantsOf(supervisor, processesOf(proc))) {
    const inode = namespaceOf(pid);
    if (String(inode) === namespace) {
      inside += 1;
      witness = pid;
    } else if (inode === undefined && seenInside.has(pid)) {
      inside += 1;
    } else if (inode === undefined) {
      if (statOf(proc, pid)?.name === name) hidden.push({ pid, name });
    } else if (String(inode) === outside) escaped.push({ pid, name });
    else apart += 1;
  }
  const interfaces = witness === undefined ? undefined : interfacesOf(proc, witness);
  return { inside, escaped, apart, hidden, interfaces };
}

interface Stat extends NamedProcess {
  readonly parent: number;
}

/** The living; a zombie is in no namespace any more. */
function processesOf(proc: string): Stat[] {
  return readdirSync(proc)
    .filter((name) => /^[0-9]+$/.test(name))
    .flatMap((pid) => statOf(proc, Number(pid)) ?? []);
}

function statOf(proc: string, pid: number): Stat | undefined {
  const text = readOr(`${proc}/${pid}/stat`);
  const [, name, state, parent] = /^[0-9]+ \((.*)\) (\S) ([0-9]+) /s.exec(text ?? '') ?? [];
  if (name === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, name, parent: Number(parent) };
}

function descendantsOf(root: number, all: readonly Stat[]): Stat[] {
  const children = new Map<number, Stat[]>();
  for (const stat of all) children.set(stat.parent, [...(children.get(stat.parent) ?? []), stat]);
  const found: Stat[] = [];
  for (let next = children.get(root) ?? []; next.length > 0;) {
    found.push(...next);
    next = next.flatMap(({ pid }) => children.get(pid) ?? []);
  }
  return found;
}

/** The first column of /proc/PID/net/dev below its two lines of headings. */
function interfacesOf(proc: string, pid: number): string[] | undefined {
  const text = readOr(`${proc}/${pid}/net/dev`);
  return text
    ?.split('\n')
    .slice(2)
    .flatMap((line) => /^\s*([^\s:]+):/.exec(line)?.[1] ?? []);
}

/** Undefined for a process that has ended, which is what reading it finds out. */
function readOr(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
