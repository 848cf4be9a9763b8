// @vitest-environment happy-dom
/** Both languages are complete, every text is used, and none is written in a component. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatBytes, formatDuration, formatRate } from '../../renderer/format.ts';
import { chooseLanguage, i18n } from '../../renderer/i18n.ts';

type Messages = { readonly [key: string]: string | Messages };

const renderer = join(process.cwd(), 'renderer');
const read = (path: string) => readFileSync(join(renderer, path), 'utf8');
const filesOf = (language: string) =>
  readdirSync(join(renderer, 'locales', language)).filter((name) => name.endsWith('.json'));
const messagesOf = (language: string) =>
  new Map(
    filesOf(language).flatMap((name) => [
      ...flatten(JSON.parse(read(`locales/${language}/${name}`)) as Messages),
    ]),
  );
const english = messagesOf('en');
const chinese = messagesOf('zh-CN');
const sources = readdirSync(renderer, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.(vue|ts)$/.test(name),
);
const code = sources.map(read).join('\n');

function flatten(messages: Messages, prefix = ''): Map<string, string> {
  const entries = Object.entries(messages).flatMap(([key, value]) =>
    typeof value === 'string'
      ? ([[`${prefix}${key}`, value]] as [string, string][])
      : [...flatten(value, `${prefix}${key}.`)],
  );
  return new Map(entries);
}
const slots = (text: string | undefined) => [...new Set(text?.match(/\{\w+\}/g) ?? [])].toSorted();

test('Chinese says all that English says, with the same places to fill', () => {
  expect([...chinese.keys()].toSorted()).toEqual([...english.keys()].toSorted());
  const differing = [...english].filter(([key, text]) => {
    const [there, here] = [slots(chinese.get(key)), slots(text)];
    return there.join() !== here.join();
  });
  expect(differing).toEqual([]);
});

test('both languages have the same files, and no key is in two of them', () => {
  expect(filesOf('zh-CN')).toEqual(filesOf('en'));
  const keys = filesOf('en').flatMap((name) => [
    ...flatten(JSON.parse(read(`locales/en/${name}`)) as Messages).keys(),
  ]);
  expect(keys.length).toBe(new Set(keys).size);
});

test('every text is asked for somewhere, and every text that is asked for is there', () => {
  const asked = new Set(
    [...code.matchAll(/\bt\(\s*(?:isForced \? )?'([\w.-]+)'/g)].map(([, key]) => key ?? ''),
  );
  expect([...asked].filter((key) => !english.has(key))).toEqual([]);
  // Keys that are put together: `screen.${name}` asks for all that begin so.
  const begun = [...code.matchAll(/`([\w.]+\.)\$\{/g)].map(([, start]) => start ?? '');
  const unused = [...english.keys()].filter(
    (key) => !code.includes(`'${key}'`) && !begun.some((start) => key.startsWith(start)),
  );
  expect(unused).toEqual([]);
});

test('no component has words of its own', () => {
  const words = sources
    .filter((name) => name.endsWith('.vue'))
    .flatMap((name) => {
      const template = /<template>([\s\S]*)<\/template>/.exec(read(name))?.[1] ?? '';
      const texts = [
        ...template.replaceAll(/\{\{[\s\S]*?\}\}/g, '').matchAll(/>([^<>]*[A-Za-z]{2}[^<>]*)</g),
      ];
      return texts.map(([, text]) => `${name}: ${text?.trim()}`);
    })
    // The product's name, keys of a keyboard, a unit.
    .filter((text) => !/: (Culvert|Ctrl K|ms)$/.test(text));
  expect(words).toEqual([]);
});

test('messages are compiled before they are here', () => {
  const message: unknown = i18n.global.getLocaleMessage('en').screen.running;
  expect(typeof message).not.toBe('string');
});

test('Chinese counts none, one and many as they are', () => {
  const { t, locale } = i18n.global;
  locale.value = 'zh-CN';
  const said = [0, 1, 2].map((n) => t('running.connections', { n }, n));
  locale.value = 'en';
  expect(said).toEqual(['没有连接', '1 个连接', '2 个连接']);
});

test('the language is the chosen one, else the first of the desktop’s that there is', () => {
  expect(chooseLanguage('zh-CN', ['en'])).toBe('zh-CN');
  expect(chooseLanguage('system', ['de-DE', 'zh-Hans-CN', 'en'])).toBe('zh-CN');
  expect(chooseLanguage('system', ['zh-TW', 'en-GB'])).toBe('en');
  expect(chooseLanguage('system', ['c', '', 'zh-CN'])).toBe('zh-CN');
  expect(chooseLanguage('system', [])).toBe('en');
});

test('figures are written as the language writes them', () => {
  expect(formatBytes('en', 0)).toBe('0 kB');
  expect(formatBytes('en', 1_240_000)).toBe('1.2 MB');
  expect(formatBytes('en', 999_600)).toBe('1 MB');
  expect(formatRate('en', 34_500)).toBe('35 kB/s');
  expect(formatDuration('en', 65_000)).toBe('1 min 5 sec');
  expect(formatDuration('zh-CN', 7_500_000)).toBe('2小时 5分钟');
});
