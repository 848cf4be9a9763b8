/**
 * Culvert's own JSON: what `exportJson` writes, or a whole configuration file.
 *
 * Does: keep the ids, so that rules find their profiles again. Must not: take anything that the schema does not
 * know; take which app uses what, which belongs to a computer and not to a profile.
 */
import { createScanner, getNodeValue, parseTree, type Node, type ParseError } from 'jsonc-parser';
import * as v from 'valibot';
import { phrase, type Phrase } from '#shared/phrase.ts';
import { configVersion, profile as profileSchema, rule as ruleSchema, slug } from '#shared/profile.ts';
import type { Profile, Rule } from '#shared/profile.ts';
import { readAddressPort } from './addresses.ts';
import { Draft, limits, nameOf, refuse, ruleDefect, type ImportResult } from './result.ts';
import { lineFinder } from './text.ts';
import { readServer } from './upstream.ts';

const mostTokens = 2_000_000;

const secretSchema = v.strictObject({
  profile: slug,
  server: slug,
  password: v.pipe(v.string(), v.maxLength(255)),
});

/** Members that are not imported, with the reason; `$schema`, `version` and `culvert` need no word. */
const others: ReadonlyMap<string, Phrase> = new Map([
  ['apps', phrase('import.keeps-apps')],
  ['defaultProfile', phrase('import.keeps-default')],
  ['probe', phrase('import.keeps-probe')],
  ['history', phrase('import.keeps-history')],
]);

/** Reads profiles, rules and passwords. Throws `import-invalid` with the line where it is not JSON. */
export function importCulvert(text: string): ImportResult {
  checkTokens(text);
  const lineOf = lineFinder(text);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (errors[0] !== undefined)
    refuse(phrase('import-refusal.not-json-at', { line: lineOf(errors[0].offset) }));
  const members = root?.type === 'object' ? membersOf(root) : refuse(phrase('import-refusal.no-object'));
  const version = valueIn(members, 'version');
  if (typeof version === 'number' && version > configVersion)
    refuse(phrase('import-refusal.newer', { version }));
  const draft = new Draft('culvert');
  const lists = { profiles: itemsIn(members, 'profiles'), rules: itemsIn(members, 'rules') };
  if (lists.profiles.length > limits.profiles)
    refuse(phrase('import-refusal.profiles-most', { most: limits.profiles }));
  if (lists.rules.length > limits.rules) refuse(phrase('import-refusal.rules-most', { most: limits.rules }));
  for (const node of lists.profiles) takeProfile(draft, lineOf(node.offset), getNodeValue(node));
  for (const node of lists.rules) takeRule(draft, lineOf(node.offset), getNodeValue(node));
  for (const node of itemsIn(members, 'secrets')) takeSecret(draft, lineOf(node.offset), getNodeValue(node));
  for (const [name, node] of members) sayOther(draft, name, lineOf(node.offset));
  return draft.finish();
}

function takeProfile(draft: Draft, line: number, value: unknown): void {
  const read = v.safeParse(profileSchema, value);
  if (!read.success) return draft.say(line, 'invalid', phrase('import.a-profile'), reasonOf(read.issues));
  const profile: Profile = { ...read.output, name: nameOf(read.output.name, read.output.id) };
  const shown = phrase('import.named-profile', { name: profile.name });
  const { servers } = profile.chain;
  if (new Set(servers.map(({ id }) => id)).size < servers.length) {
    return draft.say(line, 'invalid', shown, phrase('import.same-server-ids'));
  }
  for (const server of servers) {
    const checked = readServer(server);
    if (!checked.ok) {
      const reason = phrase('import.server-reason', { id: server.id, why: checked.reason });
      return draft.say(line, 'invalid', shown, reason);
    }
  }
  if (!hasRewrites(profile)) return draft.say(line, 'invalid', shown, phrase('import.not-rewrite'));
  if (!draft.keepId('profile', profile.id)) {
    return draft.say(line, 'invalid', shown, phrase('import.id-taken', { id: profile.id }));
  }
  draft.profiles.push(profile);
  draft.say(line, 'taken', shown);
}

function hasRewrites({ rewrites = [] }: Profile): boolean {
  return rewrites.every(({ from, to }) => readAddressPort(from).ok && readAddressPort(to).ok);
}

function takeRule(draft: Draft, line: number, value: unknown): void {
  const read = v.safeParse(ruleSchema, value);
  if (!read.success) return draft.say(line, 'invalid', phrase('clash.a-rule'), reasonOf(read.issues));
  const rule: Rule = read.output;
  const shown = phrase('import.named-rule', { name: rule.note ?? rule.id });
  if (rule.action === 'profile' && rule.profile === undefined) {
    return draft.say(line, 'invalid', shown, phrase('import.names-no-profile'));
  }
  const defect = ruleDefect(rule);
  if (defect !== undefined) return draft.say(line, 'invalid', shown, defect);
  if (!draft.keepId('rule', rule.id)) {
    return draft.say(line, 'invalid', shown, phrase('import.id-taken', { id: rule.id }));
  }
  draft.rules.push(rule);
  const named = [...(rule.match.profiles ?? []), ...(rule.profile === undefined ? [] : [rule.profile])];
  const unknown = named.find((id) => draft.profiles.every((profile) => profile.id !== id));
  if (unknown !== undefined)
    draft.say(line, 'taken', shown, phrase('import.profile-elsewhere', { id: unknown }));
  else if (rule.match.profiles === undefined) {
    draft.say(line, 'taken', shown, phrase('import.for-all-profiles'));
  } else draft.say(line, 'taken', shown);
}

function takeSecret(draft: Draft, line: number, value: unknown): void {
  const read = v.safeParse(secretSchema, value);
  if (!read.success) return draft.say(line, 'invalid', phrase('import.a-password'), reasonOf(read.issues));
  const { profile, server, password } = read.output;
  const shown = phrase('import.password-of', { profile, server });
  const owner = draft.profiles
    .find(({ id }) => id === profile)
    ?.chain.servers.find(({ id }) => id === server);
  if (owner === undefined) return draft.say(line, 'invalid', shown, phrase('import.no-such-server'));
  const checked = readServer({ ...owner, password });
  if (!checked.ok) return draft.say(line, 'invalid', shown, checked.reason);
  if (draft.secrets.some((secret) => secret.profile === profile && secret.server === server)) {
    return draft.say(line, 'invalid', shown, phrase('import.second-password'));
  }
  draft.secrets.push({ profile, server, password });
  draft.say(line, 'taken', shown);
}

function sayOther(draft: Draft, name: string, line: number): void {
  const silent = ['culvert', 'version', '$schema', 'profiles', 'rules', 'secrets'];
  if (silent.includes(name)) return;
  const reason = others.get(name);
  if (reason !== undefined) draft.say(line, 'note', name, reason);
  else draft.say(line, 'skipped', phrase('import.unknown-member'), phrase('import.no-such-setting'));
}

/** Throws `import-invalid` for what is not JSON, nested too deep or too much. */
function checkTokens(text: string): void {
  const scanner = createScanner(text, true);
  const lineOf = lineFinder(text);
  let [depth, count] = [0, 0];
  // Values of jsonc-parser's SyntaxKind, a constant enumeration that is gone when types are.
  const [openBrace, closeBrace, openBracket, closeBracket, unknown, end] = [1, 2, 3, 4, 16, 17];
  for (let token: number = scanner.scan(); token !== end; token = scanner.scan()) {
    count += 1;
    if (token === openBrace || token === openBracket) depth += 1;
    if (token === closeBrace || token === closeBracket) depth -= 1;
    if (depth > limits.depth) refuse(phrase('import-refusal.depth-most', { most: limits.depth }));
    if (count > mostTokens) refuse(phrase('import-refusal.json-most', { most: mostTokens }));
    const scanError: number = scanner.getTokenError();
    const isBroken = token === unknown || scanError !== 0 || depth < 0;
    if (isBroken) refuse(phrase('import-refusal.not-json-at', { line: lineOf(scanner.getTokenOffset()) }));
  }
  if (depth !== 0) refuse(phrase('import-refusal.json-end'));
}

/** The members of an object; of two with the same name the last, as JSON is usually read. */
function membersOf(node: Node): Map<string, Node> {
  const pairs = (node.children ?? []).flatMap(({ children }) => {
    const [key, value] = children ?? [];
    return key === undefined || value === undefined ? [] : [[String(key.value), value] as const];
  });
  return new Map(pairs);
}

function itemsIn(members: ReadonlyMap<string, Node>, name: string): readonly Node[] {
  const node = members.get(name);
  return node?.type === 'array' ? (node.children ?? []) : [];
}

function valueIn(members: ReadonlyMap<string, Node>, name: string): unknown {
  const node = members.get(name);
  return node === undefined ? undefined : getNodeValue(node);
}

/** Where it is wrong; the schema's words for it would quote the value. */
function reasonOf(issues: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): Phrase {
  const path = v.getDotPath(issues[0]);
  return path === null ? phrase('import.not-form') : phrase('import.not-form-at', { path });
}
