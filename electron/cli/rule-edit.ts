/** `culvert rule ls`, `add`, `move`, `enable`, `disable` and `rm`. */
import { isatty } from 'node:tty';
import { CulvertError } from '#shared/failure.ts';
import { inEnglish } from '#shared/phrase.ts';
import type { Config, Rule } from '#shared/profile.ts';
import {
  addRule,
  ConfigStore,
  disableRule,
  enableRule,
  leavesProxy,
  moveRule,
  nextRuleId,
  removeRule,
  ruleOfForm,
  ruleSentence,
  shadows,
  type RuleForm,
  type Shadow,
} from '#engine';
import { type Column, complain, print, styleFor, table, write } from './output.ts';

const schema = 1;

const columns: readonly Column[] = [
  { title: '#', align: 'right' },
  { title: 'ID' },
  { title: 'STATE' },
  { title: 'RULE' },
  { title: 'WARNING' },
];

export interface RuleListOptions {
  readonly json?: boolean | undefined;
}

/** Why a rule can never decide, in words. */
function shadowWords(shadow: Shadow): string {
  return shadow.kind === 'shadowed'
    ? `never decides: ${shadow.by} before it takes all of it`
    : `never matches: ${inEnglish(shadow.why)}`;
}

/** The rules with their sentences and warnings. */
function rulesWithWords(
  rules: readonly Rule[],
): { position: number; rule: Rule; sentence: string; warning?: string }[] {
  const warnings = new Map(shadows(rules).map((shadow) => [shadow.rule, shadowWords(shadow)]));
  return rules.map((rule, index) => {
    const warning = warnings.get(rule.id);
    const sentence = ruleSentence(rule);
    return { position: index + 1, rule, sentence, ...(warning === undefined ? {} : { warning }) };
  });
}

/** One row of the table. */
export function rowsOf(rules: readonly Rule[]): string[][] {
  return rulesWithWords(rules).map(({ position, rule, sentence, warning }) => [
    String(position),
    rule.id,
    rule.isOff === true ? 'off' : 'on',
    rule.note === undefined ? sentence : `${sentence}  (${rule.note})`,
    warning ?? '',
  ]);
}

/** Throws what reading the configuration may. */
export function listRules(options: RuleListOptions): void {
  const { rules } = ConfigStore.open().read();
  if (options.json === true) {
    const written = rulesWithWords(rules).map(({ rule, ...words }) => ({ ...rule, ...words }));
    print(JSON.stringify({ schema, rules: written }));
    return;
  }
  write(1, table(columns, rowsOf(rules), { isTerminal: isatty(1), style: styleFor(1) }));
}

export interface PlaceOptions {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly first?: boolean | undefined;
  readonly last?: boolean | undefined;
}

export interface RuleAddOptions extends Omit<RuleForm, 'action'>, PlaceOptions {
  readonly id?: string | undefined;
}

/** Prints the id. Throws `rule-invalid`, `rule-unknown`, `option-invalid`, `config-invalid` and what writing may. */
export async function addOneRule(action: string, options: RuleAddOptions): Promise<void> {
  const { before, after, first, last, id: wanted, ...form } = options;
  let id = '';
  const changed = await ConfigStore.open().update((config) => {
    id = wanted ?? nextRuleId(config.rules);
    const rule = ruleOfForm({ ...form, action }, id);
    const position = positionOf(config.rules, { before, after, first, last });
    return { ...config, rules: addRule(config.rules, rule, position) };
  });
  tellWarnings(changed, id);
  print(id);
}

/** Moves a rule. Throws `rule-unknown`, `option-invalid` and what writing may. */
export async function moveOneRule(
  id: string,
  position: string | undefined,
  options: PlaceOptions,
): Promise<void> {
  const changed = await ConfigStore.open().update((config) => {
    const others = config.rules.filter((rule) => rule.id !== id);
    const given = position === undefined ? positionOf(others, options) : numberOf(position, options);
    if (given === undefined)
      throw invalid('say where to: a position, --first, --last, --before ID or --after ID');
    return { ...config, rules: moveRule(config.rules, id, given) };
  });
  tellWarnings(changed, id);
}

/** Changes rules one after the other, all or none. Throws `rule-unknown` and what writing may. */
export async function changeRules(
  change: 'enable' | 'disable' | 'rm',
  ids: readonly [string, ...string[]] | readonly string[],
): Promise<void> {
  const edit = { enable: enableRule, disable: disableRule, rm: removeRule }[change];
  const changed = await ConfigStore.open().update((config) => ({
    ...config,
    rules: ids.reduce<readonly Rule[]>((left, id) => edit(left, id), config.rules).slice(),
  }));
  if (change === 'enable') for (const id of ids) tellWarnings(changed, id);
}

function numberOf(position: string, options: PlaceOptions): number {
  if (Object.values(options).some((value) => value !== undefined))
    throw invalid('a position and an option for it exclude one another');
  const number = /^[0-9]{1,9}$/.test(position) ? Number(position) : 0;
  if (number < 1) throw invalid(`a position is a whole number from 1, not “${position}”`);
  return number;
}

/** From 1; undefined for none given. */
export function positionOf(rules: readonly Rule[], options: PlaceOptions): number | undefined {
  const { before, after, first, last } = options;
  const given = [before, after, first === true ? '' : undefined, last === true ? '' : undefined];
  if (given.filter((place) => place !== undefined).length > 1)
    throw invalid('--before, --after, --first and --last exclude one another');
  if (first === true) return 1;
  if (last === true) return rules.length + 1;
  const neighbour = before ?? after;
  if (neighbour === undefined) return undefined;
  const index = rules.findIndex(({ id }) => id === neighbour);
  if (index === -1) throw new CulvertError('rule-unknown', { detail: neighbour });
  return before === undefined ? index + 2 : index + 1;
}

/** What people should know of a rule that is on now. */
function tellWarnings(config: Config, id: string): void {
  const { rules } = config;
  const rule = rules.find((one) => one.id === id);
  if (rule === undefined || rule.isOff === true) return;
  for (const shadow of shadows(rules)) {
    if (shadow.rule === id || (shadow.kind === 'shadowed' && shadow.by === id))
      complain(
        `rule ${shadow.rule} ${shadowWords(shadow)} — move or remove one of them with \`culvert rule\``,
      );
  }
  if (leavesProxy(config, rule))
    complain(
      `rule ${id} leaves the proxy — what it names goes out directly, so others see this computer’s address — ` +
        `\`culvert rule rm ${id}\` takes it back`,
    );
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
