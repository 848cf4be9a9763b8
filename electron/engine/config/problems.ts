/**
 * What is wrong with a configuration, as phrases: the place in the file, the field, what is expected there and what
 * was found (expectation.ts).
 */
import * as v from 'valibot';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import { config as configSchema } from '#shared/profile.ts';
import { butFound, expectationOf } from './expectation.ts';

export type Path = readonly (string | number)[];

export interface Place {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  /** Where in the configuration; empty for the whole of it. */
  readonly path: Path;
  readonly message: Phrase;
  readonly place?: Place | undefined;
}

/** How many problems one failure tells; of the others the number. */
const mostTold = 10;
/** Keys that JavaScript gives a meaning to. */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const secretKeys = /^(pass|passwd|password|passphrase|secret|token|auth|credentials?)$/i;

/** The failure that tells them all: `culvert.json:3:7 field profiles[0].name: must not be empty; …`. */
export function invalidConfig(problems: readonly Problem[], file?: string): InvalidConfig {
  return new InvalidConfig(problems, file);
}

/** `config-invalid`, with the problems as data for whoever tells them of something else than the whole. */
export class InvalidConfig extends CulvertError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], file: string | undefined) {
    super('config-invalid', { detail: detailOf(problems, file) });
    this.name = 'InvalidConfig';
    this.problems = problems;
  }
}

function detailOf(problems: readonly Problem[], file: string | undefined): Phrase {
  const told = problems.slice(0, mostTold).map((problem) => toldProblem(problem, file));
  const more = problems.length - told.length;
  const all = [...told, ...(more > 0 ? [phrase('config.more', { n: more })] : [])];
  return phrase('config.problems', { all: { clauses: all } });
}

function toldProblem({ path, message: why, place }: Problem, file: string | undefined): Phrase {
  const field = formatPath(path);
  if (file === undefined) return field === '' ? why : phrase('config.in-field', { field, why });
  const where = place === undefined ? file : `${file}:${place.line}:${place.column}`;
  return field === ''
    ? phrase('config.at-place', { place: where, why })
    : phrase('config.in-place', { place: where, field, why });
}

/** `profiles[0].chain.servers[1].port`; a key that is no plain word is quoted, a long one cut. */
function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (/^[\w$-]{1,60}$/.test(part)) return text === '' ? part : `${text}.${part}`;
    return `${text}[${JSON.stringify(part.length > 60 ? `${part.slice(0, 60)}…` : part)}]`;
  }, '');
}

/** Everything the schema has to say against a value, and nothing when it agrees. */
export function schemaProblems(
  value: unknown,
): { config: v.InferOutput<typeof configSchema> } | { problems: Problem[] } {
  const result = v.safeParse(configSchema, value);
  const more = overlooked(value, configSchema as Shape, []);
  if (result.success && more.length === 0) return { config: result.output };
  // Of a list in the place of an object it is enough to say that.
  const isSaid = ({ path }: Problem) => more.some((said) => said.path.every((part, at) => part === path[at]));
  const problems = (result.issues ?? []).flatMap(problemsOf).filter((problem) => !isSaid(problem));
  return { problems: [...more, ...problems] };
}

/** What the schema library accepts without a word: lists in the place of objects, and names that it leaves out. */
function overlooked(value: unknown, given: Shape | undefined, path: Path): Problem[] {
  const shape = unwrapped(given);
  if (shape === undefined || typeof value !== 'object' || value === null) return [];
  if (shape.item !== undefined)
    return Array.isArray(value)
      ? value.flatMap((item, at) => overlooked(item, shape.item, [...path, at]))
      : [];
  if (shape.entries === undefined && shape.value === undefined) return [];
  if (Array.isArray(value)) return [{ path, message: butFound(phrase('config.object'), value) }];
  return Object.entries(value).flatMap(([key, below]) => {
    if (shape.entries !== undefined) return overlooked(below, shape.entries[key], [...path, key]);
    if (forbiddenKeys.has(key)) return [{ path: [...path, key], message: phrase('config.key-forbidden') }];
    return overlooked(below, shape.value, [...path, key]);
  });
}

type Issue = v.InferIssue<typeof configSchema>;

function problemsOf(issue: Issue): Problem[] {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  if (issue.type !== 'strict_object' || issue.path?.at(-1)?.origin !== 'key')
    return [{ path, message: expectationOf(issue) }];
  if (issue.expected !== 'never') return [{ path, message: phrase('config.missing') }];
  // The schema library tells only the first key that an object should not have.
  const holder = path.slice(0, -1);
  const known = keysAt(holder);
  const given = Object.keys((issue.path.at(-1) as { input: object }).input);
  return given
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [...holder, key], message: unknownField(key, known) }));
}

function unknownField(key: string, known: readonly string[]): Phrase {
  if (secretKeys.test(key)) return phrase('config.secret-field');
  return phrase('config.field-unknown', { known: known.join(', ') });
}

/** What a schema is underneath `optional`, without naming each of valibot's generics. */
interface Shape {
  readonly wrapped?: Shape;
  readonly entries?: Readonly<Record<string, Shape>>;
  readonly item?: Shape;
  readonly value?: Shape;
}

function keysAt(path: Path): string[] {
  let shape = unwrapped(configSchema as Shape);
  for (const part of path) {
    const below = shape?.item ?? (shape?.entries === undefined ? shape?.value : shape.entries[String(part)]);
    shape = unwrapped(below);
  }
  return Object.keys(shape?.entries ?? {});
}

function unwrapped(shape: Shape | undefined): Shape | undefined {
  return shape?.wrapped === undefined ? shape : unwrapped(shape.wrapped);
}
