/** The rules as text, and what nft says of them; what they do is seen in the system and leak tests. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { appRules, gatewayRules } from '../../electron/helper/firewall.ts';

const isRoot = process.getuid?.() === 0;

describe.each([
  ['gateway with tproxy', gatewayRules('tproxy')],
  ['gateway with redirect', gatewayRules('redirect')],
  ['app with tproxy', appRules('tproxy')],
  ['app with redirect', appRules('redirect')],
])('the rules of the %s namespace', (_name, rules) => {
  test.runIf(isRoot)('are accepted by nft as one transaction, in a namespace of the test’s own', () => {
    const { status, stderr } = spawnSync('unshare', ['--net', 'nft', '-f', '-'], {
      input: rules,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  test('forward nothing', () => {
    expect(rules).toMatch(/chain forward \{\s*type filter hook forward priority filter; policy drop;\s*\}/);
  });
});

test('in the gateway a refusal follows what nobody takes, and nothing is let in or out by default', () => {
  const rules = gatewayRules('tproxy')
    .split('\n')
    .map((line) => line.trim());
  const chain = (name: string) =>
    rules.slice(rules.indexOf(`chain ${name} {`), rules.indexOf('}', rules.indexOf(`chain ${name} {`)));
  expect(chain('prerouting').slice(-2)).toEqual([
    'meta l4proto tcp reject with tcp reset',
    'reject with icmpx admin-prohibited',
  ]);
  expect(chain('input')[1]).toContain('policy drop');
  expect(chain('output')[1]).toContain('policy drop');
});
