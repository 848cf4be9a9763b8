/** Where the window keeps its things (XDG Base Directory Specification: relative values are ignored). */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { productPath } from '#shared/identity.ts';

export interface Places {
  /** What the user chose of its looks. */
  readonly preferences: string;
  /** Where it was. */
  readonly windowState: string;
  /** What the user was told once. */
  readonly toldOnce: string;
  /** The apps that were opened lately. */
  readonly recentApps: string;
  /** What Chromium keeps: nothing that anybody would miss. */
  readonly browser: string;
  /** The built page. */
  readonly page: string;
  readonly preload: string;
  /** Where the engine and what it needs are: files of their own, also in a package. */
  readonly product: string;
}

/** `dist` is where main's own bundle is; `installed`, for a package, the directory of Electron's program. */
export function placesOf(dist: string, env: NodeJS.ProcessEnv, installed?: string): Places {
  const config = base(env['XDG_CONFIG_HOME'], '.config');
  const state = base(env['XDG_STATE_HOME'], '.local/state');
  return {
    preferences: join(config, 'window.json'),
    windowState: join(state, 'window.json'),
    toldOnce: join(state, 'told.json'),
    recentApps: join(state, 'recent.json'),
    browser: join(state, 'browser'),
    page: join(dist, 'renderer'),
    preload: join(dist, 'preload.cjs'),
    product: installed === undefined ? dist : join(installed, productPath),
  };
}

function base(value: string | undefined, otherwise: string): string {
  const parent = value !== undefined && isAbsolute(value) ? value : join(homedir(), otherwise);
  return join(parent, 'culvert');
}
