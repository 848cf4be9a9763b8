import { expect, test, vi } from 'vitest';
import { AppIcons } from '../../electron/engine/app-icons.ts';
import { Home } from './apps/home.ts';

const drawing = (colour: string) => `<svg xmlns="http://www.w3.org/2000/svg" fill="${colour}"/>`;

test('an icon is read once, and anew when it may be another one by now', async () => {
  using home = new Home();
  const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
  const icons = new AppIcons(home.env);
  const path = home.write('local/pixmaps/kite.svg', drawing('red'));
  const shown = async () => (await icons.read('kite', 48, 1))?.bytes.toString();
  expect(await shown()).toBe(drawing('red'));
  home.write('local/pixmaps/kite.svg', drawing('blue'));
  expect(await shown()).toBe(drawing('red'));
  clock.mockReturnValue(31_000);
  expect(await shown()).toBe(drawing('blue'));
  expect((await icons.read(path, 48, 1))?.mime).toBe('image/svg+xml');
  expect(await icons.read('none', 48, 1)).toBeUndefined();
  clock.mockRestore();
});
