// @vitest-environment happy-dom
/** The screen of profiles: what it shows, what is typed there, tests. */
import { flushPromises } from '@vue/test-utils';
import { beforeEach, expect, test, vi } from 'vitest';
import { CulvertError } from '../../electron/shared/failure.ts';
import { phrase, type Said } from '../../electron/shared/phrase.ts';
import { headOf } from '../../electron/shared/profile.ts';
import { useProfileDrafts } from '../../renderer/stores/profile-drafts.ts';
import { useProfileTests } from '../../renderer/stores/profile-tests.ts';
import { configOf, overviewOf } from './fake-main.ts';
import { asked, clear, input, press, show, two, view } from './profile-screen.ts';

beforeEach(clear);

test('without a profile of one’s own the screen says how to come by one', async () => {
  const { screen } = await show({ 'config.read': () => configOf([]) });
  expect(screen.text()).toContain('Paste a proxy link anywhere on this screen');
  expect(screen.findAll('[data-profile]')).toHaveLength(2);
  await press('Add a server');
  expect(screen.text()).toContain('Not saved yet');
});

test('a configuration that cannot be read is said, and what was last read is shown', async () => {
  const problem = { code: 'config-invalid', detail: 'culvert.json:3:7 must be a number' } as const;
  const { screen } = await show({ 'config.read': () => view(two, { problem }) });
  expect(screen.text()).toContain('culvert.json:3:7 must be a number');
  expect(screen.text()).toContain('the last that could be read');
  expect(screen.findAll('[data-profile]')).toHaveLength(4);
});

test('until there is an answer it is waited for, and a failure can be tried again', async () => {
  let isGood = false;
  const { screen } = await show({
    'config.read': () => {
      if (!isGood) throw new CulvertError('engine-unreachable');
      return view();
    },
  });
  expect(screen.text()).toContain('The profiles could not be read');
  isGood = true;
  await press('Try again');
  expect(screen.text()).toContain('a.example');
});

test('without an engine the screen offers to start it', async () => {
  const { main, screen } = await show();
  const own = { state: 'failed', failure: { code: 'engine-unreachable' } } as const;
  main.tell('overview', { ...overviewOf(), engines: [], own });
  await flushPromises();
  expect(screen.text()).toContain('The engine is not running');
  await press('Start the engine');
  expect(asked(main, 'engine.start')).toHaveLength(1);
});

test('the default profile is shown first, and one that is built in says why it has no form', async () => {
  const { screen } = await show();
  expect(input(screen, 'name').element.value).toBe('Work');
  await screen.get('[data-profile="none"]').trigger('click');
  expect(screen.text()).toContain('built in and cannot be changed');
  expect(screen.find('[data-path]').exists()).toBe(false);
});

test('what is typed stays while one looks elsewhere, is saved with its passwords, and can be taken back', async () => {
  const { main, screen } = await show({ 'profile.save': ({ profile }) => headOf(profile) });
  await screen.get('[data-server="a"] [aria-expanded]').trigger('click');
  await input(screen, 'chain.servers.a.host').setValue('other.example');
  await input(screen, 'chain.servers.a.user').setValue('me');
  await screen.get('[data-server="a"] input[type="password"]').setValue('secret');
  await screen.get('[data-profile="home"]').trigger('click');
  expect(input(screen, 'name').element.value).toBe('Home');
  await screen.get('[data-profile="work"]').trigger('click');
  await press('Save');
  expect(asked(main, 'profile.save')).toMatchObject([
    {
      profile: { id: 'work', chain: { servers: [{ host: 'other.example' }, { host: 'b.example' }] } },
      passwords: [{ server: 'a', password: 'secret' }],
    },
  ]);
  await input(screen, 'name').setValue('Another');
  await press('Revert');
  expect(input(screen, 'name').element.value).toBe('Work');
});

test('a mistake is said as one types, and nothing is saved with it', async () => {
  const { main, screen } = await show();
  await screen.get('[data-server="a"] [aria-expanded]').trigger('click');
  const port = input(screen, 'chain.servers.a.port');
  await port.setValue('99999');
  expect(screen.text()).toContain('A number from 1 to 65535.');
  expect(port.attributes('aria-invalid')).toBe('true');
  await press('Save');
  expect(asked(main, 'profile.save')).toEqual([]);
  expect(document.activeElement).toBe(port.element);
});

test('what the engine has against a field is shown at it, and all else above the form', async () => {
  const why = phrase('config.interface');
  let detail: Said = phrase('config.problems', {
    all: { clauses: [phrase('config.in-field', { field: 'egress', why })] },
  });
  const { screen } = await show({
    'profile.save': () => {
      throw new CulvertError('config-invalid', { detail });
    },
  });
  await input(screen, 'egress').setValue('wlan0');
  await press('Save');
  expect(screen.text()).toContain('Not taken: must be a name of an interface');
  expect(document.activeElement).toBe(input(screen, 'egress').element);
  expect(screen.find('[role="alert"]').exists()).toBe(false);
  detail = 'culvert.json:1:1 something else';
  await press('Save');
  expect(screen.get('[role="alert"]').text()).toContain('something else');
});

test('a profile that changes elsewhere is followed, but not over what was typed', async () => {
  const { main, screen } = await show();
  const renamed = (name: string) => view([{ ...two[0], name }, ...two.slice(1)]);
  main.tell('config', renamed('Elsewhere'));
  await flushPromises();
  expect(input(screen, 'name').element.value).toBe('Elsewhere');
  await input(screen, 'name').setValue('Mine');
  main.tell('config', renamed('Again'));
  await flushPromises();
  expect(input(screen, 'name').element.value).toBe('Mine');
  expect(screen.text()).toContain('was changed elsewhere');
});

test('Alt with an arrow moves a server, says so, and keeps the focus', async () => {
  const { screen } = await show();
  const first = screen.get<HTMLElement>('[data-server="a"] [aria-expanded]');
  first.element.focus();
  await first.trigger('keydown', { key: 'ArrowDown', altKey: true });
  await flushPromises();
  expect(screen.findAll('[data-server]').map((one) => one.attributes('data-server'))).toEqual(['b', 'a']);
  expect(screen.text()).toContain('Now number 2 of 2');
  expect(document.activeElement?.closest('[data-server]')?.getAttribute('data-server')).toBe('a');
});

test('leaving with changes asks; staying keeps them, discarding goes on', async () => {
  const { screen, router } = await show();
  await input(screen, 'name').setValue('Changed');
  await router.push('/rules');
  await flushPromises();
  expect(router.currentRoute.value.name).toBe('profiles');
  expect(document.body.textContent).toContain('Not saved yet: Changed.');
  await press('Stay here');
  expect(input(screen, 'name').element.value).toBe('Changed');
  await router.push('/rules');
  await flushPromises();
  await press('Discard', document.querySelector('[role="dialog"]') ?? document);
  await vi.waitFor(() => expect(router.currentRoute.value.name).toBe('rules'));
});

test('a test shows its lines as they come; what comes after it was cancelled is not shown', async () => {
  let finish: () => void = () => undefined;
  const line = { stage: 'reach', outcome: 'ok', ms: 12, text: 'it answers' } as const;
  const { main, screen } = await show({
    'profile.test': () =>
      new Promise((resolve) => {
        finish = () => resolve({ outcome: 'ok', exitAddress: '198.51.100.4', lines: [line] });
      }),
    'profile.endTest': () => ({}),
  });
  await press('Test', screen.get('.pane').element);
  const [{ test: id } = { test: '' }] = asked(main, 'profile.test') as { test: string }[];
  main.tell('testLine', { test: id, server: 'a', line });
  main.tell('testLine', { test: 'of another window', line: { ...line, text: 'not mine' } });
  await flushPromises();
  expect(screen.text()).toContain('it answers');
  expect(screen.text()).not.toContain('not mine');
  finish();
  await flushPromises();
  expect(screen.text()).toContain('Exit address 198.51.100.4');
  expect(screen.get('[data-profile="work"]').text()).toContain('12 ms');
  await press('Test', screen.get('.pane').element);
  await press('Cancel', screen.get('.test').element);
  finish();
  await flushPromises();
  expect(screen.text()).toContain('Cancelled');
  expect(asked(main, 'profile.endTest')).toHaveLength(1);
});

test('changes are tested as they stand, unsaved', async () => {
  const { main, screen } = await show({ 'profile.test': () => ({ outcome: 'ok', lines: [] }) });
  await input(screen, 'name').setValue('Changed');
  await press('Test', screen.get('.pane').element);
  expect(asked(main, 'profile.test')).toMatchObject([
    { of: { kind: 'draft', profile: { name: 'Changed' } } },
  ]);
});

test('all are tested, a few at a time, and sorted by what was measured', async () => {
  const times: Record<string, number> = { work: 90, home: 20 };
  const { screen } = await show({
    'profile.test': ({ of }) => {
      const ms = times[of.kind === 'profile' ? of.profile : ''] ?? 0;
      return { outcome: 'ok', lines: [{ stage: 'web', outcome: 'ok', ms, text: '' }] };
    },
  });
  await press('Test all');
  expect(useProfileTests().waiting).toEqual([]);
  await screen.get('[aria-label="Sort by latency"]').trigger('click');
  const order = screen.findAll('[data-profile]').map((one) => one.attributes('data-profile'));
  expect(order).toEqual(['home', 'work', 'none', 'direct']);
});

test('a new profile that is thrown away leaves nothing behind', async () => {
  const { screen } = await show();
  await press('New profile');
  expect(screen.findAll('[data-profile]')).toHaveLength(5);
  await press('Discard');
  expect(screen.findAll('[data-profile]')).toHaveLength(4);
  expect(useProfileDrafts().changed).toEqual([]);
});
