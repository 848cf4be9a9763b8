/**
 * What no schema can say: that what is named elsewhere is there, that ids are unique, and that no setting opens a
 * way round the proxy. Pure.
 */
import { failureOf } from '#shared/failure.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import { builtIns, findProfile, type Config, type Profile, type Rule, type Server } from '#shared/profile.ts';
import { probeOf } from '../health/probe.ts';
import { entryDefect, listFields } from '../rules/compiled.ts';
import { addressAndPort } from '../upstream/destination.ts';
import type { Path, Problem } from './problems.ts';

type Report = (path: Path, message: Phrase) => void;

/** Everything that is wrong in a configuration of the right form. */
export function crossProblems(config: Config): Problem[] {
  const problems: Problem[] = [];
  const report: Report = (path, message) => problems.push({ path, message });
  checkUnique(config.profiles, ['profiles'], report);
  checkUnique(config.rules, ['rules'], report);
  const isKnown = knownProfiles(config);
  const checkReference = (id: string | undefined, path: Path) => {
    if (id !== undefined && !isKnown(id)) report(path, phrase('config.profile-unknown', { id }));
  };
  checkReference(config.defaultProfile, ['defaultProfile']);
  for (const [app, id] of Object.entries(config.apps)) {
    checkReference(id, ['apps', app]);
  }
  config.profiles.forEach((profile, index) => {
    checkProfile(profile, ['profiles', index], report);
    checkFailover(config, profile, ['profiles', index, 'failure'], report);
  });
  checkProbe(config.probe, report);
  config.rules.forEach((rule, index) => {
    const path = ['rules', index];
    // What is off decides nothing: it is checked when it is put on.
    if (rule.isOff === true) return;
    if (rule.action === 'profile' && rule.profile === undefined)
      report([...path, 'profile'], phrase('rule.profile-missing'));
    if (rule.action !== 'profile' && rule.profile !== undefined)
      report([...path, 'profile'], phrase('rule.profile-unwanted'));
    checkReference(rule.profile, [...path, 'profile']);
    rule.match.profiles?.forEach((id, at) => checkReference(id, [...path, 'match', 'profiles', at]));
    checkLists(rule, [...path, 'match'], report);
  });
  return problems;
}

function knownProfiles(config: Config): (id: string) => boolean {
  const ids = new Set([...Object.keys(builtIns), ...config.profiles.map(({ id }) => id)]);
  return (id) => ids.has(id);
}

function checkUnique(items: readonly { readonly id: string }[], path: Path, report: Report): void {
  const seen = new Set<string>();
  items.forEach(({ id }, index) => {
    if (seen.has(id)) report([...path, index, 'id'], phrase('config.id-taken', { id }));
    seen.add(id);
  });
}

function checkProfile(profile: Profile, path: Path, report: Report): void {
  const { id, chain, egress, dns, action, rewrites } = profile;
  if (Object.hasOwn(builtIns, id)) report([...path, 'id'], phrase('config.id-built-in', { id }));
  checkUnique(chain.servers, [...path, 'chain', 'servers'], report);
  if (chain.length !== undefined && chain.length > chain.servers.length)
    report([...path, 'chain', 'length'], phrase('config.length-most', { of: chain.servers.length }));
  // dev_valid_name() of the kernel (net/core/dev.c).
  if (egress === '.' || egress === '..' || egress?.includes(':') === true)
    report([...path, 'egress'], phrase('config.interface'));
  if (dns.mode === 'host' && action !== 'direct') report([...path, 'dns', 'mode'], phrase('config.dns-host'));
  if (dns.resolver !== undefined && addressAndPort(dns.resolver) === undefined)
    report([...path, 'dns', 'resolver'], phrase('config.resolver'));
  rewrites?.forEach((rewrite, index) => {
    for (const end of ['from', 'to'] as const) {
      if (addressAndPort(rewrite[end]) === undefined)
        report([...path, 'rewrites', index, end], phrase('config.rewrite'));
    }
  });
  chain.servers.forEach((server, index) => checkServer(server, [...path, 'chain', 'servers', index], report));
}

function checkServer({ kind, host, fingerprint }: Server, path: Path, report: Report): void {
  if (fingerprint !== undefined && kind !== 'https')
    report([...path, 'fingerprint'], phrase('config.fingerprint-kind'));
  if (/[@/\s\p{Cc}[\]]/u.test(host)) report([...path, 'host'], phrase('config.host-alone'));
}

function checkLists({ match }: Rule, path: Path, report: Report): void {
  for (const field of listFields) {
    match[field]?.forEach((text, at) => {
      const defect = entryDefect(field, text);
      if (defect !== undefined) report([...path, field, at], defect);
    });
  }
}

function checkProbe({ url, resolver }: Config['probe'], report: Report): void {
  if (resolver !== undefined && addressAndPort(resolver) === undefined)
    report(['probe', 'resolver'], phrase('config.resolver'));
  if (!isPage(url)) report(['probe', 'url'], phrase('config.probe-page'));
}

function isPage(url: string | undefined): boolean {
  try {
    probeOf({ url });
    return true;
  } catch (error) {
    if (failureOf(error).code !== 'option-invalid') throw error;
    return false;
  }
}

/** The failing chain is replaced by another chain, never by no chain; and the replacements come to an end. */
function checkFailover(config: Config, profile: Profile, path: Path, report: Report): void {
  const { policy, profile: next } = profile.failure;
  if (policy !== 'failover') {
    if (next !== undefined) report([...path, 'profile'], phrase('config.failover-unwanted'));
    return;
  }
  if (next === undefined) {
    report([...path, 'profile'], phrase('config.failover-missing'));
    return;
  }
  const target = findProfile(config, next);
  if (target === undefined) report([...path, 'profile'], phrase('config.profile-unknown', { id: next }));
  else if (target.action !== 'proxy')
    report([...path, 'profile'], phrase('config.failover-chain', { id: next }));
  else if (isInCycle(config, profile))
    report([...path, 'profile'], phrase('config.failover-cycle', { id: profile.id }));
}

function isInCycle(config: Config, start: Profile): boolean {
  const seen = new Set<string>();
  let at: Profile | undefined = start;
  while (at?.failure.policy === 'failover' && at.failure.profile !== undefined && !seen.has(at.id)) {
    seen.add(at.id);
    if (at.failure.profile === start.id) return true;
    at = findProfile(config, at.failure.profile);
  }
  return false;
}
