/**
 * `culvert.schema.json`, by which editors complete and check culvert.json: draft-07, made from the schema that the
 * configuration is read with. Pure.
 *
 * A construct of that schema that is not known here throws, so that the two cannot drift apart unseen.
 */
import { config } from '#shared/profile.ts';
import { descriptions } from './field-descriptions.ts';

type Json = Readonly<Record<string, unknown>>;

/** What valibot keeps of a schema or of one check in a pipe, as far as the configuration uses it. */
interface Part {
  readonly type: string;
  readonly kind: 'schema' | 'validation' | 'transformation' | 'metadata';
  readonly pipe?: readonly Part[];
  readonly wrapped?: Part;
  readonly default?: unknown;
  readonly entries?: Readonly<Record<string, Part>>;
  readonly item?: Part;
  readonly key?: Part;
  readonly value?: Part;
  readonly options?: readonly string[];
  readonly literal?: unknown;
  readonly requirement?: unknown;
}

let made: string | undefined;

/** The whole file. */
export function schemaText(): string {
  made ??= `${JSON.stringify(jsonSchema(), null, 2)}\n`;
  return made;
}

/** The schema as a value. */
export function jsonSchema(): Json {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of Culvert',
    ...convert(config, ''),
  };
}

/** `path` is written as in field-descriptions.ts. */
function convert(part: Part, path: string): Json {
  const description = descriptions[path];
  const about = description === undefined ? {} : { description };
  if (part.type === 'optional' && part.wrapped !== undefined) {
    const fallback = part.default === undefined ? {} : { default: part.default };
    return { ...convert(part.wrapped, path), ...fallback };
  }
  const checks = (part.pipe ?? []).filter(({ kind }) => kind === 'validation');
  const base = convertBase(part, path);
  return checks.reduce<Json>((schema, check) => ({ ...schema, ...convertCheck(check, base) }), {
    ...about,
    ...base,
  });
}

function convertBase(part: Part, path: string): Json {
  switch (part.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type: part.type };
    case 'picklist':
      return { enum: part.options };
    case 'literal':
      return { const: part.literal };
    case 'array':
      return { type: 'array', items: convertKnown(part.item, `${path}[]`) };
    case 'record':
      return {
        type: 'object',
        propertyNames: convertKnown(part.key, `${path}{name}`),
        additionalProperties: convertKnown(part.value, `${path}{}`),
      };
    case 'strict_object':
      return convertObject(part.entries ?? {}, path);
    default:
      throw new Error(`no JSON schema for ${part.type} at ${path}`);
  }
}

function convertKnown(part: Part | undefined, path: string): Json {
  if (part === undefined) throw new Error(`no schema at ${path}`);
  return convert(part, path);
}

function convertObject(entries: Readonly<Record<string, Part>>, path: string): Json {
  const below = (name: string) => (path === '' ? name : `${path}.${name}`);
  const properties = Object.entries(entries).map(
    ([name, part]) => [name, convert(part, below(name))] as const,
  );
  const required = Object.keys(entries).filter((name) => entries[name]?.type !== 'optional');
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
}

function convertCheck({ type, requirement }: Part, base: Json): Json {
  const isList = base['type'] === 'array';
  switch (type) {
    case 'regex':
      return { pattern: patternOf(requirement) };
    case 'integer':
      return { type: 'integer' };
    case 'non_empty':
      return { minLength: 1 };
    case 'min_length':
      return { [isList ? 'minItems' : 'minLength']: requirement };
    case 'max_length':
      return { [isList ? 'maxItems' : 'maxLength']: requirement };
    case 'min_value':
      return { minimum: requirement };
    case 'max_value':
      return { maximum: requirement };
    default:
      throw new Error(`no JSON schema for the check ${type}`);
  }
}

/** A pattern of JSON Schema has no flags. */
function patternOf(requirement: unknown): string {
  if (!(requirement instanceof RegExp) || requirement.flags !== '')
    throw new Error(`no pattern for ${String(requirement)}`);
  return requirement.source;
}
