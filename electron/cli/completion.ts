/** `culvert completion` and, behind it, `culvert complete`: what shells offer while a command is typed. */
import type { Command } from 'commander';
import { CulvertError } from '#shared/failure.ts';
import { builtIns } from '#shared/profile.ts';
import { queryKeys } from '#shared/query.ts';
import { Catalogue, ConfigStore, listLaunchers, ruleSentence } from '#engine';
import { bashScript } from './completion-bash.ts';
import { fishScript } from './completion-fish.ts';
import { completedVerbs, dynamicValues, type DynamicValue } from './completion-tree.ts';
import { zshScript } from './completion-zsh.ts';
import { printable, write } from './output.ts';
import { allLanes } from './ps.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;
/** Longer than this nobody waits behind the Tab key. */
const patienceMs = 1000;

/** Prints the script for a shell. Throws `option-invalid` for another shell. */
export function completion(shell: string, program: Command): void {
  if (!Object.hasOwn(scripts, shell))
    throw new CulvertError('option-invalid', { detail: `the shells are ${Object.keys(scripts).join(', ')}` });
  write(1, scripts[shell as keyof typeof scripts](completedVerbs(program)));
}

type Candidate = readonly [value: string, meaning: string];

/**
 * Prints what there is, a candidate a line, with a tab before what it means. Silent whatever goes wrong: words on the
 * line that somebody is typing would be in the way. Ends the program.
 */
export async function complete(what: string, word: string): Promise<never> {
  setTimeout(() => process.exit(0), patienceMs).unref();
  try {
    const kind = dynamicValues.find((name) => name === what);
    const found = kind === undefined ? [] : await candidates(kind, word);
    const fitting = found.filter(([value]) => value.startsWith(word));
    write(1, fitting.map(([value, meaning]) => `${printable(value)}\t${printable(meaning)}\n`).join(''));
  } catch {
    // No configuration that can be read, no engine: there is nothing to offer.
  }
  return process.exit(0);
}

async function candidates(kind: DynamicValue, word: string): Promise<Candidate[]> {
  switch (kind) {
    case 'profile':
      return [...ConfigStore.open().read().profiles, ...Object.values(builtIns)].map(({ id, name }) => [
        id,
        name,
      ]);
    case 'lane':
      return (await allLanes()).map(({ id, name, profile }) => [id, `${name}, ${profile.name}`]);
    case 'app':
      return apps();
    case 'rule':
      return ConfigStore.open()
        .read()
        .rules.map((rule) => [rule.id, ruleSentence(rule)]);
    case 'launcher':
      return (await listLaunchers()).map(({ id, name }) => [id, name]);
    case 'query':
      return queries(word);
  }
}

async function apps(): Promise<Candidate[]> {
  const installed = (await new Catalogue().shown()).map(({ id, name }): Candidate => [id, name]);
  const known = new Set(installed.map(([id]) => id));
  const bound = Object.keys(ConfigStore.open().read().apps).filter((id) => !known.has(id));
  return [...installed, ...bound.map((id): Candidate => [id, ''])];
}

const statesAndProtocols: Readonly<Record<string, readonly string[]>> = {
  state: ['dialling', 'open', 'closed', 'refused'],
  proto: ['tcp', 'udp'],
};

/** Keys, and behind some of them their values. */
async function queries(word: string): Promise<Candidate[]> {
  const [, sign = '', key] = /^(-?)([a-z]+):/.exec(word) ?? [];
  if (key === undefined) return queryKeys.map((name) => [`${word.startsWith('-') ? '-' : ''}${name}:`, '']);
  const fixed = statesAndProtocols[key]?.map((value): Candidate => [value, '']);
  return (fixed ?? (await queriedValues(key))).map(([value, meaning]) => [`${sign}${key}:${value}`, meaning]);
}

async function queriedValues(key: string): Promise<Candidate[]> {
  if (key === 'app') return [...new Set((await allLanes()).map(({ app }) => app))].map((app) => [app, '']);
  const kind = (['profile', 'lane', 'rule'] as const).find((name) => name === key);
  return kind === undefined ? [] : candidates(kind, '');
}
