/** The fields of culvert.json as lines of a manual, out of the JSON schema that editors get. Pure. */

type Json = Readonly<Record<string, unknown>>;

export interface Field {
  /** As `profiles[].chain.mode`. */
  readonly path: string;
  readonly kind: string;
  readonly isRequired: boolean;
  readonly description: string;
}

/** Every field, each after the one that it is in. */
export function fieldsOf(schema: Json, before = ''): Field[] {
  const required = new Set((schema['required'] ?? []) as readonly string[]);
  const properties = Object.entries((schema['properties'] ?? {}) as Readonly<Record<string, Json>>);
  return properties.flatMap(([name, value]) => {
    const path = before === '' ? name : `${before}.${name}`;
    const own = {
      path,
      kind: kindOf(value),
      isRequired: required.has(name),
      description: (value['description'] ?? '') as string,
    };
    return [own, ...below(value, path)];
  });
}

function below(value: Json, path: string): Field[] {
  const items = value['items'] as Json | undefined;
  if (items !== undefined) return fieldsOf(items, `${path}[]`);
  const values = value['additionalProperties'];
  if (typeof values === 'object') return fieldsOf(values as Json, `${path}{}`);
  return fieldsOf(value, path);
}

function kindOf(value: Json): string {
  const choices = value['enum'] as readonly string[] | undefined;
  const usual = value['default'];
  const isPlain = typeof usual === 'string' || typeof usual === 'number';
  const otherwise = isPlain ? `; ${usual} unless said` : '';
  if (choices !== undefined) return `(${choices.join(', ')}${otherwise})`;
  if ('const' in value) return `(${String(value['const'])})`;
  const names: Readonly<Record<string, string>> = {
    array: 'list',
    object: 'table',
    string: 'text',
    integer: 'number',
  };
  const type = String(value['type']);
  return `(${names[type] ?? type}${rangeOf(value)}${otherwise})`;
}

function rangeOf({ minimum, maximum }: Json): string {
  return typeof minimum === 'number' && typeof maximum === 'number' ? ` ${minimum}–${maximum}` : '';
}
