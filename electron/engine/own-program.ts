/** By which path a launcher, or the start of a session, finds Culvert tomorrow. */
import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { CulvertError } from '#shared/failure.ts';

/** Where a package puts its link; what is written with it goes on working when the package is another version. */
const usualPlaces = ['/usr/bin/culvert', '/usr/local/bin/culvert'];

/**
 * The absolute path of `culvert`: the usual one where that leads here, else where it lies. Throws `launcher-impossible` where
 * there is none, and for an AppImage, whose files are somewhere else each time.
 */
export function ownProgram(
  productDir: string,
  places: readonly string[] = usualPlaces,
  env: NodeJS.ProcessEnv = process.env,
): string {
  const program = join(productDir, 'bin', 'culvert');
  const appDir = env['APPDIR'] ?? '';
  if (isAbsolute(appDir) && productDir.startsWith(`${appDir}/`))
    throw unfit('an AppImage lies somewhere else each time');
  if (!existsSync(program)) throw unfit(`there is no ${program}`);
  return places.find((place) => isSame(place, program)) ?? program;
}

function unfit(detail: string): CulvertError {
  return new CulvertError('launcher-impossible', { detail });
}

function isSame(place: string, program: string): boolean {
  try {
    return realpathSync(place) === realpathSync(program);
  } catch {
    // One of them is not there.
    return false;
  }
}
