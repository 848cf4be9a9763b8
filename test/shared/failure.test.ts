import { expect, test } from 'vitest';
import {
  CulvertError,
  describe,
  failureCodes,
  failureOf,
  sentenceOf,
  type FailureCode,
} from '#shared/failure.ts';
import { sentencesInChinese } from '#shared/sentences-zh-cn.ts';

test.each(failureCodes)('%s says what happened, why, and what to do', (code) => {
  const parts = describe({ code }).split(' — ');
  expect(parts).toHaveLength(3);
  for (const part of parts) expect(part.trim().length).toBeGreaterThan(5);
});

/** What people may meet, and what they have to be told of it. */
const met: [string, FailureCode, RegExp][] = [
  ['the proxy cannot be reached', 'proxy-unreachable', /can't reach the proxy/],
  ['the sign-in was refused', 'proxy-sign-in-refused', /refused the sign-in/],
  ['there is no UDP', 'udp-not-offered', /UDP refused/],
  ['the app is open outside', 'app-running-outside', /already open outside/],
  ['isolation is not allowed', 'userns-forbidden', /without a password is not possible/],
  ['permission was not given', 'pkexec-dismissed', /permission was not given/],
  ['permission was refused', 'sudo-refused', /permission was not given/],
  ['the app did not start', 'launch-failed', /the app did not start/],
  ['the proxy is lost', 'chain-exhausted', /the app stays without network/],
  ['a name was not found', 'dns-failed', /a name could not be looked up/],
  ['nothing was imported', 'import-invalid', /nothing was imported/],
  ['a leak was found', 'leak-found', /a leak was found/],
  ['a password has no safe place', 'secrets-unavailable', /the password cannot be stored safely/],
  ['no engine runs', 'engine-unreachable', /no running Culvert was found/],
  ['a launcher has lost its profile', 'profile-unknown', /there is no such profile/],
];

test.each(met)('that %s is told', (_what, code, words) => {
  expect(describe({ code })).toMatch(words);
});

test.each(failureCodes)('%s offers no way around the proxy', (code) => {
  for (const { todo } of [sentenceOf(code), sentencesInChinese[code]])
    expect(todo).not.toMatch(/\bdirect(ly)?\b|without (the |a )?proxy|--proxy|bypass|直连|绕过|不经代理/i);
});

test('step and detail stand where they help', () => {
  expect(describe({ code: 'launch-failed', step: 'netns', detail: 'EPERM' })).toMatch(
    /^the app did not start at “netns” — .* \(EPERM\) — /,
  );
});

test('an error keeps its failure, and what is not ours becomes internal', () => {
  const error = new CulvertError('tool-missing', { detail: 'nft' });
  expect(failureOf(error)).toEqual({ code: 'tool-missing', detail: 'nft' });
  expect(failureOf(new Error('odd'))).toEqual({ code: 'internal', detail: 'odd' });
  expect(failureOf('text')).toEqual({ code: 'internal', detail: 'text' });
});
