/**
 * Culvert's own JSON: what `exportJson` writes, or a whole configuration file.
 *
 * Does: keep the ids, so that rules find their profiles again. Must not: take anything that the schema does not
 * know; take which app uses what, which belongs to a computer and not to a profile.
 */
import { createScanner, getNodeValue, parseTree, type Node, type ParseError } from 'jsonc-parser';
import * as v from 'valibot';
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
const others: Readonly<Record<string, string>> = {
  apps: 'which app uses which profile is not taken',
  defaultProfile: 'the default profile stays as it is',
  probe: 'what tests ask of the web stays as it is',
  history: 'how long the traffic of the past is kept stays as it is',
};

/** Reads profiles, rules and passwords. Throws `import-invalid` with the line where it is not JSON. */
export function importCulvert(text: string): ImportResult {
  checkTokens(text);
  const lineOf = lineFinder(text);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  if (errors[0] !== undefined) refuse(`line ${lineOf(errors[0].offset)}: this is not JSON`);
  const members = root?.type === 'object' ? membersOf(root) : refuse('this JSON is no object');
  const version = valueIn(members, 'version');
  if (typeof version === 'number' && version > configVersion)
    refuse(`version ${version} is newer than this Culvert`);
  const draft = new Draft('culvert');
  const lists = { profiles: itemsIn(members, 'profiles'), rules: itemsIn(members, 'rules') };
  if (lists.profiles.length > limits.profiles) refuse(`more than ${limits.profiles} profiles`);
  if (lists.rules.length > limits.rules) refuse(`more than ${limits.rules} rules`);
  for (const node of lists.profiles) takeProfile(draft, lineOf(node.offset), getNodeValue(node));
  for (const node of lists.rules) takeRule(draft, lineOf(node.offset), getNodeValue(node));
  for (const node of itemsIn(members, 'secrets')) takeSecret(draft, lineOf(node.offset), getNodeValue(node));
  for (const [name, node] of members) sayOther(draft, name, lineOf(node.offset));
  return draft.finish();
}

function takeProfile(draft: Draft, line: number, value: unknown): void {
  const read = v.safeParse(profileSchema, value);
  if (!read.success) return draft.say(line, 'invalid', 'a profile', reasonOf(read.issues));
  const profile: Profile = { ...read.output, name: nameOf(read.output.name, read.output.id) };
  const shown = `profile ${profile.name}`;
  const { servers } = profile.chain;
  if (new Set(servers.map(({ id }) => id)).size < servers.length) {
    return draft.say(line, 'invalid', shown, 'two of its servers have the same id');
  }
  for (const server of servers) {
    const checked = readServer(server);
    if (!checked.ok) return draft.say(line, 'invalid', shown, `server ${server.id}: ${checked.reason}`);
  }
  if (!hasRewrites(profile))
    return draft.say(line, 'invalid', shown, 'a rewrite is not from address to address');
  if (!draft.keepId('profile', profile.id)) {
    return draft.say(line, 'invalid', shown, `the id “${profile.id}” is taken by another one`);
  }
  draft.profiles.push(profile);
  draft.say(line, 'taken', shown);
}

function hasRewrites({ rewrites = [] }: Profile): boolean {
  return rewrites.every(({ from, to }) => readAddressPort(from).ok && readAddressPort(to).ok);
}

function takeRule(draft: Draft, line: number, value: unknown): void {
  const read = v.safeParse(ruleSchema, value);
  if (!read.success) return draft.say(line, 'invalid', 'a rule', reasonOf(read.issues));
  const rule: Rule = read.output;
  const shown = `rule ${rule.note ?? rule.id}`;
  if (rule.action === 'profile' && rule.profile === undefined) {
    return draft.say(line, 'invalid', shown, 'it names no profile');
  }
  const defect = ruleDefect(rule);
  if (defect !== undefined) return draft.say(line, 'invalid', shown, defect);
  if (!draft.keepId('rule', rule.id)) {
    return draft.say(line, 'invalid', shown, `the id “${rule.id}” is taken by another one`);
  }
  draft.rules.push(rule);
  const named = [...(rule.match.profiles ?? []), ...(rule.profile === undefined ? [] : [rule.profile])];
  const unknown = named.find((id) => draft.profiles.every((profile) => profile.id !== id));
  if (unknown !== undefined)
    draft.say(line, 'taken', shown, `it names the profile “${unknown}”, which is not in this file`);
  else if (rule.match.profiles === undefined) {
    draft.say(line, 'taken', shown, 'it is for all profiles, also for those that are already there');
  } else draft.say(line, 'taken', shown);
}

function takeSecret(draft: Draft, line: number, value: unknown): void {
  const read = v.safeParse(secretSchema, value);
  if (!read.success) return draft.say(line, 'invalid', 'a password', reasonOf(read.issues));
  const { profile, server, password } = read.output;
  const shown = `the password of ${profile}, ${server}`;
  const owner = draft.profiles
    .find(({ id }) => id === profile)
    ?.chain.servers.find(({ id }) => id === server);
  if (owner === undefined) return draft.say(line, 'invalid', shown, 'there is no such server in this file');
  const checked = readServer({ ...owner, password });
  if (!checked.ok) return draft.say(line, 'invalid', shown, checked.reason);
  if (draft.secrets.some((secret) => secret.profile === profile && secret.server === server)) {
    return draft.say(line, 'invalid', shown, 'the file has another one for this server');
  }
  draft.secrets.push({ profile, server, password });
  draft.say(line, 'taken', shown);
}

function sayOther(draft: Draft, name: string, line: number): void {
  const silent = ['culvert', 'version', '$schema', 'profiles', 'rules', 'secrets'];
  if (silent.includes(name)) return;
  if (Object.hasOwn(others, name)) draft.say(line, 'note', name, others[name]);
  else draft.say(line, 'skipped', 'an unknown member', 'Culvert has no such setting');
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
    if (depth > limits.depth) refuse(`nested deeper than ${limits.depth}`);
    if (count > mostTokens) refuse(`more than ${mostTokens} parts of JSON`);
    const scanError: number = scanner.getTokenError();
    const isBroken = token === unknown || scanError !== 0 || depth < 0;
    if (isBroken) refuse(`line ${lineOf(scanner.getTokenOffset())}: this is not JSON`);
  }
  if (depth !== 0) refuse('this JSON ends before its time');
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
function reasonOf(issues: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const path = v.getDotPath(issues[0]);
  return path === null ? 'it is not of the right form' : `“${path}” is not of the right form`;
}
