/** A configuration directory of a test's own, and configurations to write into it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigStore } from '../../../electron/engine/config/store.ts';
import { checkConfig } from '../../../electron/engine/config/parse.ts';
import type { Config, Profile } from '../../../electron/shared/profile.ts';
import { CulvertError, type Failure } from '../../../electron/shared/failure.ts';

export class Sandbox implements Disposable {
  readonly dir: string;
  readonly store: ConfigStore;
  readonly path: string;

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'culvert-config-'));
    this.store = ConfigStore.open(this.dir);
    this.path = this.store.path;
  }

  write(text: string): void {
    writeFileSync(this.path, text);
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A whole configuration from what matters of it. */
export function configWith(parts: object): Config {
  return checkConfig({ version: 1, ...parts });
}

/** A profile with one server, and what else is given. */
export function profileWith(id: string, parts: object = {}): Profile {
  const chain = { servers: [{ id: 's', kind: 'socks5', host: 'proxy.example', port: 1080 }] };
  const made = configWith({ profiles: [{ id, name: id, chain, failure: { policy: 'block' }, ...parts }] })
    .profiles[0];
  if (made === undefined) throw new Error('no profile was made');
  return made;
}

/** The failure that some work ends with. */
export async function failureIn(work: () => unknown): Promise<Failure> {
  try {
    await work();
  } catch (error) {
    if (error instanceof CulvertError) return error.failure;
    throw error;
  }
  throw new Error('nothing failed');
}
