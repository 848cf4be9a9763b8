/** The status icon: each state has a shape of its own at each size, light and dark. */
import { expect, test } from 'vitest';
import { drawTrayIcon } from '../../electron/main/tray-icon.ts';
import { trayStates } from '../../electron/main/tray-menu.ts';

const sizes = [16, 22, 24, 32, 33, 44, 48];

/** Which pixels are mostly covered by the body, whatever its colour is. */
function shapeOf(pixels: Buffer): readonly boolean[] {
  return Array.from({ length: pixels.length / 4 }, (_, index) => (pixels[index * 4 + 3] ?? 0) > 150);
}

test.each(sizes)('states differ by shape at %i pixels, not by colour alone', (size) => {
  const shapes = trayStates.map((state) => shapeOf(drawTrayIcon(state, size, true)));
  for (const [index, one] of shapes.entries()) {
    expect(one).toHaveLength(size * size);
    for (const other of shapes.slice(index + 1)) {
      const differing = one.filter((is, at) => is !== other[at]).length;
      expect(differing / one.length).toBeGreaterThan(0.04);
    }
  }
});

test('light and dark have one shape and opposite colours, multiplied by their opacity', () => {
  for (const state of trayStates) {
    const light = drawTrayIcon(state, 22, true);
    const dark = drawTrayIcon(state, 22, false);
    expect(shapeOf(light)).toEqual(shapeOf(dark));
    const brightest = (pixels: Buffer) => Math.max(...pixels.filter((_, at) => at % 4 !== 3));
    expect(brightest(light)).toBeGreaterThan(230);
    expect(brightest(dark)).toBeLessThan(110);
    for (const pixels of [light, dark])
      for (let at = 0; at < pixels.length; at += 4)
        expect(pixels[at]).toBeLessThanOrEqual((pixels[at + 3] ?? 0) + 1);
  }
});
