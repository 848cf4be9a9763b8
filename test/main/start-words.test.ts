/** What the window's program was started with. */
import { expect, test } from 'vitest';
import { startWords } from '../../electron/main/start-words.ts';

test('a launcher names its app as its entry is called, and a program by its path', () => {
  expect(startWords(['electron', '/culvert', '--app=firefox-esr.desktop']).app).toBe('firefox-esr');
  expect(startWords(['electron', '--app=/opt/tool.desktop']).app).toBe('/opt/tool.desktop');
  expect(startWords(['electron', '--app=']).app).toBeUndefined();
  expect(startWords(['electron', '--inspect=0', '/culvert'])).toEqual({
    isInBackground: false,
    app: undefined,
    open: undefined,
  });
  expect(startWords(['electron', '--open=firefox.desktop', '--profile=work']).open).toEqual({
    app: 'firefox',
    profile: 'work',
  });
});

test('at log-in it is not shown', () => {
  expect(startWords(['electron', '/culvert', '--background']).isInBackground).toBe(true);
});
