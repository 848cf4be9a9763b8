// @vitest-environment happy-dom
/** What is done with profiles beside editing them: importing, exporting, deleting. */
import { flushPromises } from '@vue/test-utils';
import { beforeEach, expect, test } from 'vitest';
import { CulvertError } from '../../electron/shared/failure.ts';
import { useNotices } from '../../renderer/stores/notices.ts';
import { useProfileDeeds } from '../../renderer/stores/profile-deeds.ts';
import { useProfileImport } from '../../renderer/stores/profile-import.ts';
import { useTaking } from '../../renderer/stores/taking.ts';
import { asked, clear, input, press, show } from './profile-screen.ts';

const imported = { id: 'work', name: 'Work', colour: '#3a6ea5', letter: 'W' };

beforeEach(clear);

test('what is pasted beside the fields is tried first, and imported only then', async () => {
  const lines = [
    { line: 1, status: 'taken', text: 'Work: socks5://a.example:1080' },
    { line: 2, status: 'invalid', text: 'nonsense', reason: 'port missing' },
  ] as const;
  const { main, screen } = await show({
    'profile.import': () => ({
      ...{ kind: 'links', rules: 0, passwords: 0 },
      profiles: [imported],
      lines: [...lines],
    }),
  });
  const paste = async (target: Element): Promise<void> => {
    const event = new Event('paste', { bubbles: true, cancelable: true });
    const clipboardData = {
      types: ['text/plain'],
      files: [],
      getData: (type: string) => (type === 'text/plain' ? 'socks5://a' : ''),
    };
    target.dispatchEvent(Object.assign(event, { clipboardData }));
    await flushPromises();
  };
  await paste(input(screen, 'name').element);
  expect(asked(main, 'profile.import')).toEqual([]);
  await paste(document.body);
  expect(document.body.textContent).toContain('port missing');
  await press('Import one profile');
  expect(asked(main, 'profile.import').map((params) => (params as { isTrial: boolean }).isTrial)).toEqual([
    true,
    false,
  ]);
  expect(document.body.textContent).toContain('Imported one profile');
});

test('a text that is none of the kinds comes back with the reason, to be corrected', async () => {
  const { main } = await show({
    'profile.import': () => {
      throw new CulvertError('import-invalid', { detail: '20000 lines' });
    },
  });
  await useProfileImport().read({ kind: 'text', text: 'what is this' });
  await flushPromises();
  expect(document.body.textContent).toContain('20000 lines');
  expect(document.querySelector('textarea')?.value).toBe('what is this');
  await useProfileImport().read({ kind: 'text', text: 'x'.repeat(900_001) });
  expect(asked(main, 'profile.import')).toHaveLength(1);
  expect(useProfileImport().step?.kind).toBe('asked');
});

test('a dropped list goes to the import, from the apps too', async () => {
  const { main } = await show({
    'app.target': ({ path }) => ({ kind: 'import', path }),
    'profile.import': () => ({ kind: 'links', profiles: [], rules: 0, passwords: 0, lines: [] }),
  });
  await useTaking().take('/home/me/list.conf', 'open');
  await flushPromises();
  expect(asked(main, 'profile.import')).toEqual([
    { from: { kind: 'file', path: '/home/me/list.conf' }, isTrial: true },
  ]);
  expect(document.body.textContent).toContain('Nothing in it can be imported');
});

test('a profile in use is deleted only once its user has seen by what', async () => {
  const uses = {
    isDefault: true,
    apps: ['firefox'],
    rules: [],
    failovers: ['home'],
    launchers: ['Firefox (Work)'],
  };
  const { main } = await show({ 'profile.uses': () => uses, 'profile.remove': () => ({}) });
  await useProfileDeeds().askToRemove('work', 'Work');
  await flushPromises();
  const words = document.querySelector('[role="dialog"]')?.textContent ?? '';
  for (const said of [
    'Apps: firefox',
    'Takes over for: Home',
    'Launchers: Firefox (Work)',
    'it is the default',
  ])
    expect(words).toContain(said);
  expect(asked(main, 'profile.remove')).toEqual([]);
  await press('Delete', document.querySelector('[role="dialog"] footer') ?? document);
  expect(asked(main, 'profile.remove')).toEqual([{ profile: 'work', force: true }]);
});

test('an export is told by its name, never by its text', async () => {
  const { main } = await show({
    'profile.export': () => ({ text: 'socks5://me:secret@a.example', leftOut: ['Nothing'] }),
  });
  useProfileDeeds().question = { kind: 'export', id: 'work', name: 'Work' };
  await flushPromises();
  document.querySelector<HTMLElement>('[role="dialog"] input[type="checkbox"]')?.click();
  await press('Copy', document.querySelector('[role="dialog"] footer') ?? document);
  expect(asked(main, 'profile.export')).toEqual([
    { profiles: ['work'], format: 'links', withPasswords: true },
  ]);
  expect(asked(main, 'text.copy')).toEqual([{ text: 'socks5://me:secret@a.example' }]);
  const told = useNotices().shown.map(({ text }) => text ?? '');
  expect(told.join(' ')).not.toContain('secret');
  expect(told.join(' ')).toContain('Nothing');
});
