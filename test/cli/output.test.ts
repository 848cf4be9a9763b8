import { describe, expect, test } from 'vitest';
import {
  count,
  formatBytes,
  formatDuration,
  printable,
  table,
  wantsColour,
} from '../../electron/cli/output.ts';

const columns = [{ title: 'NAME' }, { title: 'SIZE', align: 'right' as const }];

describe('a table', () => {
  test('on a terminal has headings and aligned columns, without spaces at line ends', () => {
    const rows = [
      ['curl', '1 KiB'],
      ['a', '20 KiB'],
    ];
    expect(table(columns, rows, { isTerminal: true })).toBe(
      ['NAME    SIZE', 'curl   1 KiB', 'a     20 KiB', ''].join('\n'),
    );
  });

  test('in a pipe is one row a line, separated by tabs, without headings', () => {
    expect(table(columns, [['a b', '1']], { isTerminal: false })).toBe('a b\t1\n');
  });

  test('without rows is nothing at all', () => {
    expect(table(columns, [], { isTerminal: true })).toBe('');
  });

  test('keeps a name from breaking the row or driving the terminal', () => {
    const text = table(columns, [['x\n\u001b]0;owned\u0007\ty', '1']], { isTerminal: false });
    expect(text.split('\n')).toHaveLength(2);
    expect(text.split('\t')).toHaveLength(2);
    expect(text).not.toContain('\u001b');
  });
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1 KiB'],
  [1536, '1.5 KiB'],
  [102_400, '100 KiB'],
  [1_048_575, '1 MiB'],
  [16 * 1024 * 1024, '16 MiB'],
  [5 * 1024 ** 4, '5 TiB'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [-5, '0s'],
  [59_999, '59s'],
  [200_000, '3m 20s'],
  [18_720_000, '5h 12m'],
  [3 * 86_400_000 + 3_600_000, '3d 1h'],
])('%d ms are shown as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('colour is for terminals that are not dumb, and never against NO_COLOR', () => {
  expect(wantsColour(true, { TERM: 'xterm' })).toBe(true);
  expect(wantsColour(false, { TERM: 'xterm' })).toBe(false);
  expect(wantsColour(true, { TERM: 'dumb' })).toBe(false);
  expect(wantsColour(true, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColour(true, { NO_COLOR: '' })).toBe(true);
});

test('printable text has neither control characters nor ones that turn the reading direction', () => {
  expect(printable('a\u0000b\u007fc\u009bd\u202ee\u2028f')).toBe('a�b�c�d�e�f');
  expect(printable('Grüße, 世界')).toBe('Grüße, 世界');
});

test('one is singular', () => {
  expect([count(0, 'flow'), count(1, 'flow'), count(2, 'process', 'processes')]).toEqual([
    '0 flows',
    '1 flow',
    '2 processes',
  ]);
});
