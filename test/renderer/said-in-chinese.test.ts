// @vitest-environment happy-dom
/** What the engine says of what people write, in the window of somebody who reads Chinese. */
import { flushPromises, mount } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CulvertError } from '../../electron/shared/failure.ts';
import { phrase } from '../../electron/shared/phrase.ts';
import FailureText from '../../renderer/components/FailureText.vue';
import ImportTable from '../../renderer/components/profiles/ImportTable.vue';
import QueryField from '../../renderer/components/QueryField.vue';
import EntriesField from '../../renderer/components/rules/EntriesField.vue';
import RuleWarnings from '../../renderer/components/rules/RuleWarnings.vue';
import { i18n } from '../../renderer/i18n.ts';
import { useQueryDraft } from '../../renderer/query-draft.ts';
import { clear, input, show } from './profile-screen.ts';

beforeEach(() => {
  setActivePinia(createPinia());
  clear();
});
afterEach(() => {
  i18n.global.locale.value = 'en';
});

const plugins = [i18n];
function inChinese(): void {
  i18n.global.locale.value = 'zh-CN';
}

test('the lines of an import, with what was theirs as it was, and what no phrase is known of as it came', () => {
  inChinese();
  const table = mount(ImportTable, {
    global: { plugins },
    props: {
      lines: [
        { line: 1, status: 'taken', text: 'Work: socks5://a.example:1080' },
        {
          ...{ line: 2, status: 'skipped', text: 'proxy Oslo', reason: 'the same proxy as in line 1' },
          textPhrase: phrase('clash.named-proxy', { name: 'Oslo' }),
          reasonPhrase: phrase('proxy-text.same-proxy', { line: 1 }),
        },
        {
          ...{ line: 3, status: 'invalid', text: 'x', reason: 'of another version' },
          reasonPhrase: { key: 'import.of-another-version', values: {} },
        },
      ],
    },
  });
  const cells = table.findAll('tbody tr').map((row) => row.findAll('td')[2]?.findAll('span'));
  const said = cells.map((spans) => spans?.map((span) => span.text()));
  expect(said).toEqual([
    ['Work: socks5://a.example:1080'],
    ['代理 Oslo', '与第 1 行的代理相同'],
    ['x', 'of another version'],
  ]);
  expect(cells[2]?.[1]?.attributes('lang')).toBe('en');
});

test('what is wrong with a query', async () => {
  inChinese();
  const draft = useQueryDraft();
  const field = mount(QueryField, { global: { plugins }, props: { draft, rows: () => [] } });
  await field.get('input').setValue('port:x');
  expect(field.get('[role="alert"]').text()).toBe('无法理解此筛选条件：“x”不是端口，也不是端口的范围。');
});

test('what is wrong with an entry of a rule, and why a rule never matches', () => {
  inChinese();
  const why = phrase('rule.name', { defect: phrase('proxy-text.name-characters') });
  const field = mount(EntriesField, {
    global: { plugins },
    props: {
      ...{ label: '目标', placeholder: '', modelValue: 'a b' },
      problems: [{ field: 'to', entry: 0, detail: 'is no name', phrase: why }],
    },
  });
  expect(field.get('.problem').text()).toContain('“a b”：不是域名：名称含有字母、数字、');
  const warnings = mount(RuleWarnings, {
    global: { plugins },
    props: {
      warnings: [
        {
          ...{ kind: 'invalid', detail: 'apps: the list is empty' },
          phrase: phrase('rule.empty-list', { field: phrase('rule.field-apps') }),
        },
      ],
      nameOf: (rule: string) => rule,
    },
  });
  expect(warnings.text()).toBe('永远不会匹配：应用：列表为空');
});

test('what keeps a profile from being saved, at its field', async () => {
  const why = phrase('config.interface');
  const { screen } = await show({
    'profile.save': () => {
      const all = [phrase('config.in-field', { field: 'egress', why })];
      throw new CulvertError('config-invalid', {
        detail: phrase('config.problems', { all: { clauses: all } }),
      });
    },
  });
  inChinese();
  await input(screen, 'name').setValue('Office');
  // The list says of the profile that it is not saved.
  const save = screen.findAll('button').find((button) => button.text() === '保存');
  await save?.trigger('click');
  await flushPromises();
  expect(screen.text()).toContain('必须是网络接口的名称');
  expect(screen.text()).not.toContain('interface');
});

test('the problems of the configuration file, with file, line and field', () => {
  inChinese();
  const expected = phrase('config.one-of', { known: 'allow, block' });
  const found = phrase('config.found-word', { word: 'perhaps' });
  const one = phrase('config.in-place', {
    ...{ place: 'culvert.json:3:7', field: 'profiles[0].udp' },
    why: phrase('config.but-found', { expected, found }),
  });
  const all = [one, phrase('config.more', { n: 2 })];
  const { failure } = new CulvertError('config-invalid', {
    detail: phrase('config.problems', { all: { clauses: all } }),
  });
  expect(failure.detail).toBe(
    'culvert.json:3:7 field profiles[0].udp: must be one of allow, block, found “perhaps”; and 2 more',
  );
  const text = mount(FailureText, { global: { plugins }, props: { failure } });
  expect(text.text()).toContain(
    'culvert.json:3:7 字段 profiles[0].udp：必须是 allow, block 之一，实际为“perhaps”；另有 2 处',
  );
});
