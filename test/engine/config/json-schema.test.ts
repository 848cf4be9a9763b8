import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { descriptions } from '../../../electron/engine/config/field-descriptions.ts';
import { jsonSchema } from '../../../electron/engine/config/json-schema.ts';
import { schemaProblems } from '../../../electron/engine/config/problems.ts';
import { brokenConfig, wholeConfig } from './arbitrary.ts';

describe('the JSON schema', () => {
  const agrees = new Ajv().compile(jsonSchema());
  const isAccepted = (value: unknown) => 'config' in schemaProblems(value);

  it('accepts what the configuration accepts', () => {
    fc.assert(
      fc.property(wholeConfig, (config) => {
        expect(agrees(config)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('accepts and refuses the same documents, whatever is put into them', () => {
    let refused = 0;
    const odd = fc.oneof(
      fc.constantFrom<unknown>(
        '',
        'x',
        'A',
        'a-b',
        '#12345g',
        '#aBcDeF',
        '443',
        '1-2',
        0,
        1,
        -1,
        1.5,
        65_536,
        99,
        100,
        true,
        null,
        [],
        {},
      ),
      fc.constantFrom<unknown>(
        'socks5',
        'proxy',
        'direct',
        'fake',
        'a'.repeat(41),
        'a'.repeat(300),
        [''],
        ['x'],
        [1],
        { x: 1 },
      ),
    );
    fc.assert(
      fc.property(odd.chain(brokenConfig), (value) => {
        const isFine = isAccepted(value);
        if (!isFine) refused += 1;
        expect([agrees(value), value]).toEqual([isFine, value]);
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(500);
    expect(refused).toBeLessThan(1990);
  });

  it('describes every field, and nothing that is not there', () => {
    const found: string[] = [];
    const walk = (schema: Record<string, unknown>, path: string) => {
      if (path !== '' && schema['description'] !== undefined) found.push(path);
      const properties = (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>;
      for (const [name, below] of Object.entries(properties)) {
        const at = path === '' ? name : `${path}.${name}`;
        expect([at, below['description']]).toEqual([at, expect.any(String)]);
        walk(below, at);
      }
      if (schema['items'] !== undefined) walk(schema['items'] as Record<string, unknown>, `${path}[]`);
      if (typeof schema['additionalProperties'] === 'object')
        walk(schema['additionalProperties'] as Record<string, unknown>, `${path}{}`);
      if (schema['propertyNames'] !== undefined)
        walk(schema['propertyNames'] as Record<string, unknown>, `${path}{name}`);
    };
    walk(jsonSchema(), '');
    expect(found.sort()).toEqual(Object.keys(descriptions).sort());
  });
});
