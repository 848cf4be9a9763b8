/** The tray's menu, whatever runs. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wordsIn } from '../../electron/main/locales/index.ts';
import {
  maxItems,
  plainLabel,
  trayModel,
  type TrayFacts,
  type TrayItem,
} from '../../electron/main/tray-menu.ts';
import { languages, type ShownLane } from '../../electron/shared/contract.ts';
import { laneHealths, laneStates, type ProfileHead } from '../../electron/shared/model.ts';
import { laneWith, overviewWith, switched } from './shown.ts';

const head = (id: string): ProfileHead => ({ id, name: `Profile ${id}`, colour: '#000000', letter: 'P' });
const someProfiles = ['work', 'tor', 'none', 'direct'].map(head);

function factsWith(lanes: readonly ShownLane[], change: Partial<TrayFacts> = {}): TrayFacts {
  return {
    overview: overviewWith(lanes),
    profiles: someProfiles,
    defaultProfile: 'work',
    recent: [],
    isBlocking: false,
    isProxyingOff: false,
    canTurnOff: true,
    restorable: new Set(),
    ...change,
  };
}
const modelOf = (lanes: readonly ShownLane[], change: Partial<TrayFacts> = {}) =>
  trayModel(factsWith(lanes, change), wordsIn.en);

function find(items: readonly TrayItem[], id: string): TrayItem {
  const all = items.flatMap((item) => (item.kind === 'menu' ? [item, ...item.items] : [item]));
  const found = all.find((item) => item.id === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}

const anyLane = fc.record({
  number: fc.nat(60),
  name: fc.string({ unit: 'grapheme', maxLength: 80 }),
  profile: fc.option(fc.stringMatching(/^[a-z]{1,3}$/), { nil: undefined }),
  via: fc.constantFrom('direct', 'blocked', 'socks5://203.0.113.7:1080'),
  health: fc.constantFrom(...laneHealths),
  state: fc.constantFrom(...laneStates),
});
const anyFacts = fc
  .record({
    lanes: fc.uniqueArray(anyLane, { maxLength: 40, selector: ({ number }) => number }),
    profiles: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: 60 }),
    defaultProfile: fc.option(fc.stringMatching(/^[a-z]{1,3}$/), { nil: undefined }),
    recent: fc.uniqueArray(fc.record({ app: fc.string({ minLength: 1 }), name: fc.string() }), {
      maxLength: 9,
      selector: ({ app }) => app,
    }),
    isBlocking: fc.boolean(),
    isProxyingOff: fc.boolean(),
    isAnswering: fc.boolean(),
    own: fc.constantFrom('starting' as const, 'ready' as const, 'failed' as const),
  })
  .map(({ lanes, profiles, isAnswering, own, ...chosen }): TrayFacts => {
    const shown = lanes.map(({ number, profile, ...lane }) => {
      const { id, ...unnamed } = head(profile ?? 'typed');
      return laneWith(number, {
        ...lane,
        profile: profile === undefined ? unnamed : { ...unnamed, ...(id !== undefined && { id }) },
      });
    });
    const overview = overviewWith(shown, { own: { state: own } });
    const engines = overview.engines.map((engine) => ({ ...engine, isAnswering }));
    return factsWith([], {
      overview: { ...overview, engines },
      profiles: profiles.map(head),
      ...chosen,
    });
  });

describe('whatever runs, the menu', () => {
  test('has at most 25 items in each of its menus, of which none is within another', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { items } = trayModel(facts, wordsIn['zh-CN']);
        const inner = items.flatMap((item) => (item.kind === 'menu' ? [item.items] : []));
        for (const menu of [items, ...inner]) expect(menu.length).toBeLessThanOrEqual(maxItems);
        expect(inner.flat().filter(({ kind }) => kind === 'menu')).toEqual([]);
      }),
    );
  });

  test('names each item once, and what is of an app by its lane', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { items } = trayModel(facts, wordsIn.en);
        const all = items.flatMap((item) => (item.kind === 'menu' ? [item, ...item.items] : [item]));
        expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
        for (const item of items)
          if (item.kind === 'menu')
            expect(item.items.filter(({ id }) => !id.startsWith(`${item.id}-`))).toEqual([]);
      }),
    );
  });

  test('shows for each app one profile as its own, and has labels of one line', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        for (const item of trayModel(facts, wordsIn.en).items) {
          if (item.kind !== 'menu' || !item.id.startsWith('lane-')) continue;
          const radios = item.items.filter(({ kind }) => kind === 'radio');
          expect(radios.filter((radio) => 'isChecked' in radio && radio.isChecked)).toHaveLength(1);
          expect(item.label).not.toMatch(/[\n\t]/);
          expect(Array.from(item.label).length).toBeLessThan(200);
        }
      }),
    );
  });

  test('is the same in every language but for its words', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const [first, ...others] = languages.map((language) =>
          JSON.stringify(trayModel(facts, wordsIn[language]), (key: string, value: unknown) =>
            key === 'label' || key === 'status' ? '' : value,
          ),
        );
        for (const other of others) expect(other).toBe(first);
      }),
    );
  });
});

test('an app keeps its item when others start and end', () => {
  const [first, second, third] = [1, 2, 3].map((number) => laneWith(number));
  if (first === undefined || second === undefined || third === undefined) throw new Error('no lanes');
  const before = find(modelOf([first, second]).items, `lane-${second.id}`);
  const after = find(modelOf([second, third]).items, `lane-${second.id}`);
  expect(after).toEqual(before);
});

test('the default profile is the one that is marked, and no default is a choice, too', () => {
  const items = (defaultProfile: string | undefined) => {
    const menu = find(modelOf([], { defaultProfile }).items, 'default');
    return menu.kind === 'menu' ? menu.items : [];
  };
  const marked = (of: readonly TrayItem[]) =>
    of.filter((item) => 'isChecked' in item && item.isChecked).map(({ id }) => id);
  expect(marked(items('tor'))).toEqual(['default-profile-tor']);
  expect(marked(items(undefined))).toEqual(['default-none']);
  expect(find(items('tor'), 'default-none')).toMatchObject({
    command: { do: 'default', profile: undefined },
  });
  const many = Array.from({ length: 40 }, (_, index) => head(`p${index}`));
  const menu = find(modelOf([], { profiles: many, defaultProfile: 'p39' }).items, 'default');
  expect(menu.kind === 'menu' && marked(menu.items)).toEqual(['default-profile-p39']);
});

test('five apps that were opened lately can be opened again, and without one there is no such menu', () => {
  const recent = Array.from({ length: 7 }, (_, index) => ({ app: `app-${index}`, name: `App ${index}` }));
  const menu = find(modelOf([], { recent }).items, 'recent');
  expect(menu.kind === 'menu' && menu.items.map((item) => 'label' in item && item.label)).toEqual(
    recent.slice(0, 5).map(({ name }) => name),
  );
  expect(modelOf([]).items.some(({ id }) => id === 'recent')).toBe(false);
});

test('profiles that are built in are called by their names in the user’s language', () => {
  const facts = factsWith([switched(laneWith(1), 'none')]);
  const [app] = trayModel(facts, wordsIn['zh-CN']).items.filter(({ id }) => id.startsWith('lane-'));
  expect(app).toMatchObject({ label: 'app 1 · 无网络' });
});

test('nothing is called protected that is not: the state is the worst that is so', () => {
  const proxied = laneWith(1);
  const direct = switched(laneWith(2), 'direct');
  const none = switched(laneWith(3), 'none');
  const lost = laneWith(4, { health: 'unreachable' });
  expect(modelOf([])).toMatchObject({ state: 'idle', status: 'No running apps' });
  expect(modelOf([proxied])).toMatchObject({ state: 'protected', status: 'One app through its proxy' });
  expect(modelOf([proxied, direct])).toMatchObject({
    state: 'idle',
    status: '1 of 2 running apps not proxied',
  });
  expect(modelOf([proxied, direct, lost])).toMatchObject({ state: 'trouble' });
  expect(modelOf([none])).toMatchObject({ state: 'blocked', status: 'One app, without network' });
  expect(modelOf([none], { isBlocking: true })).toMatchObject({
    state: 'blocked',
    status: 'All traffic is blocked',
  });
  // An app that could not be blocked is not called so.
  expect(modelOf([proxied, none], { isBlocking: true }).state).toBe('protected');
  const overview = overviewWith([proxied]);
  const engines = overview.engines.map((engine) => ({ ...engine, isAnswering: false }));
  expect(modelOf([], { overview: { ...overview, engines } }).state).toBe('trouble');
});

test('proxying is turned off only for apps that can have it back', () => {
  const named = find(modelOf([laneWith(1)]).items, `lane-${laneWith(1).id}-proxy`);
  expect(named).toMatchObject({ isChecked: true, command: { do: 'proxy', isOn: false } });
  const typed = laneWith(2, { profile: { name: 'x', colour: '#000000', letter: 'X' } });
  expect(find(modelOf([typed]).items, `lane-${typed.id}-proxy`)).not.toHaveProperty('command');
  const direct = switched(laneWith(3), 'direct');
  expect(find(modelOf([direct]).items, `lane-${direct.id}-proxy`)).not.toHaveProperty('command');
  const off = modelOf([direct], { restorable: new Set([direct.id]) });
  expect(find(off.items, `lane-${direct.id}-proxy`)).toMatchObject({
    isChecked: false,
    command: { do: 'proxy', isOn: true },
  });
});

test('labels are of one line, of 40 letters at most, and not cut within one', () => {
  expect(plainLabel(' a\nb\u202e\tc ')).toBe('a b c');
  expect(plainLabel('é'.repeat(41))).toBe(`${'é'.repeat(39)}…`);
  expect(plainLabel('👩‍🚀'.repeat(2))).not.toContain('\n');
});
