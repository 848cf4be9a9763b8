/**
 * The status icon, drawn from its formula at any size: no files to convert, and none to go missing. It is of one
 * colour, light or dark as the panel wants it, with a faint rim of the other one, and tells its state by shape:
 * a culvert's arch as an outline, filled, filled with a stroke across, or with a dot at its corner.
 */
import type { TrayState } from './tray-menu.ts';

/** All measures are in a square of so many units, the usual size of a status icon. */
export const iconUnits = 22;
const samples = 4;
const rim = { width: 0.9, opacity: 0.4 };
const ink = { light: 0xf2, dark: 0x24 };

type Shape = (x: number, y: number) => boolean;

const arch =
  (radius: number): Shape =>
  (x, y) =>
    y <= 11 ? Math.hypot(x - 11, y - 11) <= radius : Math.abs(x - 11) <= radius && y <= 19;
const circle =
  (centre: number, radius: number): Shape =>
  (x, y) =>
    Math.hypot(x - centre, y - centre) <= radius;
/** From one corner to the other. */
const stroke =
  (half: number): Shape =>
  (x, y) =>
    Math.abs(x - y) <= half * Math.SQRT2 && x + y >= 6 && x + y <= 38;

const full = arch(8);
const hollow = arch(6.2);
const opening: Shape = (x, y) => arch(3)(x, y - 2) || (Math.abs(x - 11) <= 3 && y >= 13);
const filled: Shape = (x, y) => full(x, y) && !opening(x, y);

const shapes: Record<TrayState, Shape> = {
  idle: (x, y) => full(x, y) && !hollow(x, y),
  protected: filled,
  blocked: (x, y) => stroke(1)(x, y) || (filled(x, y) && !stroke(2.2)(x, y)),
  trouble: (x, y) => circle(17.4, 3.4)(x, y) || (filled(x, y) && !circle(17.4, 5)(x, y)),
};

/** Pixels of `size` × `size`, four bytes each (blue, green, red, opacity), colours multiplied by the opacity. */
export function drawTrayIcon(state: TrayState, size: number, isOnDark: boolean): Buffer {
  const shape = shapes[state];
  const [body, edge] = isOnDark ? [ink.light, ink.dark] : [ink.dark, ink.light];
  const pixels = Buffer.alloc(size * size * 4);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const covered = coverage(shape, column, row, size);
      const near = coverage(rimOf(shape), column, row, size) * rim.opacity * (1 - covered);
      const opacity = covered + near;
      const colour = covered * body + near * edge;
      pixels.fill(Math.round(colour), (row * size + column) * 4, (row * size + column) * 4 + 3);
      pixels[(row * size + column) * 4 + 3] = Math.round(opacity * 255);
    }
  }
  return pixels;
}

/** How much of a pixel is inside of a shape, 0 to 1. */
function coverage(shape: Shape, column: number, row: number, size: number): number {
  let inside = 0;
  for (let index = 0; index < samples * samples; index += 1) {
    const x = column + ((index % samples) + 0.5) / samples;
    const y = row + (Math.floor(index / samples) + 0.5) / samples;
    if (shape((x * iconUnits) / size, (y * iconUnits) / size)) inside += 1;
  }
  return inside / (samples * samples);
}

function rimOf(shape: Shape): Shape {
  return (x, y) =>
    [-1, 0, 1].some((down) => [-1, 0, 1].some((right) => shape(x + right * rim.width, y + down * rim.width)));
}
