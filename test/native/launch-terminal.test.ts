/** culvert-launch: sessions, process groups, job control, and the supervisor that stays until the last process. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isRoot, modes, start, usePrograms } from './launch/suite.ts';

usePrograms();

/** Parent, process group, session, terminal and its foreground group: /proc/PID/stat, proc(5). */
function statOf(pid: number) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [state, parent, group, session, terminal, foreground] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ');
  return {
    state,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    terminal: Number(terminal),
    foreground: Number(foreground),
  };
}

describe.skipIf(!isRoot).each(modes)('an app that is started %s', (mode) => {
  it('shares session and process group with its caller when the terminal is shared', async () => {
    await using app = start({ mode, argv: ['cat'], terminal: 'share' });
    const { group, session, parent } = statOf(await app.pid());
    expect({ group, session }).toEqual({ group: app.running.pid, session: app.running.pid });
    expect(statOf(parent)).toMatchObject({ group, session });
  });

  it('tells of its stop when the terminal is shared, stops nobody with itself, and goes on', async () => {
    // Another process of the group stands for the caller and says what would stop a real one.
    const caller =
      '(trap "echo tstp" TSTP; echo ready; while kill -0 $$ 2>/dev/null; do sleep 0.05; done) & exec cat';
    await using app = start({ mode, argv: ['bash', '--norc', '-c', caller], terminal: 'share' });
    await app.running.says(/ready/);
    const pid = await app.pid();
    process.kill(pid, 'SIGSTOP');
    await app.reports(/^stopped 19$/);
    process.kill(pid, 'SIGCONT');
    await app.reports(/^continued$/);
    app.running.child.stdin?.end('bytes\n');
    expect(await app.end()).toMatchObject({ stdout: 'ready\nbytes\n', code: 0 });
  });

  it('keeps its supervisor when signals are sent to the whole group', async () => {
    await using app = start({
      mode,
      argv: ['sh', '-c', 'trap "" INT HUP TERM; exec cat'],
      terminal: 'share',
    });
    const pid = await app.pid();
    const { parent } = statOf(pid);
    await expect.poll(() => readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^SigIgn:\t0+4003$/m);
    for (const signal of [
      'SIGINT',
      'SIGHUP',
      'SIGTERM',
      'SIGQUIT',
      'SIGTSTP',
      'SIGTTIN',
      'SIGTTOU',
      'SIGUSR1',
    ] as const) {
      process.kill(parent, signal);
    }
    app.running.child.stdin?.end();
    expect((await app.end()).status.slice(1)).toEqual(['exited 0', 'empty']);
  });

  it('has a session and a process group of its own and no terminal when it is started from the window', async () => {
    await using app = start({ mode, argv: ['cat'], terminal: 'none' });
    const pid = await app.pid();
    const { group, session, parent, terminal } = statOf(pid);
    expect({ group, session, terminal }).toEqual({ group: pid, session: parent, terminal: 0 });
  });

  it('is in the foreground of a terminal of its own', async () => {
    const argv = ['sh', '-c', 'tty; echo ready; exec cat'] as const;
    await using app = start({ mode, argv, terminal: 'own', isInTerminal: true });
    await app.running.says(/^\/dev\/pts\/\d+\r\nready/m);
    const pid = await app.pid();
    const { group, session, parent, terminal, foreground } = statOf(pid);
    expect({ group, session, foreground }).toEqual({ group: pid, session: parent, foreground: pid });
    expect(terminal).not.toBe(0);
  });

  it('gets Ctrl+C of its own terminal once, and its supervisor survives it', async () => {
    const argv = [
      'bash',
      '--norc',
      '-c',
      'trap "echo caught; exit 7" INT; echo ready; while :; do read -t 1 line; done',
    ] as const;
    await using app = start({ mode, argv, terminal: 'own', isInTerminal: true });
    await app.running.says(/ready/);
    app.running.write('\x03');
    await app.reports(/^exited 7$/);
    await app.reports(/^empty$/);
    expect(app.running.stdout.match(/caught/g)).toHaveLength(1);
  });

  it('stops by Ctrl+Z in its own terminal, and continues by a signal', async () => {
    await using app = start({
      mode,
      argv: ['sh', '-c', 'echo ready; exec cat'],
      terminal: 'own',
      isInTerminal: true,
    });
    await app.running.says(/ready/);
    const pid = await app.pid();
    app.running.write('\x1a');
    await app.reports(/^stopped 20$/);
    expect(statOf(pid).state).toBe('T');
    process.kill(pid, 'SIGCONT');
    await app.reports(/^continued$/);
    app.running.write('\x04');
    await app.reports(/^exited 0$/);
  });

  it('is told by SIGHUP when its own terminal goes away', async () => {
    await using app = start({
      mode,
      argv: ['sleep', '1000'],
      terminal: 'own',
      isInTerminal: true,
    });
    await app.pid();
    app.running.child.stdin?.end();
    await app.reports(/^signalled 1$/);
    await app.reports(/^empty$/);
  });

  it('is not started with a terminal of its own where there is none', async () => {
    await using app = start({ mode, argv: ['true'], terminal: 'own' });
    expect((await app.end()).status).toEqual(['failed session 25']);
  });

  it('keeps its supervisor until the last process that it left behind has ended', async () => {
    // A daemon as daemons are: forked twice, in a session of its own.
    const daemon = 'echo $$; exec sleep 1000 >/dev/null 2>&1 </dev/null';
    const argv = ['sh', '-c', `setsid sh -c "sh -c '$0' &"; exit 3`, daemon] as const;
    await using app = start({ mode, argv });
    await app.reports(/^exited 3$/);
    const orphan = Number((await app.running.says(/^(\d+)\n/))[1]);
    await expect.poll(() => statOf(orphan).parent).not.toBe(1);
    const supervisor = statOf(orphan).parent;
    expect(app.status).toEqual([expect.stringMatching(/^started/), 'exited 3']);
    process.kill(orphan, 'SIGKILL');
    await app.reports(/^empty$/);
    expect((await app.end()).code).toBe(0);
    expect(existsSync(`/proc/${supervisor}`)).toBe(false);
  });

  it('ends its output when the app does, though the supervisor lives on', async () => {
    const argv = ['sh', '-c', 'sleep 1000 >/dev/null 2>&1 </dev/null & echo $!'] as const;
    await using app = start({ mode, argv });
    await app.reports(/^exited 0$/);
    const sleeper = Number((await app.running.says(/^(\d+)\n/))[1]);
    const { parent } = statOf(sleeper);
    await expect.poll(() => readdirSync(`/proc/${parent}/fd`)).toEqual(['5', '6']);
    process.kill(sleeper, 'SIGKILL');
    await app.reports(/^empty$/);
  });

  it('goes on when nobody reads the status any more', async () => {
    await using app = start({
      mode,
      argv: ['sh', '-c', 'read -r line; kill -STOP $$; echo "$line"'],
    });
    const pid = await app.pid();
    app.forgetStatus();
    app.running.write('later\n');
    await expect.poll(() => statOf(pid).state).toBe('T');
    process.kill(pid, 'SIGCONT');
    const { stdout, code } = await app.running.ended;
    expect({ stdout, code }).toEqual({ stdout: 'later\n', code: 0 });
  });
});
