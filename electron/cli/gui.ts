/**
 * `culvert gui`: opens the window, or brings the one that is open to the front: Electron sees to it that there is
 * one only. The window does not end with this program.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import { installedWindow } from '#engine';
import { findElectron } from './electron-place.ts';

export interface GuiOptions {
  /** Id of an app that is to be shown; launchers name it. */
  readonly app?: string | undefined;
  readonly background?: boolean | undefined;
  /** An app that is to be opened there, and through which profile. */
  readonly open?: string | undefined;
  readonly profile?: string | undefined;
}

/** Resolves when the window's program runs. Throws `window-unavailable` with the reason. */
export async function gui(options: GuiOptions, productDir: string): Promise<void> {
  const electron = programFor(productDir);
  const words = (['app', 'open', 'profile'] as const).flatMap((name) => {
    const value = options[name];
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  const background = options.background === true ? ['--background'] : [];
  // A packaged program knows what it is; Electron itself is told where the clone is.
  const what = installedWindow(productDir) === undefined ? [dirname(productDir)] : [];
  const child = spawn(electron, [...what, ...background, ...words], { detached: true, stdio: 'ignore' });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(unavailable(`${electron}: ${error.message}`));
    });
  });
  child.unref();
}

function programFor(productDir: string): string {
  if ((process.env['DISPLAY'] ?? '') === '' && (process.env['WAYLAND_DISPLAY'] ?? '') === '')
    throw unavailable('there is no display: neither DISPLAY nor WAYLAND_DISPLAY is set');
  // Its sandbox does not work for root, and a window of root's is not wanted anyway.
  if (process.getuid?.() === 0)
    throw unavailable('it is not opened for root; start it as the user of the desktop');
  if (installedWindow(productDir) === undefined && !existsSync(join(productDir, 'main.cjs')))
    throw unavailable('this build is without the window');
  const electron = findElectron(productDir);
  if (electron === undefined) throw unavailable('Electron was not found; `build/setup.sh run` brings it');
  return electron;
}

function unavailable(detail: string): CulvertError {
  return new CulvertError('window-unavailable', { detail });
}
