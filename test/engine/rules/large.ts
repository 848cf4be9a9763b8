/** Large lists of rules, always the same, as people and their imports have them; and flows to decide about. */
import type { Rule, RuleMatch } from '#shared/profile.ts';
import type { FlowFacts } from '../../../electron/engine/rules/facts.ts';

export const ruleCount = 10_000;

function rulesOf(matchOf: (i: number) => RuleMatch): Rule[] {
  return Array.from({ length: ruleCount }, (_, i) => ({
    id: `r${i + 1}`,
    match: matchOf(i),
    action: i % 2 === 0 ? 'direct' : 'block',
  }));
}

function octets(i: number): string {
  return `${(i >> 8) & 255}.${i & 255}`;
}

/** None of them matches a flow of `strangers`. */
export const largeLists: Readonly<Record<string, () => Rule[]>> = {
  'of a realistic mix': () =>
    rulesOf((i) => {
      switch (i % 20) {
        case 0:
          return { to: [`10.${octets(i)}.0/24`], ports: ['22', '443'] };
        case 1:
          return { to: [`2001:db8:${i.toString(16)}::/48`] };
        case 2:
          return { to: [`192.0.2.${i & 255}`], apps: [`app-${i}`] };
        case 3:
          return { apps: [`org.example.App${i}`], protocol: 'udp' };
        case 4:
          return { processes: [`helper-${i}`], ports: ['443'] };
        case 5:
          return { ports: [`${20_000 + i}-${20_005 + i}`], apps: ['game'] };
        case 6:
          return { to: [`cdn*.site-${i}.example`], protocol: 'tcp' };
        case 7:
          return { to: [`*tracker${i}*`] };
        case 8:
        case 9:
        case 10:
        case 11:
          return { to: [`host-${i}.example.net`] };
        case 12:
          return { to: ['.corp.example'], apps: [`internal-${i}`] };
        default:
          return { to: [`.site-${i}.example`, `*.mirror-${i}.example`] };
      }
    }),
  'of wildcards with an ending of their own': () => rulesOf((i) => ({ to: [`*${i}.cdn.example`] })),
  'of wildcards with a long common ending': () =>
    rulesOf((i) => ({ to: [`*-${i}.eu-central.objects.storage.cloud.example`] })),
  'of names for one app': () => rulesOf((i) => ({ apps: ['firefox'], to: [`host-${i}.example`] })),
  'of apps for one suffix': () => rulesOf((i) => ({ apps: [`app-${i}`], to: ['.example'] })),
  'of ranges': () => rulesOf((i) => ({ to: [`10.${octets(i)}.0/${20 + (i % 13)}`] })),
  'of port ranges': () =>
    rulesOf((i) => ({ ports: [`${(i % 600) * 100 + 2000}-${(i % 600) * 100 + 2099}`], protocol: 'udp' })),
  'of processes for one port': () => rulesOf((i) => ({ processes: [`worker-${i}`], ports: ['8443'] })),
};

const names = [
  'www.nowhere.example',
  'a.very.long.name.below.eu-central.objects.storage.cloud.example',
  'img-0.assets.corp.example',
  'stranger.example.net',
  'x.cdn.example',
];

/** Flows that no rule of the lists matches. */
export const strangers: readonly FlowFacts[] = Array.from({ length: 60 }, (_, i) => ({
  protocol: i % 4 === 0 ? 'udp' : 'tcp',
  ...(i % 3 === 0 ? {} : { host: names[i % names.length] }),
  ...(i % 3 === 1 ? {} : { address: i % 2 === 0 ? `198.51.100.${i}` : `2001:db8:ffff:${i.toString(16)}::1` }),
  port: i % 2 === 0 ? 443 : i % 7 === 0 ? 8443 : 1000 + i,
  apps: ['firefox', '/usr/lib/firefox/firefox'],
  process: i % 5 === 0 ? null : 'Socket Thread',
  profile: 'work',
}));
