/**
 * Clash's and mihomo's configuration (YAML): proxies, groups, rules.
 *
 *   proxies        those of type socks5 and http become a profile each, `tls: true` makes http an https proxy
 *   proxy-groups   not taken; a rule that names one gets the group's first proxy that was taken. A group whose first
 *                  member is DIRECT or REJECT means that; a member that was left out never makes it mean DIRECT
 *   rules          under the profile that MATCH names; see source-rules.ts and clash-rules.ts
 */
import { formatUpstream } from '../upstream/url.ts';
import type { Upstream } from '#shared/model.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import type { Read } from './addresses.ts';
import { readClashRules, type Targets } from './clash-rules.ts';
import { otherProtocolReason } from './links.ts';
import { printable } from './line.ts';
import { Draft, refuse, type ImportResult } from './result.ts';
import { placeRules, type Target } from './source-rules.ts';
import { readServer } from './upstream.ts';
import { isWord, listOf, mapOf, parseYaml, textOfItem, type YamlItem } from './yaml.ts';

/** Names of sections, with those of Clash before 2019. */
const proxySections = ['proxies', 'Proxy'];
const groupSections = ['proxy-groups', 'Proxy Group'];
const ruleSections = ['rules', 'Rule'];
const remoteSections = ['proxy-providers', 'rule-providers', 'sub-rules'];

type Fields = ReadonlyMap<string, YamlItem>;

/** Reads a configuration; `name` is for a profile that the rules may need. */
export function importClash(text: string, name = 'Clash'): ImportResult {
  const sections = mapOf(parseYaml(text)) ?? refuse(phrase('import-refusal.no-clash'));
  const draft = new Draft('clash');
  const known = [...proxySections, ...groupSections, ...ruleSections];
  if (!known.some((section) => sections.has(section))) refuse(phrase('import-refusal.no-proxies'));
  for (const [section, { line }] of sections) if (!known.includes(section)) sayOther(draft, section, line);
  const targets: Targets = new Map<string, Target | Phrase>([
    ['DIRECT', { kind: 'direct' }],
    ['REJECT', { kind: 'block' }],
    ['REJECT-DROP', { kind: 'block' }],
  ]);
  for (const item of itemsIn(sections, proxySections)) takeProxy(draft, item, targets);
  takeGroups(draft, itemsIn(sections, groupSections), targets);
  placeRules(draft, { name, ...readClashRules(draft, itemsIn(sections, ruleSections), targets) });
  return draft.finish();
}

function itemsIn(sections: Fields, names: readonly string[]): YamlItem[] {
  return names.flatMap((name) => listOf(sections.get(name)));
}

function sayOther(draft: Draft, section: string, line: number): void {
  const isRemote = remoteSections.includes(section);
  const shown = isRemote || /^[a-z0-9-]{1,30}$/i.test(section) ? section : phrase('clash.a-section');
  const reason = phrase(isRemote ? 'clash.no-downloads' : 'clash.own-setting');
  draft.say(line, isRemote ? 'skipped' : 'note', shown, reason);
}

function takeProxy(draft: Draft, item: YamlItem, targets: Targets): void {
  const fields = mapOf(item);
  const name = textOfItem(fields?.get('name'));
  if (fields === undefined || name === undefined)
    return draft.say(item.line, 'invalid', phrase('clash.a-proxy'), phrase('clash.no-name'));
  const shown = phrase('clash.named-proxy', { name });
  if (targets.has(name)) return draft.say(item.line, 'invalid', shown, phrase('clash.same-proxy-name'));
  const type = textOfItem(fields.get('type')) ?? '';
  const read = readProxy(fields, type);
  if (!read.ok) {
    targets.set(name, phrase('clash.proxy-not-taken'));
    const isOther = type !== 'socks5' && type !== 'http' && type !== '';
    const isSkipped = isOther || withoutCounterpart.has(read.reason.key);
    return draft.say(item.line, isSkipped ? 'skipped' : 'invalid', shown, read.reason);
  }
  const noUdp = isWord(fields.get('udp'), 'false');
  const profile = draft.addProfile({ name, servers: [read.value], ...(noUdp && { udp: 'block' as const }) });
  targets.set(name, { kind: 'profile', id: profile.id });
  draft.say(item.line, 'taken', `${profile.name}: ${formatUpstream(read.value)}`);
  sayProxyDifferences(draft, item.line, shown, fields, read.value);
}

const socksInTls = phrase('clash.socks-in-tls');
const dialerProxy = phrase('clash.dialer-proxy');
const withoutCounterpart: ReadonlySet<string> = new Set([socksInTls.key, dialerProxy.key]);

function readProxy(fields: Fields, type: string): Read<Upstream> {
  if (type === '') return { ok: false, reason: phrase('clash.type-missing') };
  if (type !== 'socks5' && type !== 'http')
    return { ok: false, reason: otherProtocolReason(printable(type, 20)) };
  const hasTls = isWord(fields.get('tls'), 'true');
  if (hasTls && type === 'socks5') return { ok: false, reason: socksInTls };
  if (fields.has('dialer-proxy')) return { ok: false, reason: dialerProxy };
  const upstream = readServer({
    kind: hasTls ? 'https' : type,
    host: textOfItem(fields.get('server')) ?? '',
    port: textOfItem(fields.get('port')) ?? '',
    user: textOfItem(fields.get('username')),
    password: textOfItem(fields.get('password')),
  });
  const fingerprint = textOfItem(fields.get('fingerprint'))?.replaceAll(':', '').toLowerCase() ?? '';
  if (!upstream.ok || !hasTls || !/^[0-9a-f]{64}$/.test(fingerprint)) return upstream;
  return { ok: true, value: { ...upstream.value, fingerprint } };
}

function sayProxyDifferences(
  draft: Draft,
  line: number,
  shown: Phrase,
  fields: Fields,
  { kind, fingerprint }: Upstream,
): void {
  if (isWord(fields.get('skip-cert-verify'), 'true') && kind === 'https' && fingerprint === undefined) {
    draft.say(line, 'note', shown, phrase('clash.certificate-verified'));
  }
  for (const field of ['sni', 'headers', 'interface-name', 'routing-mark', 'ip-version']) {
    const said = phrase('clash.field-of', { what: shown, field });
    if (fields.has(field))
      draft.say(fields.get(field)?.line ?? line, 'note', said, phrase('clash.not-taken'));
  }
}

/** Gives every group what its rules get, in an order that has members before their groups. */
function takeGroups(draft: Draft, items: readonly YamlItem[], targets: Targets): void {
  const groups = new Map<string, { line: number; type: string; members: string[] }>();
  for (const item of items) {
    const fields = mapOf(item);
    const name = textOfItem(fields?.get('name'));
    if (fields === undefined || name === undefined)
      draft.say(item.line, 'invalid', phrase('clash.a-group'), phrase('clash.no-name'));
    else if (groups.has(name) || targets.has(name))
      draft.say(item.line, 'invalid', phrase('clash.named-group', { name }), phrase('clash.same-entry-name'));
    else {
      const members = listOf(fields.get('proxies')).flatMap((member) => textOfItem(member) ?? []);
      groups.set(name, { line: item.line, type: textOfItem(fields.get('type')) ?? 'select', members });
    }
  }
  for (const [name, { line, type, members }] of groups) {
    const target = resolveGroup(name, groups, targets, new Set());
    const shown = phrase('clash.typed-group', { name, type: printable(type, 20) });
    draft.say(line, 'note', shown, groupReason(draft, target, members.length));
  }
  for (const name of groups.keys()) targets.set(name, resolveGroup(name, groups, targets, new Set()));
}

function groupReason(draft: Draft, target: Target | Phrase, members: number): Phrase {
  if ('key' in target) return phrase('clash.group-not-taken', { why: target });
  if (target.kind !== 'profile')
    return phrase(target.kind === 'direct' ? 'clash.group-direct' : 'clash.group-refused');
  const name = draft.profiles.find(({ id }) => id === target.id)?.name ?? target.id;
  return phrase('clash.group-first', { name, of: members });
}

function resolveGroup(
  name: string,
  groups: ReadonlyMap<string, { members: readonly string[] }>,
  targets: Targets,
  visited: Set<string>,
): Target | Phrase {
  visited.add(name);
  const members = groups.get(name)?.members ?? [];
  for (const [index, member] of members.entries()) {
    if (visited.has(member)) continue;
    const isNested = groups.has(member);
    const target = isNested ? resolveGroup(member, groups, targets, visited) : targets.get(member);
    if (target === undefined || 'key' in target) continue;
    // Directly only where that is what the group says first; a proxy that was left out must not lead there.
    if (target.kind === 'profile' || index === 0) return target;
  }
  return phrase('clash.group-empty');
}
