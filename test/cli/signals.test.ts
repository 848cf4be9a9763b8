import { describe, expect, test } from 'vitest';
import { type HeardSignal, SignalDesk, type Situation, decide } from '../../electron/cli/signals.ts';

const running: Situation = {
  phase: 'running',
  terminal: 'share',
  isForeground: true,
  isIgnoredByCaller: false,
};

describe('while the app runs', () => {
  test('Ctrl+C and Ctrl+\\ on a shared terminal are the app’s alone', () => {
    expect(decide('SIGINT', running)).toBe('ignore');
    expect(decide('SIGQUIT', running)).toBe('ignore');
  });

  test('SIGINT that cannot come from the keyboard is forwarded', () => {
    expect(decide('SIGINT', { ...running, isForeground: false })).toBe('forward');
  });

  test('on a terminal that is not shared SIGINT is forwarded', () => {
    expect(decide('SIGINT', { ...running, terminal: 'own' })).toBe('forward');
    expect(decide('SIGINT', { ...running, terminal: 'none' })).toBe('forward');
  });

  test.each(['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const)('%s is forwarded', (signal) => {
    expect(decide(signal, running)).toBe('forward');
  });

  test('Ctrl+Z, where it is heard, stops the app and us', () => {
    expect(decide('SIGTSTP', { ...running, terminal: 'none' })).toBe('suspend');
  });
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const)(
  'before the app runs %s is the end',
  (signal) => {
    expect(decide(signal, { ...running, phase: 'preparing' })).toBe('end');
  },
);

test('after the first process ended Ctrl+C and SIGTERM end what is left, SIGUSR1 does not', () => {
  const leftovers: Situation = { ...running, phase: 'leftovers' };
  expect(decide('SIGINT', leftovers)).toBe('end');
  expect(decide('SIGTERM', leftovers)).toBe('end');
  expect(decide('SIGUSR1', leftovers)).toBe('ignore');
});

test('a signal that the caller ignores is never acted upon', () => {
  for (const phase of ['preparing', 'running', 'leftovers'] as const) {
    expect(decide('SIGHUP', { ...running, phase, isIgnoredByCaller: true })).toBe('ignore');
  }
});

describe('the desk', () => {
  async function heardBy(desk: SignalDesk, signal: HeardSignal): Promise<string> {
    const heard = new Promise<string>((resolve) => {
      desk.onEnd = (ended) => {
        resolve(`end ${ended}`);
      };
      desk.onForward = (forwarded) => {
        resolve(`forward ${forwarded}`);
      };
    });
    process.kill(process.pid, signal);
    return heard;
  }

  test('passes on what is decided in its present phase', async () => {
    using desk = new SignalDesk(0n, () => false);
    expect(await heardBy(desk, 'SIGUSR2')).toBe('end SIGUSR2');
    desk.phase = 'running';
    expect(await heardBy(desk, 'SIGUSR2')).toBe('forward SIGUSR2');
  });

  test('stops listening when it is disposed', () => {
    const before = process.listenerCount('SIGUSR2');
    const desk = new SignalDesk(0n, () => false);
    expect(process.listenerCount('SIGUSR2')).toBe(before + 1);
    desk[Symbol.dispose]();
    expect(process.listenerCount('SIGUSR2')).toBe(before);
  });
});
