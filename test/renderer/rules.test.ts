// @vitest-environment happy-dom
/** The screen of rules over a main that is made from the contract: the list, its edits, the editor, the test. */
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils';
import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { WindowHandlers } from '../../electron/shared/contract.ts';
import { CulvertError } from '../../electron/shared/failure.ts';
import type { FlowView } from '../../electron/shared/model.ts';
import type { Rule } from '../../electron/shared/profile.ts';
import NoticeList from '../../renderer/components/NoticeList.vue';
import { i18n } from '../../renderer/i18n.ts';
import { makeRouter } from '../../renderer/router.ts';
import { useFlows } from '../../renderer/stores/flows.ts';
import { useNotices } from '../../renderer/stores/notices.ts';
import { useRuleDraft } from '../../renderer/stores/rule-draft.ts';
import { startStores } from '../../renderer/stores/start.ts';
import RulesView from '../../renderer/views/RulesView.vue';
import { app, configOf, FakeMain, lane, overviewOf, work } from './fake-main.ts';

/** What the fake engine has. */
let rules: Rule[];
let undone: number[];
let screen: VueWrapper | undefined;

const rule = (id: string, to: string, action: Rule['action'] = 'block'): Rule => ({
  ...{ id, match: { to: [to] }, action },
});

/** An engine that keeps rules as the real one does. */
const engine = (): Partial<WindowHandlers> => {
  const kept: Rule[][] = [];
  const edit = (after: Rule[]) => {
    kept.push(rules);
    rules = after;
    return { undo: kept.length - 1 };
  };
  return {
    'config.read': () => {
      const view = configOf();
      return { ...view, config: { ...view.config, rules } };
    },
    'app.list': () => [app('firefox', { name: 'Firefox' }), app('maps', { name: 'Maps' })],
    'rule.warnings': () => ({ b: [{ kind: 'shadowed', by: ['a'] }], c: [{ kind: 'direct' }] }),
    'rule.hits': () => ({ a: { hits: 3, lastAt: Date.now() - 61_000 } }),
    'rule.freeId': () => ({ id: 'r1' }),
    'rule.save': ({ rule: saved, at = rules.length }) =>
      edit(
        rules.some(({ id }) => id === saved.id)
          ? rules.map((old) => (old.id === saved.id ? saved : old))
          : rules.toSpliced(at, 0, saved),
      ),
    'rule.remove': ({ rules: ids }) => edit(rules.filter(({ id }) => !ids.includes(id))),
    'rule.move': ({ rule: id, to }) => {
      const moved = rules.filter((one) => one.id === id);
      return edit(rules.filter((one) => one.id !== id).toSpliced(to, 0, ...moved));
    },
    'rule.restore': ({ undo }) => {
      undone.push(undo);
      rules = kept[undo] ?? [];
      return {};
    },
    'rule.preview': ({ rule: draft, subjects }) => {
      const bad = (draft.match.ports ?? []).findIndex((port) => !/^[0-9]+$/.test(port));
      const problems = bad === -1 ? [] : [{ field: 'ports', entry: bad, detail: 'is no port' }];
      const matches = subjects.flatMap(({ host }, index) =>
        draft.match.to?.includes(host ?? '') === true ? [index] : [],
      );
      return { problems, matches, decides: matches.slice(0, 1), warnings: [{ kind: 'direct' }] };
    },
  };
};

type Shown = Promise<{ main: FakeMain; view: VueWrapper }>;
async function show(more: Partial<WindowHandlers> = {}, at = '/rules'): Shown {
  const main = new FakeMain({ ...engine(), ...more });
  await startStores();
  const overview = overviewOf([lane({ apps: ['firefox', 'firefox-bin'] })]);
  main.tell('overview', { ...overview, engines: overview.engines.map((one) => ({ ...one, isOwn: true })) });
  await flushPromises();
  const router = makeRouter();
  await router.push(at);
  const plugins = [i18n, router];
  screen = mount(
    { components: { RulesView, NoticeList }, template: '<RulesView /><NoticeList />' },
    { global: { plugins }, attachTo: '#content' },
  );
  await flushPromises();
  return { main, view: screen };
}

const asked = (main: FakeMain, name: string) =>
  main.asked.filter((one) => one.name === name).map(({ params }) => params);
const rows = (view: VueWrapper) => view.findAll('[data-rule]').map((row) => row.attributes('data-rule'));
const page = () => document.body.textContent;
function dialog(): HTMLElement {
  const found = document.querySelector<HTMLElement>('[role="dialog"]');
  if (found === null) throw new Error('no dialog is open');
  return found;
}
function fieldOf(label: string): HTMLInputElement | HTMLTextAreaElement {
  const found = [...dialog().querySelectorAll('label')].find((one) => one.textContent.trim() === label);
  const field = document.getElementById(found?.htmlFor ?? '');
  if (!(field instanceof HTMLInputElement) && !(field instanceof HTMLTextAreaElement))
    throw new Error(`there is no field ${label}`);
  return field;
}
async function type(label: string, text: string): Promise<void> {
  const field = fieldOf(label);
  field.value = text;
  field.dispatchEvent(new Event('input', { bubbles: true }));
  await vi.advanceTimersByTimeAsync(200);
  await flushPromises();
}
async function press(element: Element, key: string, more: KeyboardEventInit = {}): Promise<void> {
  element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
  await flushPromises();
}
async function click(words: string): Promise<void> {
  const buttons = [...document.querySelectorAll('button')];
  const found = buttons.find((one) => one.textContent.trim() === words);
  if (found === undefined) throw new Error(`there is no button “${words}”`);
  found.click();
  await flushPromises();
}
const flow = (id: number, change: Partial<FlowView> = {}): FlowView => ({
  ...{ id, lane: '7-1', app: 'firefox', name: 'Firefox', profile: work, proto: 'tcp' },
  ...{ sourcePort: 40_000 + id, address: '198.18.0.1', host: 'a.test', port: 443 },
  ...{ via: 'socks5://203.0.113.7:1080', state: 'open', bytesUp: 0, bytesDown: 0, openedAt: id },
  ...change,
});

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  setActivePinia(createPinia());
  document.body.innerHTML = '<main id="content"></main>';
  rules = [rule('a', 'a.test'), rule('b', 'b.test'), rule('c', 'c.test', 'direct')];
  undone = [];
  // What a list of rows is measured by in a page without a layout.
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(900);
});
afterEach(() => {
  screen?.unmount();
  screen = undefined;
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test('a connection leads to the rule that decided about it', async () => {
  await show({}, '/rules?rule=b');
  await vi.advanceTimersByTimeAsync(100);
  expect(document.activeElement?.closest('[data-rule]')?.getAttribute('data-rule')).toBe('b');
});

test('each rule is a sentence in its place, with its hits and what is to be known of it', async () => {
  const { view } = await show();
  expect(rows(view)).toEqual(['a', 'b', 'c']);
  const [first, second, third] = view.findAll('[data-rule]').map((row) => row.text().replaceAll(/\s+/g, ' '));
  expect(first).toContain('Any app to a.test');
  expect(first).toContain('3 hits');
  expect(first).toContain('1 min 1 sec ago');
  expect(second).toContain('Never decides: number 1 (Any app to a.test → Block) takes all of it');
  expect(second).toContain('No hits');
  expect(third).toContain('Leaves the proxy');
});

test('no rules, no match, a broken file and no engine each have their words', async () => {
  rules = [];
  const { main, view } = await show();
  expect(view.text()).toContain('No rules yet');
  expect(view.text()).toContain("culvert rule add direct --to '*.corp.example,10.0.0.0/8'");
  rules = [rule('a', 'a.test')];
  const broken = { code: 'config-invalid', detail: 'line 3' } as const;
  main.tell('config', { ...configOf(), config: { ...configOf().config, rules }, problem: broken });
  await flushPromises();
  expect(view.text()).toContain('line 3');
  await view.get('input[type="search"]').setValue('zz');
  expect(view.text()).toContain('No rule matches “zz”');
  main.tell('overview', { ...overviewOf(), engines: [], own: { state: 'failed' } });
  await flushPromises();
  expect(view.text()).toContain('The engine is not running');
});

test('rules that cannot be read are asked for again', async () => {
  let isGood = false;
  const { view } = await show({
    'config.read': () => {
      if (!isGood) throw new CulvertError('engine-unreachable');
      return { ...configOf(), config: { ...configOf().config, rules } };
    },
  });
  expect(view.text()).toContain('The rules could not be read');
  isGood = true;
  await click('Try again');
  expect(rows(view)).toEqual(['a', 'b', 'c']);
});

test('keys choose a rule, switch it, move it and delete it, and each edit can be taken back', async () => {
  const { main, view } = await show();
  const row = (id: string) => view.get(`[data-rule="${id}"]`).element;
  (row('a') as HTMLElement).focus();
  await press(row('a'), 'ArrowDown');
  expect(document.activeElement).toBe(row('b'));
  await press(row('b'), ' ');
  expect(rules[1]).toEqual({ ...rule('b', 'b.test'), isOff: true });
  await press(row('b'), 'ArrowUp', { altKey: true });
  expect(asked(main, 'rule.move')).toEqual([{ rule: 'b', to: 0 }]);
  expect(rows(view)).toEqual(['b', 'a', 'c']);
  expect(document.activeElement).toBe(row('b'));
  expect(page()).toContain('The rule is now number 1.');
  await press(row('b'), 'Delete');
  expect(rows(view)).toEqual(['a', 'c']);
  expect(page()).toContain('Deleted: Any app to b.test → Block');
  await click('Undo');
  expect(rows(view)).toEqual(['b', 'a', 'c']);
  await press(row('b'), 'z', { ctrlKey: true });
  expect(rows(view)).toEqual(['a', 'b', 'c']);
  expect(undone).toEqual([2, 1]);
});

test('what can be undone is offered for ten seconds, longer while it has the focus, and can be too late', async () => {
  const { view } = await show({
    'rule.restore': () => {
      throw new CulvertError('undo-outdated');
    },
  });
  await press(view.get('[data-rule="a"]').element, 'Delete');
  await vi.advanceTimersByTimeAsync(9000);
  const notice = document.querySelector('.notice');
  notice?.dispatchEvent(new Event('focusin', { bubbles: true }));
  await vi.advanceTimersByTimeAsync(20_000);
  expect(page()).toContain('Deleted:');
  notice?.dispatchEvent(new Event('focusout', { bubbles: true }));
  await vi.advanceTimersByTimeAsync(9000);
  expect(page()).toContain('Deleted:');
  await click('Undo');
  expect(page()).toContain('Something else has changed the rules since.');
  useNotices().shown.forEach(({ id }) => {
    useNotices().dismiss(id);
  });
  await press(view.get('[data-rule="b"]').element, 'Delete');
  await vi.advanceTimersByTimeAsync(10_500);
  expect(page()).not.toContain('Deleted:');
});

test('a new rule is written with what is wrong told as it is typed, and tried on what is open', async () => {
  const { main, view } = await show();
  await click('New rule');
  expect(asked(main, 'flows.watch')).toHaveLength(1);
  const changed = [
    flow(1),
    flow(2),
    flow(3, { port: 80 }),
    flow(4, { host: 'b.test' }),
    flow(5, { state: 'closed' }),
    flow(6, { profile: { name: 'x', colour: '#000000', letter: 'X' } }),
  ];
  main.tell('flows', { of: 7, at: 1, isWhole: true, changed, counted: new Float64Array() });
  await type('Destinations', 'a.test');
  await vi.advanceTimersByTimeAsync(2500);
  await flushPromises();
  // Two connections to the same place are one question, and count as two.
  expect((asked(main, 'rule.preview').at(-1) as { subjects: unknown[] }).subjects).toHaveLength(3);
  expect(dialog().textContent).toMatch(/Would match 3 of 4 open connections, decides [12]\./);
  expect(dialog().textContent).toContain('One more connection is of an app that was given its proxy');
  expect(dialog().textContent).toContain('Leaves the proxy');
  await type('Ports', '443, nine');
  expect(dialog().textContent).toContain('“nine” is no port');
  expect(fieldOf('Ports').getAttribute('aria-invalid')).toBe('true');
  await click('Save');
  expect(asked(main, 'rule.save')).toEqual([]);
  expect(document.activeElement).toBe(fieldOf('Ports'));
  await type('Ports', '443');
  await type('Apps', 'fire');
  await press(fieldOf('Apps'), 'ArrowDown');
  await press(fieldOf('Apps'), 'Enter');
  expect(fieldOf('Apps').value).toBe('firefox, ');
  await click('Save');
  expect(asked(main, 'rule.save')).toEqual([
    {
      rule: { id: 'r1', match: { apps: ['firefox'], to: ['a.test'], ports: ['443'] }, action: 'proxy' },
    },
  ]);
  expect(rows(view)).toEqual(['a', 'b', 'c', 'r1']);
  expect(asked(main, 'flows.unwatch')).toHaveLength(1);
  expect(document.activeElement).toBe(view.get('[data-rule="r1"]').element);
});

test('a rule that is edited keeps its id and stays off, and a failure to save is told where it is written', async () => {
  rules = [{ ...rule('a', 'a.test'), isOff: true, note: 'mine' }];
  let isGood = false;
  const { main, view } = await show({
    'rule.save': ({ rule: saved }) => {
      if (!isGood) throw new CulvertError('config-unwritable');
      rules = [saved];
      return { undo: 1 };
    },
  });
  await press(view.get('[data-rule="a"]').element, 'Enter');
  await type('Destinations', 'x.test, /a{1,3}/');
  await click('Save');
  expect(dialog().textContent).toContain('The configuration was not saved');
  isGood = true;
  await click('Save');
  expect(asked(main, 'rule.save').at(-1)).toEqual({
    rule: {
      ...{ id: 'a', note: 'mine', match: { to: ['x.test', '/a{1,3}/'] }, action: 'block', isOff: true },
    },
  });
});

test('a rule that was begun elsewhere opens the editor with it', async () => {
  useRuleDraft().begin({ apps: ['maps'], to: ['a.test'] });
  await show();
  expect([fieldOf('Apps').value, fieldOf('Destinations').value]).toEqual(['maps', 'a.test']);
  expect(dialog().textContent).toContain('Maps');
});

test('a destination is tested, and the rules that are named lead to their rows', async () => {
  const { main, view } = await show({
    'rule.test': () => ({
      ...{ profile: 'work', via: 'direct', rule: 'c', off: ['a'], met: [{ field: 'to', by: 'c.test' }] },
      near: [{ rule: 'b', failed: 'ports' }],
    }),
  });
  await click('Test a destination…');
  await type('Destination', 'c.test:443');
  await type('App', 'firefox');
  await click('Test');
  expect(asked(main, 'rule.test')).toEqual([{ destination: 'c.test:443', protocol: 'tcp', app: 'firefox' }]);
  const said = dialog().textContent.replaceAll(/\s+/g, ' ');
  expect(said).toContain('It would go out directly, beside the proxy.');
  expect(said).toContain('Decided by: Any app to c.test');
  expect(said).toContain('another port');
  expect(said).toContain('would match, but is off');
  expect(said).toContain('culvert rule test firefox c.test:443');
  dialog().querySelector<HTMLElement>('.linked')?.click();
  await flushPromises();
  expect(document.activeElement).toBe(view.get('[data-rule="c"]').element);
});

test('of 10,000 rules only those are made that are seen, and one is found by its words', async () => {
  rules = Array.from({ length: 10_000 }, (_, index) => rule(`r${index + 1}`, `host-${index + 1}.test`));
  const { view } = await show();
  expect(rows(view).length).toBeLessThan(40);
  expect(view.get('[role="grid"]').attributes('aria-rowcount')).toBe('10001');
  await view.get('input[type="search"]').setValue('host-9999.test');
  expect(rows(view)).toEqual(['r9999']);
  expect([...useFlows().rows()]).toEqual([]);
});
