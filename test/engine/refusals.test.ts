/** What the refusals of the ways to root mean, and which switch is named where user namespaces are forbidden. */
import { describe, expect, test } from 'vitest';
import { inEnglish } from '#shared/phrase.ts';
import { hasNoNewPrivs, pkexecRefusal, userNamespaceSwitch } from '../../electron/engine/refusals.ts';

describe('what pkexec ends with', () => {
  test('126 means that the question was dismissed', () => {
    const words = 'Error executing command as another user: Request dismissed\n';
    expect(pkexecRefusal(126, words)).toEqual({ code: 'pkexec-dismissed' });
  });

  test('so does the end of input at its own question, which ends it by a signal', () => {
    const words = '** (process:636): ERROR **: Got unexpected EOF while reading from controlling terminal.\n';
    expect(pkexecRefusal(null, words)).toEqual({ code: 'pkexec-dismissed' });
  });

  test('127 means a refusal, with its last words', () => {
    const words =
      'Error executing command as another user: Not authorized\n\nThis incident has been reported.\n';
    expect(pkexecRefusal(127, words)).toEqual({
      code: 'pkexec-refused',
      detail: 'This incident has been reported.',
    });
  });

  test.each([
    'Error executing command as another user: No authentication agent found.\n',
    'polkit-agent-helper-1: error response to PolicyKit daemon: GDBus.Error:org.freedesktop.PolicyKit1.Error.Failed: No session for cookie\nError executing command as another user: Not authorized\n',
    'Error getting authority: Error initializing authority: Could not connect: No such file or directory\n',
  ])('127 with these words means that nobody can ask: %s', (words) => {
    expect(pkexecRefusal(127, words)).toEqual({ code: 'pkexec-no-agent' });
  });

  test('what the helper itself wrote counts more than the number', () => {
    const words = 'culvert-helper: a sentence\n{"code":"identity-refused","detail":"user id 0"}\n';
    expect(pkexecRefusal(127, words)).toEqual({ code: 'identity-refused', detail: 'user id 0' });
  });

  test('another number is a helper that did not start', () => {
    expect(pkexecRefusal(1, 'cannot open shared object\n')).toEqual({
      code: 'helper-start-failed',
      detail: 'cannot open shared object',
    });
    expect(pkexecRefusal(null, '')).toEqual({ code: 'helper-start-failed', detail: 'exit null' });
  });
});

describe('the switch that forbids user namespaces', () => {
  const system = (values: Record<string, string>) => (name: string) => values[name];

  test.each([
    ['kernel/unprivileged_userns_clone', '0', 'kernel.unprivileged_userns_clone=1'],
    ['kernel/apparmor_restrict_unprivileged_userns', '1', 'kernel.apparmor_restrict_unprivileged_userns=0'],
    ['user/max_user_namespaces', '0', 'user.max_user_namespaces=15000'],
  ])('%s = %s is named with what to type', (name, value, todo) => {
    const said = userNamespaceSwitch('unshare: unshare failed', 1, system({ [name]: value }));
    expect(inEnglish(said)).toBe(
      `${name.replaceAll('/', '.')} is ${value}; to allow it: sudo sysctl ${todo}`,
    );
  });

  test('where all of them are open the words of unshare are told', () => {
    const open = system({
      'kernel/unprivileged_userns_clone': '1',
      'kernel/apparmor_restrict_unprivileged_userns': '0',
      'user/max_user_namespaces': '15000',
    });
    expect(userNamespaceSwitch('unshare: Operation not permitted\n', 1, open)).toBe(
      'unshare: Operation not permitted',
    );
    expect(inEnglish(userNamespaceSwitch('', 1, open))).toBe('unshare ended with 1');
  });
});

test('NoNewPrivs is read from the status of the process', () => {
  expect(hasNoNewPrivs('Name:\tnode\nNoNewPrivs:\t1\nSeccomp:\t0\n')).toBe(true);
  expect(hasNoNewPrivs('Name:\tnode\nNoNewPrivs:\t0\nSeccomp:\t1\n')).toBe(false);
});
