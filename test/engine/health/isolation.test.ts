/** Where the processes of a lane are: real processes in real namespaces, found by their descent. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lookAtIsolation, type IsolationFacts } from '../../../electron/engine/health/isolation.ts';
import { until } from '../../world/until.ts';

/** As `Native.namespaceOf`; for a process that has ended undefined as well. */
function namespaceOf(pid: number): number | undefined {
  try {
    return Number(/\[([0-9]+)\]/.exec(readlinkSync(`/proc/${pid === 0 ? 'self' : pid}/ns/net`))?.[1]);
  } catch {
    return undefined;
  }
}

describe.skipIf(process.getuid?.() !== 0)('processes (skipped where namespaces cannot be made)', () => {
  let supervisor: ChildProcess | undefined;

  afterEach(async () => {
    if (supervisor?.pid === undefined) return;
    const ended = once(supervisor, 'exit');
    process.kill(-supervisor.pid, 'SIGKILL');
    await ended;
  });

  /** Starts a supervisor outside and a shell below it in a namespace of its own; waits for what is to be seen. */
  async function look(script: string, isThere: (facts: IsolationFacts) => boolean): Promise<IsolationFacts> {
    const inside = `echo $$ >&3; ${script}\nwait`;
    const child = spawn('sh', ['-c', `unshare --net sh -c '${inside}'; :`], {
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    supervisor = child;
    const [said] = (await once(child.stdio[3] as NodeJS.ReadableStream, 'data')) as [Buffer];
    const namespace = String(namespaceOf(Number(said.toString())));
    return until('the processes to be where they belong', () => {
      const facts = lookAtIsolation({
        supervisor: child.pid ?? 0,
        namespace,
        namespaceOf,
        seenInside: new Set(),
      });
      return isThere(facts) ? facts : undefined;
    });
  }

  it('on the isolated network are counted, with its interfaces', async () => {
    const facts = await look('sleep 60 & sleep 60 &', ({ inside }) => inside === 3);
    expect(facts).toEqual({ inside: 3, escaped: [], apart: 0, hidden: [], interfaces: ['lo'] });
  });

  it('that got back to this computer’s own network are found by name', async () => {
    const script = `nsenter --net=/proc/${process.pid}/ns/net sleep 60 &`;
    const { escaped, inside } = await look(script, (facts) => facts.escaped[0]?.name === 'sleep');
    expect(escaped).toHaveLength(1);
    expect(inside).toBe(1);
  });

  it('that got back and lost their parent are found as well', async () => {
    const orphan = `(nsenter --net=/proc/${process.pid}/ns/net sleep 60 & sleep 60) &`;
    const { escaped } = await look(orphan, (facts) => facts.escaped[0]?.name === 'sleep');
    expect(escaped).toHaveLength(1);
  });

  it('in a network of their own are neither inside nor outside', async () => {
    const facts = await look('unshare --net sleep 60 &', ({ apart }) => apart === 1);
    expect(facts).toMatchObject({ inside: 1, escaped: [], apart: 1 });
  });
});

describe('processes that cannot be looked at', () => {
  const dir = mkdtempSync(join(tmpdir(), 'culvert-proc-'));

  function write(pid: number, parent: number, state = 'S'): void {
    mkdirSync(join(dir, String(pid), 'net'), { recursive: true });
    writeFileSync(join(dir, String(pid), 'stat'), `${pid} (odd) name) ${state} ${parent} 1 1\n`);
  }

  const facts = (namespaces: Record<number, number>, seenInside: readonly number[] = []) =>
    lookAtIsolation({
      supervisor: 10,
      namespace: '77',
      namespaceOf: (pid) => (pid === 0 ? 1 : namespaces[pid]),
      seenInside: new Set(seenInside),
      proc: dir,
    });

  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('are inside if the helper sees them there, else nobody knows', () => {
    for (const [pid, parent] of [
      [10, 1],
      [11, 10],
      [12, 11],
      [13, 12],
    ] as const)
      write(pid, parent);
    expect(facts({ 11: 77 }, [12])).toMatchObject({ inside: 2, hidden: [{ pid: 13, name: 'odd) name' }] });
  });

  it('are passed over when they have ended, and when they are not the lane’s', () => {
    write(10, 1);
    write(11, 10);
    write(12, 10, 'Z');
    write(20, 1);
    expect(facts({ 11: 77, 20: 1 })).toMatchObject({ inside: 1, escaped: [], hidden: [] });
  });
});
