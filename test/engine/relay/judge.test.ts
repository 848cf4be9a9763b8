/** What a flow waits for before it is decided about: for the first bytes of TLS, and only where the client speaks first. */
import { expect, test } from 'vitest';
import type { Decision, PolicyFacts } from '../../../electron/engine/lane-policy.ts';
import { judged, mayBeTls, serverNameWithin, type Judge } from '../../../electron/engine/relay/judge.ts';
import { destinationOf } from '../../../electron/engine/upstream/destination.ts';
import { helloOf } from '../rules/client-hello.ts';

test.each([21, 22, 25, 80, 110, 119, 143, 220, 587, 3306, 5222, 5432, 6667])(
  'nobody waits at port %i, where the server may speak first',
  (port) => {
    expect(mayBeTls(destinationOf('192.0.2.1', port))).toBe(false);
  },
);

test('only connections to bare addresses are looked at: a name is known already', () => {
  expect(mayBeTls(destinationOf('192.0.2.1', 443))).toBe(true);
  expect(mayBeTls(destinationOf('2001:db8::1', 443))).toBe(true);
  expect(mayBeTls(destinationOf('example.test', 443))).toBe(false);
});

/** First bytes that come after so many looks, a piece at a look. */
function arriving(...pieces: readonly Uint8Array[]): {
  readonly peek: () => Buffer;
  readonly looks: () => number;
} {
  let looks = 0;
  return {
    peek: () => Buffer.concat(pieces.slice(0, looks++)),
    looks: () => looks,
  };
}

test('the name is found as soon as it is there, in however many pieces', async () => {
  const hello = await helloOf({ servername: 'name.example.test' });
  const whole = arriving(hello);
  expect(await serverNameWithin(whole.peek)).toBe('name.example.test');
  expect(whole.looks()).toBe(2);
  const cut = arriving(hello.subarray(0, 5), hello.subarray(5, 60), hello.subarray(60));
  expect(await serverNameWithin(cut.peek)).toBe('name.example.test');
});

test('what is no TLS is not waited for', async () => {
  const other = arriving(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'));
  expect(await serverNameWithin(other.peek)).toBeUndefined();
  expect(other.looks()).toBe(2);
});

test('a client that says nothing, as where a server speaks first after all, is looked at seven times and let go', async () => {
  const silent = arriving();
  expect(await serverNameWithin(silent.peek)).toBeUndefined();
  expect(silent.looks()).toBe(7);
});

test('the process is asked for once, and only where a rule wants it', async () => {
  const facts: PolicyFacts = { protocol: 'tcp', address: '192.0.2.1', port: 80 };
  const asked: PolicyFacts[] = [];
  const judge = (wantsProcess: boolean): Judge => ({
    wantsServerName: false,
    decide: (given): Decision => {
      asked.push(given);
      if (wantsProcess && given.process === undefined) return { kind: 'process-wanted' };
      return { kind: 'refused', failure: { code: 'blocked-by-profile' } };
    },
    rewrite: (destination) => destination,
  });
  let looks = 0;
  const processName = () => Promise.resolve((looks += 1) > 0 ? 'curl' : null);
  await judged(() => judge(false), facts, processName);
  expect(looks).toBe(0);
  await judged(() => judge(true), facts, processName);
  expect(looks).toBe(1);
  expect(asked.map(({ process }) => process)).toEqual([undefined, undefined, 'curl']);
});
