import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkConfig, parseConfig } from '../../../electron/engine/config/parse.ts';
import { schemaProblems } from '../../../electron/engine/config/problems.ts';
import { writeAnew } from '../../../electron/engine/config/rewrite.ts';
import { CulvertError } from '../../../electron/shared/failure.ts';
import { brokenConfig, wholeConfig } from './arbitrary.ts';
import { said, saidOf, withServer } from './said.ts';

describe('the text of a configuration', () => {
  it('may have comments and trailing commas', () => {
    expect(parseConfig('{ // one\n "version": 1, /* two */ "profiles": [ ], }').config).toEqual(
      checkConfig({ version: 1 }),
    );
  });

  it('is told every problem with line, column, field, what is expected and what was found', () => {
    const text = `{
  "version": 1,
  "profiles": [
    { "id": "work", "name": "", "chain": { "servers": [
      { "id": "a", "kind": "socks6", "host": "h", "port": 70000 } ] } }
  ],
  "rules": {}
}`;
    expect(said(text)).toEqual([
      'culvert.json:4:29 field profiles[0].name: must not be empty',
      'culvert.json:5:28 field profiles[0].chain.servers[0].kind: must be one of "socks5", "socks4", "socks4a", "http", "https", found “socks6”',
      'culvert.json:5:59 field profiles[0].chain.servers[0].port: must be at most 65535, found 70000',
      'culvert.json:7:12 field rules: must be a list, found an object',
    ]);
  });

  it.each([
    ['', 'culvert.json: the file is empty'],
    ['{ "version": 1', 'culvert.json:1:15: a closing brace } is missing here'],
    ['{\n  "version" 1\n}', 'culvert.json:2:13: a colon is missing here'],
    ['{ "version": 1 "apps": {} }', 'culvert.json:1:16: a comma is missing here'],
    ['{ "version": 1, "version": 1 }', 'culvert.json:1:17 field version: is given twice'],
    ['[]', 'culvert.json:1:1: must be an object in braces, found a list of 0'],
    ['{}', 'culvert.json:1:1 field version: is missing'],
    ['{ "version": "1" }', 'culvert.json:1:14 field version: must be 1, found “1”'],
    ['{ "version": 0 }', 'culvert.json:1:14 field version: must be 1, found 0'],
    [
      '{ "version": 1, "apps": { "__proto__": "x" } }',
      'culvert.json:1:27 field apps.__proto__: this name cannot be used',
    ],
    [
      '{ "version": 1, "apps": { "constructor": "x" } }',
      'culvert.json:1:27 field apps.constructor: this name cannot be used',
    ],
  ])('%j is refused: %s', (text, reason) => {
    expect(said(text)[0]).toBe(reason);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('may not nest without end', () => {
    expect(said('['.repeat(3_000_000))).toEqual(['culvert.json:1:65: this is nested too deeply']);
  });

  it('tells ten problems and the number of the others', () => {
    const problems = saidOf({ profiles: Array.from({ length: 25 }, () => ({})) });
    expect(problems).toHaveLength(11);
    expect(problems[10]).toBe('and 40 more');
  });

  it('with a password in it is told where passwords are kept, and not the password', () => {
    const [problem = ''] = saidOf(withServer({ password: 'hunter2-canary', pasword: 'hunter2-canary' }));
    expect(problem).toContain(
      'field profiles[0].chain.servers[0].password: passwords are not kept in this file',
    );
    expect(problem).toContain('--password-stdin');
    expect(saidOf(withServer({ password: 'canary', pasword: 'canary' })).join()).not.toContain('canary');
    expect(saidOf(withServer({ host: 'socks5://me:canary@host' })).join()).not.toContain('canary');
    expect(saidOf(withServer({ kind: 'socks5://me:canary@host' })).join()).not.toContain('canary');
  });

  it('of an older version is brought to this one step by step', () => {
    const steps = {
      [-1]: (raw: object) => ({ ...raw, version: 0, list: ['work'] }),
      [0]: (raw: Readonly<Record<string, unknown>>) => {
        const { list, ...rest } = raw;
        return { ...rest, version: 1, profiles: (list as string[]).map((id) => ({ id, name: id })) };
      },
    };
    const parsed = parseConfig('{ "version": -1 }', 'culvert.json', steps);
    expect([parsed.migratedFrom, parsed.config.profiles[0]?.id]).toEqual([-1, 'work']);
    const wrong = () => parseConfig('{ "version": 0, "list": ["A B"] }', 'culvert.json', steps);
    expect(wrong).toThrow('culvert.json field profiles[0].id: must be small letters, digits and hyphens');
  });
});

describe('any text at all', () => {
  const isAccepted = (text: string) => {
    try {
      parseConfig(text);
      return true;
    } catch (error) {
      if (error instanceof CulvertError) return false;
      throw error;
    }
  };

  it('is a configuration or a failure of ours: random texts', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\',
      '//',
      '/*',
      '"version"',
      '1',
      'null',
      '\n',
      '"apps"',
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void isAccepted(text)),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(
        fc.array(pieces).map((parts) => parts.join('')),
        (text) => void isAccepted(text),
      ),
      { numRuns: 2000 },
    );
  });

  it('is a configuration or a failure of ours: texts that were one, with something changed', () => {
    fc.assert(
      fc.property(
        wholeConfig,
        fc.nat(),
        fc.nat(40),
        fc.string({ maxLength: 5 }),
        (config, at, length, put) => {
          const text = writeAnew(config);
          expect(parseConfig(text).config).toEqual({ $schema: './culvert.schema.json', ...config });
          const from = at % text.length;
          isAccepted(text.slice(0, from) + put + text.slice(from + length));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('has no word of a canary in its failure, wherever a URL with it is put', () => {
    fc.assert(
      fc.property(brokenConfig('socks5://me:canary@host'), (value) => {
        const result = schemaProblems(value);
        const problems: object = 'problems' in result ? result.problems : {};
        expect(JSON.stringify(problems)).not.toContain('canary');
      }),
      { numRuns: 500 },
    );
  });
});
