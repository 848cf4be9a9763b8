/**
 * What is wrong with a configuration, in words: the place in the file, the field, what is expected there and what
 * was found.
 *
 * Must not: repeat a value that may be a secret. Only numbers, and words as short and plain as those that are
 * chosen from a list, are shown; of other texts nothing but the length.
 */
import * as v from 'valibot';
import { CulvertError } from '#shared/failure.ts';
import { config as configSchema } from '#shared/profile.ts';

export type Path = readonly (string | number)[];

export interface Place {
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  /** Where in the configuration; empty for the whole of it. */
  readonly path: Path;
  readonly message: string;
  readonly place?: Place | undefined;
}

/** How many problems one failure tells; of the others the number. */
const mostTold = 10;
/** Keys that JavaScript gives a meaning to. */
export const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);
const secretKeys = /^(pass|passwd|password|passphrase|secret|token|auth|credentials?)$/i;

/** The failure that tells them all: `culvert.json:3:7 field profiles[0].name: must not be empty; …`. */
export function invalidConfig(problems: readonly Problem[], file?: string): CulvertError {
  const told = problems.slice(0, mostTold).map((problem) => formatProblem(problem, file));
  const more = problems.length - told.length;
  const detail = [...told, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  return new CulvertError('config-invalid', { detail });
}

function formatProblem({ path, message, place }: Problem, file: string | undefined): string {
  const where = place === undefined ? '' : `:${place.line}:${place.column}`;
  const field = path.length === 0 ? '' : `field ${formatPath(path)}`;
  const head = [...(file === undefined ? [] : [`${file}${where}`]), ...(field === '' ? [] : [field])].join(
    ' ',
  );
  return head === '' ? message : `${head}: ${message}`;
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
  if (Array.isArray(value))
    return [{ path, message: `must be ${nouns['record']}, found ${showValue(value)}` }];
  return Object.entries(value).flatMap(([key, below]) => {
    if (shape.entries !== undefined) return overlooked(below, shape.entries[key], [...path, key]);
    if (forbiddenKeys.has(key)) return [{ path: [...path, key], message: 'this name cannot be used' }];
    return overlooked(below, shape.value, [...path, key]);
  });
}

type Issue = v.InferIssue<typeof configSchema>;

function problemsOf(issue: Issue): Problem[] {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  if (issue.type !== 'strict_object' || issue.path?.at(-1)?.origin !== 'key')
    return [{ path, message: `${expectation(issue)}${found(issue)}` }];
  if (issue.expected !== 'never') return [{ path, message: 'is missing' }];
  // The schema library tells only the first key that an object should not have.
  const holder = path.slice(0, -1);
  const known = keysAt(holder);
  const given = Object.keys((issue.path.at(-1) as { input: object }).input);
  return given
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [...holder, key], message: unknownField(key, known) }));
}

function unknownField(key: string, known: readonly string[]): string {
  if (secretKeys.test(key))
    return (
      'passwords are not kept in this file but in the keyring: delete this field and set the password with ' +
      '`culvert profile edit PROFILE --password-stdin`'
    );
  return `is not known; possible here are ${known.join(', ')}`;
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

const nouns: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  strict_object: 'an object in braces',
  record: 'an object in braces',
};

function expectation(issue: Issue): string {
  switch (issue.type) {
    case 'picklist':
      return `must be one of ${issue.expected.replace(/[()]/g, '').replaceAll(' | ', ', ')}`;
    case 'literal':
      return `must be ${issue.expected}`;
    case 'integer':
      return 'must be a whole number';
    case 'min_value':
      return `must be at least ${String(issue.requirement)}`;
    case 'max_value':
      return `must be at most ${String(issue.requirement)}`;
    case 'min_length':
      return `must have at least ${String(issue.requirement)} characters`;
    case 'max_length':
      return `must have at most ${String(issue.requirement)} ${Array.isArray(issue.input) ? 'entries' : 'characters'}`;
    case 'non_empty':
      return 'must not be empty';
    case 'regex':
      return `must be ${issue.message}`;
    default:
      return `must be ${nouns[issue.type] ?? issue.expected}`;
  }
}

function found({ input, type }: Issue): string {
  if (type === 'non_empty') return '';
  return `, found ${showValue(input)}`;
}

/** A value as far as it may be shown. */
export function showValue(value: unknown): string {
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return String(value);
    case 'string':
      if (value === '') return 'an empty text';
      return /^[\w.-]{1,20}$/.test(value) ? `“${value}”` : `a text of ${value.length} characters`;
    default:
      if (value === null) return 'null';
      return Array.isArray(value) ? `a list of ${value.length}` : 'an object';
  }
}
