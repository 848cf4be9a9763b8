import { expect, test } from 'vitest';
import { encodeLaunchPayload, maxPayloadBytes, type LaunchPayload } from '#shared/launch-payload.ts';

const payload: LaunchPayload = {
  umask: 0o022,
  ignoredSignals: 0x1000n,
  limits: [{ resource: 7, soft: 1024n, hard: -1n }],
  cwd: '/home/you',
  argv: ['printf', '%s\n', 'a b'],
  env: { PATH: '/bin', EMPTY: '' },
};

test('the strings follow one another, each ended by NUL, in the order that the launcher reads', () => {
  expect(encodeLaunchPayload(payload).toString().split('\0')).toEqual([
    ...['CVL1', '22', '1000', '7:1024:-1', '/home/you', '3'],
    ...['printf', '%s\n', 'a b', 'PATH=/bin', 'EMPTY=', ''],
  ]);
});

test('a NUL inside of a string is refused, or it would become two', () => {
  expect(() => encodeLaunchPayload({ ...payload, argv: ['a\0b'] })).toThrow(RangeError);
  expect(() => encodeLaunchPayload({ ...payload, env: { A: 'b\0C=d' } })).toThrow(RangeError);
});

test('more than the kernel would take is refused', () => {
  expect(() => encodeLaunchPayload({ ...payload, argv: ['x'.repeat(maxPayloadBytes)] })).toThrow(/too large/);
});
