// @vitest-environment happy-dom
/** What engines write, as a Chinese window shows it: in Chinese, for every phrase that there is, and else as written. */
import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failureSaying } from '../../electron/shared/failure.ts';
import type { CheckLine } from '../../electron/shared/model.ts';
import { inEnglish, phrase, sayIn, type Phrase } from '../../electron/shared/phrase.ts';
import { chinesePhrases } from '../../electron/shared/phrases-zh-cn.ts';
import { phrases } from '../../electron/shared/phrases.ts';
import type { DoctorLine } from '../../electron/shared/support-protocol.ts';
import CheckReport from '../../renderer/components/CheckReport.vue';
import FailureText from '../../renderer/components/FailureText.vue';
import LaneDetails from '../../renderer/components/LaneDetails.vue';
import TestLines from '../../renderer/components/first-run/TestLines.vue';
import TestPanel from '../../renderer/components/profiles/TestPanel.vue';
import DoctorReport from '../../renderer/components/settings/DoctorReport.vue';
import { i18n } from '../../renderer/i18n.ts';
import type { Check } from '../../renderer/stores/lane-actions.ts';
import { startStores } from '../../renderer/stores/start.ts';
import { FakeMain, lane, overviewOf } from './fake-main.ts';

beforeEach(() => {
  setActivePinia(createPinia());
  i18n.global.locale.value = 'zh-CN';
});
afterEach(() => {
  i18n.global.locale.value = 'en';
});

const written = 'words that an engine has written';
/** One of each key; a failure for a value has words of its own in each language. */
const all: readonly Phrase[] = Object.entries(phrases).map(([key, template]) => {
  const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const failure = failureSaying('proxy-refused', phrase('connection.refused'));
  const valueOf = (name: string) =>
    name === 'failure' ? failure : name === 'sentence' ? { whole: failure } : '1';
  return { key, values: Object.fromEntries(names.map((name) => [name, valueOf(name)])) };
});
const inChinese = (said: Phrase) => sayIn(chinesePhrases, said) ?? 'nothing';
const lines: CheckLine[] = all.map((said) => ({
  stage: 'web',
  outcome: 'ok',
  text: written,
  phrase: said,
}));
const report = { outcome: 'ok', lines } as const;
const unknown: CheckLine = {
  stage: 'web',
  outcome: 'ok',
  text: written,
  phrase: { key: 'nobody.knows', values: {} },
};
const global = { plugins: [i18n] };

test.each([
  [
    'a check',
    () => mount(CheckReport, { props: { check: { state: 'done', report, at: 1 }, now: 1 }, global }),
  ],
  [
    'a test of a profile',
    () => {
      const test = { state: 'done', report, at: 1, lines: lines.map((line) => ({ line })) } as const;
      return mount(TestPanel, { props: { id: 'work', test }, global });
    },
  ],
  [
    'the first run',
    () => mount(TestLines, { props: { test: { state: 'done', lines, outcome: 'ok' } }, global }),
  ],
])('%s has every line in Chinese', (_what, show) => {
  new FakeMain();
  const screen = show();
  const shown = screen.findAll('li').map((line) => line.text());
  expect(shown).toHaveLength(all.length);
  for (const [at, said] of all.entries()) expect(shown[at]).toContain(inChinese(said));
  expect(screen.text()).not.toContain(written);
  expect(screen.find('[lang="en"]').exists()).toBe(false);
});

test('a line of another version is shown as it was written, and is called English', () => {
  const check: Check = { state: 'done', report: { outcome: 'ok', lines: [unknown] }, at: 1 };
  const screen = mount(CheckReport, { props: { check, now: 1 }, global });
  expect(screen.get('[lang="en"]').text()).toBe(written);
});

test('an English window says what the command line says', () => {
  i18n.global.locale.value = 'en';
  const check = { state: 'done', report, at: 1 } as const;
  const screen = mount(CheckReport, { props: { check, now: 1 }, global });
  for (const said of all) expect(screen.text()).toContain(inEnglish(said));
});

test('the doctor finds and advises in Chinese', async () => {
  const doctor: DoctorLine[] = all.map((said, at) => ({
    id: `line-${at}`,
    outcome: 'warning',
    what: 'kernel',
    found: written,
    foundPhrase: said,
    todo: written,
    todoPhrase: said,
  }));
  new FakeMain({ doctor: () => doctor });
  await startStores();
  i18n.global.locale.value = 'zh-CN';
  const screen = mount(DoctorReport, { global });
  await screen.findAll('button').at(-1)?.trigger('click');
  await flushPromises();
  const shown = screen.findAll('li').map((line) => line.text());
  expect(shown).toHaveLength(all.length);
  for (const [at, said] of all.entries()) expect(shown[at]?.split(inChinese(said))).toHaveLength(3);
  expect(screen.text()).not.toContain(written);
});

test('an app says in Chinese why its network is made so, and what its user should know', async () => {
  const main = new FakeMain();
  await startStores();
  i18n.global.locale.value = 'zh-CN';
  const [engine] = overviewOf().engines;
  const notes = all.map((_said, at) => `${written} ${at}`);
  const running = lane({ notes, notePhrases: [...all] });
  const helper = {
    state: 'ready',
    mode: 'rootless',
    why: written,
    whyPhrase: phrase('helper.rootless'),
  } as const;
  if (engine === undefined) throw new Error('there is no engine');
  main.tell('overview', { ...overviewOf([running]), engines: [{ ...engine, helpers: [helper] }] });
  const props = { lane: running, now: 1, processes: [], failure: undefined };
  const screen = mount(LaneDetails, { props, global });
  await flushPromises();
  expect(screen.text()).toContain(inChinese(phrase('helper.rootless')));
  for (const said of all) expect(screen.text()).toContain(inChinese(said));
  expect(screen.text()).not.toContain(written);
});

test('a failure has its figures in Chinese', () => {
  const failure = failureSaying('proxy-refused', phrase('connection.refused'));
  const screen = mount(FailureText, { props: { failure }, global });
  expect(screen.text()).toContain('连接被拒绝');
  expect(screen.text()).not.toContain('connection refused');
});
