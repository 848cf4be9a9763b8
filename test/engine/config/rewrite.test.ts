import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../electron/engine/config/parse.ts';
import { editText, writeAnew } from '../../../electron/engine/config/rewrite.ts';
import { configWith } from './sandbox.ts';
import { rawConfig, wholeConfig } from './arbitrary.ts';

const read = (text: string) => parseConfig(text).config;

/** The text after a change of the configuration in it; a failure where it would be written anew. */
function changed(text: string, parts: object): string {
  const before = read(text);
  const edited = editText(text, before, configWith({ ...before, ...parts }), read);
  if (edited === undefined) throw new Error('the text would be written anew');
  return edited;
}

describe('a change in a text that somebody wrote', () => {
  it('from any configuration to any other one needs no new text', () => {
    fc.assert(
      fc.property(rawConfig, wholeConfig, fc.constantFrom('  ', '\t', undefined), (raw, after, indent) => {
        const text = `// mine\n${JSON.stringify(raw, null, indent)} // all\n`;
        const edited = editText(text, read(text), after, read);
        expect(edited?.startsWith('// mine\n{')).toBe(true);
        expect(edited?.endsWith('} // all\n')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('puts what is new on lines of its own, indented as the others', () => {
    const text =
      '{\n    "version": 1,\n    "rules": [\n        { "id": "a", "match": {}, "action": "block" } // first\n    ]\n}\n';
    const rules = [...read(text).rules, { id: 'b', match: { to: ['x.example'] }, action: 'block' }];
    expect(changed(text, { rules })).toBe(`{
    "version": 1,
    "rules": [
        { "id": "a", "match": {}, "action": "block" }, // first
        {
            "id": "b",
            "match": {
                "to": [
                    "x.example"
                ]
            },
            "action": "block"
        }
    ]
}
`);
  });

  it('takes away one of many and leaves the others as they are', () => {
    const text =
      '{ "version": 1, "rules": [\n  { "id": "a", "match": {}, "action": "block" },\n  // the second\n  { "id": "b", "match": {}, "action": "block" }\n] }';
    const edited = changed(text, { rules: read(text).rules.slice(1) });
    expect(edited).toContain('  // the second\n  { "id": "b", "match": {}, "action": "block" }\n] }');
    expect(edited).not.toContain('"a"');
  });

  it('puts one of many at another place, and what is written round the others stays', () => {
    const rule = (id: string) => `{ "id": "${id}", "match": {}, "action": "block" }`;
    const text = `{ "version": 1, "rules": [
  // the first
  ${rule('a')}, // a
  ${rule('b')}, // b
  /* c */ ${rule('c')}
] }`;
    const [a, b, c] = read(text).rules;
    const edited = changed(text, { rules: [b, c, a] });
    expect(read(edited).rules.map(({ id }) => id)).toEqual(['b', 'c', 'a']);
    expect(edited).toContain(`  ${rule('b')}, // b\n  /* c */ ${rule('c')},`);
    expect(edited).toContain('// the first');
  });

  it('takes the comments of what is moved along, in its braces and behind it', () => {
    const rule = (id: string, line: string) => `{
      // why ${id}
      "id": "${id}", "match": {}, /* all */ "action": "block"
    }${line}`;
    const text = `{ "version": 1, "rules": [
    ${rule('a', ', // a')}
    // before b
    ${rule('b', ',')}
    ${rule('c', ' // c')}
  ]
}`;
    const [a, b, c] = read(text).rules;
    expect(changed(text, { rules: [b, c, a] })).toBe(`{ "version": 1, "rules": [
    // before b
    ${rule('b', ',')}
    ${rule('c', ', // c')}
    ${rule('a', ' // a')}
  ]
}`);
    expect(changed(text, { rules: [c, a, { ...b, action: 'direct' }] })).toBe(`{ "version": 1, "rules": [
    ${rule('c', ', // c')}
    ${rule('a', ', // a')}
    // before b
    ${rule('b', '').replace('"block"', '"direct"')}
  ]
}`);
    const moved = changed(text, { rules: [b, { ...a, action: 'direct' }, c] });
    expect(moved).toContain('// why a');
    expect(moved).toContain('/* all */ "action": "direct"');
  });

  it('keeps every comment inside what is moved, whatever is moved and however it is laid out', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const order = fc.shuffledSubarray(ids, { minLength: 1 });
    const layouts = fc.record({
      before: fc.constantFrom('\n  ', ' ', '\n  // about\n  '),
      behind: fc.constantFrom('', ' // behind', ' /* behind */'),
      end: fc.constantFrom('\n', '\n  // the end\n'),
    });
    fc.assert(
      fc.property(order, layouts, (wanted, { before, behind, end }) => {
        const rules = ids.map(
          (id) => `${before}{ "id": "${id}", /* in ${id} */ "match": {}, "action": "block" }`,
        );
        const list = rules.join(behind.includes('//') ? `,${behind}\n` : `${behind},`);
        const text = `{ "version": 1, "rules": [${list}${behind}${end}] }`;
        const byId = new Map(read(text).rules.map((rule) => [rule.id, rule]));
        const edited = changed(text, { rules: wanted.map((id) => byId.get(id)) });
        for (const id of wanted) expect(edited).toContain(`/* in ${id} */`);
      }),
      { numRuns: 500 },
    );
  });

  it('is written anew where edits do not lead there, as for what is meant to be another text', () => {
    const before = configWith({});
    expect(editText('{ "version": 1, "defaultProfile": "none" }', before, before, read)).toBeUndefined();
    expect(read(writeAnew(before))).toMatchObject(before);
  });
});
