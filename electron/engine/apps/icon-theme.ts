/** The index of an icon theme (Icon Theme Specification 0.13): its directories and the sizes they are for. Plain functions. */
import { listOf, parseDesktopEntry, unescapeValue, type EntryGroup } from './desktop-entry.ts';

export interface ThemeDirectory {
  /** Below the theme's own directory. */
  readonly path: string;
  readonly size: number;
  readonly scale: number;
  /** The smallest and largest width that its icons are good for, in pixels before the scale. */
  readonly min: number;
  readonly max: number;
}

export interface ThemeIndex {
  readonly inherits: string[];
  readonly directories: ThemeDirectory[];
}

const maxDirectories = 2000;

/** Reads `index.theme`. Directories that would lie outside of the theme are left out, as are those without a size. */
export function parseTheme(text: string): ThemeIndex {
  const { groups } = parseDesktopEntry(text);
  const theme = groups.get('Icon Theme');
  const names = ['Directories', 'ScaledDirectories'].flatMap((key) => commaList(theme?.get(key)));
  return {
    inherits: commaList(theme?.get('Inherits')),
    directories: [...new Set(names)]
      .slice(0, maxDirectories)
      .flatMap((path) => directoryOf(path, groups.get(path))),
  };
}

/** Lists of themes are parted by commas; some write semicolons. */
function commaList(value: string | undefined): string[] {
  const parts = listOf(value).flatMap((part) => unescapeValue(part).split(','));
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function directoryOf(path: string, group: EntryGroup | undefined): ThemeDirectory[] {
  const size = numberOf(group, 'Size');
  if (group === undefined || size === undefined || path.startsWith('/') || path.split('/').includes('..'))
    return [];
  const scale = numberOf(group, 'Scale') ?? 1;
  const type = group.get('Type')?.trim() ?? 'Threshold';
  const threshold = type === 'Fixed' ? 0 : (numberOf(group, 'Threshold') ?? 2);
  return type === 'Scalable'
    ? [
        {
          path,
          size,
          scale,
          min: numberOf(group, 'MinSize') ?? size,
          max: numberOf(group, 'MaxSize') ?? size,
        },
      ]
    : [{ path, size, scale, min: size - threshold, max: size + threshold }];
}

function numberOf(group: EntryGroup | undefined, key: string): number | undefined {
  const value = group?.get(key)?.trim() ?? '';
  return /^[0-9]{1,5}$/.test(value) && Number(value) > 0 ? Number(value) : undefined;
}

/**
 * How far a directory's icons are from what is wanted: 0 where they fit, else in pixels; of another scale they fit
 * less than any that are of the same (DirectoryMatchesSize, DirectorySizeDistance).
 */
export function sizeDistance(directory: ThemeDirectory, wanted: { size: number; scale: number }): number {
  const pixels = wanted.size * wanted.scale;
  const [least, most] = [directory.min * directory.scale, directory.max * directory.scale];
  if (pixels < least) return least - pixels;
  if (pixels > most) return pixels - most;
  return directory.scale === wanted.scale ? 0 : 0.5;
}
