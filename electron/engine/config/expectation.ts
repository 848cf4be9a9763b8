/**
 * What the schema of the configuration expects at a place, and what was found there, as phrases.
 *
 * Must not: repeat a value that may be a secret. Only numbers, and words as short and plain as those that are
 * chosen from a list, are shown; of other texts nothing but the length.
 */
import type * as v from 'valibot';
import { phrase, type Phrase, type Said } from '#shared/phrase.ts';

/** An issue of any of the schemas in shared/profile.ts. */
export type Issue = v.BaseIssue<unknown>;

/** `must be at least 1, found 0`. */
export function expectationOf(issue: Issue): Phrase {
  const expected = expectedBy(issue);
  return issue.type === 'non_empty' ? expected : butFound(expected, issue.input);
}

export function butFound(expected: Phrase, value: unknown): Phrase {
  return phrase('config.but-found', { expected, found: foundValue(value) });
}

function expectedBy(issue: Issue): Phrase {
  const { type, input } = issue;
  const expected = issue.expected ?? '';
  const limit = 'requirement' in issue ? String(issue.requirement) : '';
  switch (type) {
    case 'picklist':
      return phrase('config.one-of', { known: expected.replace(/[()]/g, '').replaceAll(' | ', ', ') });
    case 'literal':
      return phrase('config.literal', { value: expected });
    case 'integer':
      return phrase('config.whole');
    case 'min_value':
      return phrase('config.least', { least: limit });
    case 'max_value':
      return phrase('config.most', { most: limit });
    case 'min_length':
      return Array.isArray(input)
        ? phrase('config.least-entries', { least: limit })
        : phrase('config.least-characters', { least: limit });
    case 'max_length':
      return Array.isArray(input)
        ? phrase('config.most-entries', { most: limit })
        : phrase('config.most-characters', { most: limit });
    case 'non_empty':
      return phrase('config.not-empty');
    case 'regex':
      return phrase('config.form', { form: formOf(issue.message) });
    default:
      return ofType.get(type) ?? phrase('config.literal', { value: expected });
  }
}

const ofType: ReadonlyMap<string, Phrase> = new Map([
  ['string', phrase('config.text')],
  ['number', phrase('config.number')],
  ['boolean', phrase('config.boolean')],
  ['array', phrase('config.list')],
  ['strict_object', phrase('config.object')],
  ['record', phrase('config.object')],
]);

/** What expressions of the schema stand for, by what they say themselves. */
const forms: ReadonlyMap<string, Phrase> = new Map([
  ['small letters, digits and hyphens, at most 40', phrase('config.form-slug')],
  ['64 hexadecimal digits', phrase('config.form-fingerprint')],
  ['a port or a range', phrase('config.form-ports')],
  ['a name of an interface', phrase('config.form-interface')],
]);

function formOf(message: string): Said {
  return forms.get(message) ?? message;
}

/** A value as far as it may be shown. */
function foundValue(value: unknown): Said {
  switch (typeof value) {
    case 'number':
    case 'boolean':
      return String(value);
    case 'string':
      if (value === '') return phrase('config.found-empty');
      return /^[\w.-]{1,20}$/.test(value)
        ? phrase('config.found-word', { word: value })
        : phrase('config.found-text', { length: value.length });
    default:
      if (value === null) return 'null';
      return Array.isArray(value)
        ? phrase('config.found-list', { length: value.length })
        : phrase('config.found-object');
  }
}
