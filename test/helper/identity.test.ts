import { expect, test } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import { servedUser } from '../../electron/helper/identity.ts';

test('a rootless helper serves whoever it is', () => {
  expect(servedUser('rootless', 1000, { SUDO_UID: '1001' })).toBe(1000);
});

test('a privileged helper serves the user whom pkexec or sudo names', () => {
  expect(servedUser('privileged', 0, { PKEXEC_UID: '1000' })).toBe(1000);
  expect(servedUser('privileged', 0, { SUDO_UID: '1001' })).toBe(1001);
  expect(servedUser('privileged', 0, { PKEXEC_UID: '1000', SUDO_UID: '1001' })).toBe(1000);
});

test('without either it was root who started Culvert', () => {
  expect(servedUser('privileged', 0, {})).toBe(0);
});

test.each([
  '0',
  '999',
  '33',
  '65534',
  '-1',
  '4294967295',
  '99999999999',
  '1000x',
  '',
  ' 1000',
  '0x3e8',
  '1e4',
])('no elevation for user %j', (claimed) => {
  expect(() => servedUser('privileged', 0, { PKEXEC_UID: claimed })).toThrow(CulvertError);
  expect(() => servedUser('privileged', 0, { SUDO_UID: claimed })).toThrow(CulvertError);
});

test('a privileged helper that is not root refuses to work', () => {
  expect(() => servedUser('privileged', 1000, {})).toThrow(/refused to work/);
});
