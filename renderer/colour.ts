/** Which ink can be read on a colour that the user chose (WCAG 2.2, relative luminance and contrast ratio). */

const colourForm = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i;

/** Black or white, whichever has more contrast on `colour` (#rrggbb); undefined for any other text. */
export function inkOn(colour: string): '#000000' | '#ffffff' | undefined {
  const parts = colourForm.exec(colour)?.slice(1);
  if (parts === undefined) return undefined;
  const [red = 0, green = 0, blue = 0] = parts.map((part) => linear(Number.parseInt(part, 16) / 255));
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) ? '#000000' : '#ffffff';
}

function linear(channel: number): number {
  return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
}
