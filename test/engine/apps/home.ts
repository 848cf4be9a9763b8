/** A home directory of a test's own, with data directories in it and nothing of the machine's. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export class Home {
  readonly dir = mkdtempSync(join(tmpdir(), 'culvert-apps-'));
  readonly env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.env = {
      HOME: this.dir,
      XDG_DATA_HOME: this.path('data'),
      XDG_DATA_DIRS: `${this.path('local')}:${this.path('system')}`,
      XDG_CONFIG_HOME: this.path('config'),
      XDG_STATE_HOME: this.path('state'),
      XDG_RUNTIME_DIR: this.path('run'),
      PATH: this.path('bin'),
      LANG: 'C.UTF-8',
      ...env,
    };
    for (const name of ['data', 'local', 'system', 'config', 'state', 'run', 'bin'])
      mkdirSync(this.path(name));
    this.program('true');
  }

  path(...parts: string[]): string {
    return join(this.dir, ...parts);
  }

  write(path: string, content: string | Uint8Array, mode = 0o644): string {
    const full = this.path(path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    chmodSync(full, mode);
    return full;
  }

  /** A desktop entry in one of the data directories; keys of the main group, lines of other groups after them. */
  entry(path: string, keys: Record<string, string>, more = ''): string {
    const all = { Type: 'Application', Name: path, Exec: 'true', ...keys };
    const lines = Object.entries(all).map(([key, value]) => `${key}=${value}\n`);
    return this.write(`${path}.desktop`, `[Desktop Entry]\n${lines.join('')}${more}`);
  }

  /** An executable script in the PATH. */
  program(name: string, text = '#!/bin/sh\nexit 0\n'): string {
    return this.write(join('bin', name), text, 0o755);
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}
