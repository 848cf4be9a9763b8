/** A way with a second one behind it: when that is taken, and when not. By a clock that the test turns. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CulvertError, type FailureCode } from '#shared/failure.ts';
import type { ChainAssociation, ChainDialled } from '../../../electron/engine/upstream/chain.ts';
import { remainingMs, type DialOptions } from '../../../electron/engine/upstream/connection.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { FailoverWay } from '../../../electron/engine/ways/failover-way.ts';
import type { Way, WayState } from '../../../electron/engine/ways/way.ts';

type Answer = FailureCode | 'yes' | 'silence';

/** A way that answers as it is told to, and remembers what was asked of it. */
class PlayedWay implements Way {
  readonly via: string;
  readonly udp = 'socks';
  readonly carriesIpv6 = true;
  readonly egress = undefined;
  readonly socks5 = undefined;
  state: WayState = { health: 'reachable' };
  answer: Answer = 'yes';
  /** Whether a look finds it. */
  isThere = true;
  readonly asked: { readonly what: string; readonly leftMs: number; readonly at: number }[] = [];
  readonly looks: number[] = [];
  aborted = 0;

  constructor(via: string) {
    this.via = via;
  }

  dial(_destination: unknown, options: DialOptions): Promise<ChainDialled> {
    return this.#answer('dial', options) as Promise<ChainDialled>;
  }

  associate(options: DialOptions): Promise<ChainAssociation> {
    return this.#answer('associate', options) as unknown as Promise<ChainAssociation>;
  }

  settled(): void {}

  look(deadlineMs: number): Promise<boolean> {
    this.looks.push(deadlineMs);
    return this.isThere
      ? Promise.resolve(true)
      : new Promise((resolve) => {
          setTimeout(() => {
            this.state = { health: 'unreachable' };
            resolve(false);
          }, deadlineMs);
        });
  }

  hold(): () => void {
    return () => undefined;
  }

  #answer(what: string, options: DialOptions): Promise<{ via: string }> {
    this.asked.push({ what, leftMs: remainingMs(options), at: performance.now() });
    if (this.answer === 'yes') return Promise.resolve({ via: this.via });
    if (this.answer !== 'silence') return Promise.reject(new CulvertError(this.answer));
    return new Promise((_resolve, reject) => {
      const late = setTimeout(() => reject(new CulvertError('proxy-timeout')), remainingMs(options));
      options.signal?.addEventListener('abort', () => {
        this.aborted += 1;
        clearTimeout(late);
        reject(options.signal?.reason as Error);
      });
    });
  }
}

let first: PlayedWay;
let second: PlayedWay;
let way: FailoverWay;
let began: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  [first, second] = [new PlayedWay('first'), new PlayedWay('second')];
  way = new FailoverWay(first, second);
  began = performance.now();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const destination = destinationOf('example.test', 80);
const deadlineMs = 15_000;
const kinds = [
  ['a connection', (options: DialOptions) => way.dial(destination, options)],
  ['an association', (options: DialOptions) => way.associate(options)],
] as const;

/** What came of it, and after how many milliseconds of the test's clock. */
async function outcomeOf(going: Promise<{ readonly via: string }>): Promise<[string, number]> {
  const told = going.then(
    ({ via }): [string, number] => [via, performance.now() - began],
    (error: unknown): [string, number] => [
      error instanceof CulvertError ? error.failure.code : String(error),
      performance.now() - began,
    ],
  );
  await vi.advanceTimersByTimeAsync(40_000);
  return told;
}

describe.each(kinds)('%s', (_kind, go) => {
  test('takes the first way while that answers, and looks at nobody', async () => {
    expect(await outcomeOf(go({ deadlineMs }))).toEqual(['first', 0]);
    expect([second.asked, first.looks]).toEqual([[], []]);
  });

  test.each<FailureCode>([
    'proxy-unreachable',
    'proxy-closed',
    'proxy-sign-in-refused',
    'certificate-refused',
    'egress-missing',
    'chain-exhausted',
  ])('takes the second at once after %s', async (code) => {
    first.answer = code;
    expect(await outcomeOf(go({ deadlineMs }))).toEqual(['second', 0]);
  });

  test('takes the second within two seconds where the first is silent and not there', async () => {
    Object.assign(first, { answer: 'silence', isThere: false });
    const [via, ms] = await outcomeOf(go({ deadlineMs }));
    expect(via).toBe('second');
    expect(ms).toBeLessThanOrEqual(2000);
    expect(first.aborted).toBe(1);
    // From then on at once.
    began = performance.now();
    expect(await outcomeOf(go({ deadlineMs }))).toEqual(['second', 0]);
    expect(first.asked).toHaveLength(1);
  });

  test('waits for a first that is there, as for any slow destination, and has one deadline for both', async () => {
    Object.assign(first, { answer: 'silence' });
    expect(await outcomeOf(go({ deadlineMs }))).toEqual(['second', deadlineMs]);
    expect(second.asked).toMatchObject([{ leftMs: 0 }]);
  });

  test('gives the second what is left of the time', async () => {
    Object.assign(first, { answer: 'silence', isThere: false });
    await outcomeOf(go({ deadlineMs }));
    const [asked] = second.asked;
    expect((asked?.leftMs ?? 0) + (asked?.at ?? 0) - began).toBe(deadlineMs);
  });

  test('is not begun again where its destination was refused', async () => {
    first.answer = 'proxy-refused';
    expect(await outcomeOf(go({ deadlineMs }))).toEqual(['proxy-refused', 0]);
    expect(second.asked).toEqual([]);
  });

  test('fails where both are lost, and goes nowhere else', async () => {
    [first.answer, second.answer] = ['proxy-unreachable', 'proxy-closed'];
    expect(await outcomeOf(go({ deadlineMs }))).toEqual(['proxy-closed', 0]);
  });

  test('ends with its caller, and is not begun again', async () => {
    Object.assign(first, { answer: 'silence' });
    const caller = new AbortController();
    const going = go({ deadlineMs, signal: caller.signal });
    setTimeout(() => caller.abort(new Error('enough')), 300);
    expect(await outcomeOf(going)).toEqual(['Error: enough', 300]);
    expect(second.asked).toEqual([]);
  });
});

test('the first is taken again as soon as it is known to be back', async () => {
  first.state = { health: 'unreachable' };
  expect(await outcomeOf(way.dial(destination, { deadlineMs }))).toEqual(['second', 0]);
  expect(way.via).toBe('second');
  first.state = { health: 'reachable' };
  began = performance.now();
  expect(await outcomeOf(way.dial(destination, { deadlineMs }))).toEqual(['first', 0]);
  expect(way.via).toBe('first');
});

test('a UDP refusal of the first is believed: nothing goes the other way for it', async () => {
  first.answer = 'udp-not-offered';
  expect(await outcomeOf(way.associate({ deadlineMs }))).toEqual(['udp-not-offered', 0]);
  expect(second.asked).toEqual([]);
});
