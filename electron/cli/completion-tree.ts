/**
 * The command line as shells complete it: commander's tree of verbs with what can stand in each place. Pure.
 *
 * What a value can be is told by its placeholder (`<profile>`, `<lane>`) or, where that is a word such as `<mode>`, by
 * the table below: commander knows of choices only where it refuses all others itself.
 */
import type { Argument, Command, Option } from 'commander';
import { dnsModes, isolations } from '#shared/model.ts';
import { chainModes } from '#shared/profile.ts';

/** What `culvert complete` can list. */
export const dynamicValues = ['profile', 'lane', 'app', 'rule', 'launcher', 'query'] as const;
export type DynamicValue = (typeof dynamicValues)[number];

/** What can stand in a place; `none` is anything that nobody can guess. */
export type Values =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: DynamicValue | 'file' | 'command' | 'none' };

export interface CompletedOption {
  /** `-p`, `--profile`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Missing for an option without a value. */
  readonly values?: Values;
}

export interface CompletedVerb {
  /** Empty for `culvert` itself. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly verbs: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly CompletedOption[];
  readonly operands: readonly Values[];
  /** The last operand may come again and again. */
  readonly isVariadic: boolean;
}

const allowOrBlock = ['allow', 'block'];
const actions = ['proxy', 'direct', 'block'];
const shells = ['bash', 'zsh', 'fish'];
/** By `--option <placeholder>` or `verb <placeholder>`. */
const words: Readonly<Record<string, readonly string[]>> = {
  '--isolation <way>': isolations,
  '--chain <mode>': chainModes,
  '--dns <mode>': dnsModes,
  '--udp <choice>': allowOrBlock,
  '--ipv6 <choice>': allowOrBlock,
  '--lan <choice>': ['profile', 'direct', 'block'],
  '--action <action>': actions,
  '--protocol <protocol>': ['tcp', 'udp'],
  '--by <what>': ['lane', 'app', 'profile'],
  'add <action>': [...actions, 'profile:'],
  'completion <shell>': shells,
};
/** By the option, where its placeholder says too little. */
const kindsOfOptions: Readonly<Record<string, DynamicValue>> = { '--profile': 'profile', '--app': 'app' };
/** By the placeholder. */
const kinds: Readonly<Record<string, Exclude<Values['kind'], 'words'>>> = {
  profile: 'profile',
  lane: 'lane',
  app: 'app',
  rule: 'rule',
  launcher: 'launcher',
  query: 'query',
  command: 'command',
  file: 'file',
  path: 'file',
  target: 'file',
};

/** The program's verbs and all below them; hidden ones are left out. */
export function completedVerbs(program: Command): CompletedVerb[] {
  const verbs: CompletedVerb[] = [];
  const walk = (command: Command, path: readonly string[]): void => {
    const help = command.createHelp();
    const below = help.visibleCommands(command);
    verbs.push({
      path,
      summary: command.summary(),
      verbs: below.map((verb) => ({ name: verb.name(), summary: verb.summary() || verb.description() })),
      options: help.visibleOptions(command).map(completedOption),
      operands: command.registeredArguments.map((argument) => operandOf(command, argument)),
      isVariadic: command.registeredArguments.at(-1)?.variadic ?? false,
    });
    for (const verb of below) {
      if (verb.name() === 'help') verbs.push(helpVerb([...path, 'help'], below));
      else walk(verb, [...path, verb.name()]);
    }
  };
  walk(program, []);
  return verbs;
}

function helpVerb(path: readonly string[], below: readonly Command[]): CompletedVerb {
  const names = below.map((verb) => verb.name()).filter((name) => name !== 'help');
  const operands = [{ kind: 'words', words: names } as const];
  return { path, summary: '', verbs: [], options: [], operands, isVariadic: false };
}

function completedOption({
  short,
  long,
  flags,
  description,
  required,
  optional,
  argChoices,
}: Option): CompletedOption {
  const names = [short, long].filter((name) => name !== undefined);
  if (!required && !optional) return { names, description };
  const placeholder = /[<[]([^>\]]*?)(?:\.\.\.)?[>\]]/.exec(flags)?.[1] ?? '';
  const kind = kindsOfOptions[long ?? ''] ?? kinds[placeholder] ?? 'none';
  const known = argChoices ?? words[`${long ?? ''} <${placeholder}>`];
  return { names, description, values: known === undefined ? { kind } : { kind: 'words', words: known } };
}

function operandOf(command: Command, argument: Argument): Values {
  const name = argument.name();
  const known = argument.argChoices ?? words[`${command.name()} <${name}>`];
  return known === undefined ? { kind: kinds[name] ?? 'none' } : { kind: 'words', words: known };
}

/** A place in one word for scripts: `=a b c`, `@profile`, `file`, `command` or `none`. */
export function placeOf(values: Values): string {
  if (values.kind === 'words') return `=${values.words.join(' ')}`;
  const isDynamic = dynamicValues.some((kind) => kind === values.kind);
  return isDynamic ? `@${values.kind}` : values.kind;
}

/** The places of a verb's operands, with `;` between them; `...` behind a last one that comes again. */
export function placesOf({ operands, isVariadic }: CompletedVerb): string {
  return operands.map(placeOf).join(';') + (isVariadic ? '...' : '');
}

/** A text in single quotes of a POSIX shell. */
export function quotedForShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
