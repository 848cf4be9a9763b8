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
import type { Read } from './addresses.ts';
import { readClashRules, type Targets } from './clash-rules.ts';
import { otherProtocolReason } from './links.ts';
import { Draft, printable, refuse, type ImportResult } from './result.ts';
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
  const sections = mapOf(parseYaml(text)) ?? refuse('this YAML has no sections of Clash');
  const draft = new Draft('clash');
  const known = [...proxySections, ...groupSections, ...ruleSections];
  if (!known.some((section) => sections.has(section)))
    refuse('this YAML has no proxies, groups or rules of Clash');
  for (const [section, { line }] of sections) if (!known.includes(section)) sayOther(draft, section, line);
  const targets: Targets = new Map<string, Target | string>([
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
  const shown = isRemote || /^[a-z0-9-]{1,30}$/i.test(section) ? section : 'a section';
  const reason = isRemote ? 'lists that Clash downloads are not taken' : 'a setting of Clash itself';
  draft.say(line, isRemote ? 'skipped' : 'note', shown, reason);
}

function takeProxy(draft: Draft, item: YamlItem, targets: Targets): void {
  const fields = mapOf(item);
  const name = textOfItem(fields?.get('name'));
  if (fields === undefined || name === undefined)
    return draft.say(item.line, 'invalid', 'a proxy', 'it has no name');
  const shown = `proxy ${name}`;
  if (targets.has(name)) return draft.say(item.line, 'invalid', shown, 'another proxy has the same name');
  const type = textOfItem(fields.get('type')) ?? '';
  const read = readProxy(fields, type);
  if (!read.ok) {
    targets.set(name, `its proxy was not taken`);
    const isOther = type !== 'socks5' && type !== 'http' && type !== '';
    return draft.say(
      item.line,
      isOther || read.reason.endsWith(noCounterpart) ? 'skipped' : 'invalid',
      shown,
      read.reason,
    );
  }
  const noUdp = isWord(fields.get('udp'), 'false');
  const profile = draft.addProfile({ name, servers: [read.value], ...(noUdp && { udp: 'block' as const }) });
  targets.set(name, { kind: 'profile', id: profile.id });
  draft.say(item.line, 'taken', `${profile.name}: ${formatUpstream(read.value)}`);
  sayProxyDifferences(draft, item.line, shown, fields, read.value);
}

const noCounterpart = 'has no counterpart';

function readProxy(fields: Fields, type: string): Read<Upstream> {
  if (type === '') return { ok: false, reason: 'its type is missing' };
  if (type !== 'socks5' && type !== 'http')
    return { ok: false, reason: otherProtocolReason(printable(type, 20)) };
  const hasTls = isWord(fields.get('tls'), 'true');
  if (hasTls && type === 'socks5') return { ok: false, reason: `SOCKS5 inside of TLS ${noCounterpart}` };
  if (fields.has('dialer-proxy'))
    return { ok: false, reason: `a proxy behind another one (dialer-proxy) ${noCounterpart}` };
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
  shown: string,
  fields: Fields,
  { kind, fingerprint }: Upstream,
): void {
  if (isWord(fields.get('skip-cert-verify'), 'true') && kind === 'https' && fingerprint === undefined) {
    draft.say(
      line,
      'note',
      shown,
      'its certificate will be verified; one that cannot be is accepted by its fingerprint',
    );
  }
  for (const field of ['sni', 'headers', 'interface-name', 'routing-mark', 'ip-version']) {
    if (fields.has(field))
      draft.say(fields.get(field)?.line ?? line, 'note', `${shown}, ${field}`, 'it is not taken');
  }
}

/** Gives every group what its rules get, in an order that has members before their groups. */
function takeGroups(draft: Draft, items: readonly YamlItem[], targets: Targets): void {
  const groups = new Map<string, { line: number; type: string; members: string[] }>();
  for (const item of items) {
    const fields = mapOf(item);
    const name = textOfItem(fields?.get('name'));
    if (fields === undefined || name === undefined)
      draft.say(item.line, 'invalid', 'a group', 'it has no name');
    else if (groups.has(name) || targets.has(name))
      draft.say(item.line, 'invalid', `group ${name}`, 'another entry has the same name');
    else {
      const members = listOf(fields.get('proxies')).flatMap((member) => textOfItem(member) ?? []);
      groups.set(name, { line: item.line, type: textOfItem(fields.get('type')) ?? 'select', members });
    }
  }
  for (const [name, { line, type, members }] of groups) {
    const target = resolveGroup(name, groups, targets, new Set());
    draft.say(
      line,
      'note',
      `group ${name} (${printable(type, 20)})`,
      groupReason(draft, target, members.length),
    );
  }
  for (const name of groups.keys()) targets.set(name, resolveGroup(name, groups, targets, new Set()));
}

function groupReason(draft: Draft, target: Target | string, members: number): string {
  if (typeof target === 'string') return `not taken: ${target}`;
  if (target.kind !== 'profile')
    return `rules that name it ${target.kind === 'direct' ? 'go directly' : 'are refused'}, as its first member says`;
  const name = draft.profiles.find(({ id }) => id === target.id)?.name ?? target.id;
  return `groups are not taken; rules that name it get “${name}”, its first of ${members} that could be`;
}

function resolveGroup(
  name: string,
  groups: ReadonlyMap<string, { members: readonly string[] }>,
  targets: Targets,
  visited: Set<string>,
): Target | string {
  visited.add(name);
  const members = groups.get(name)?.members ?? [];
  for (const [index, member] of members.entries()) {
    if (visited.has(member)) continue;
    const isNested = groups.has(member);
    const target = isNested ? resolveGroup(member, groups, targets, visited) : targets.get(member);
    if (typeof target !== 'object') continue;
    // Directly only where that is what the group says first; a proxy that was left out must not lead there.
    if (target.kind === 'profile' || index === 0) return target;
  }
  return 'none of its proxies was taken';
}
