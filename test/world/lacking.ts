/** A host that lacks something of what Culvert needs, until it is disposed; only the world's own host does. */
import { chmodSync, copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from './world.ts';

/** A file of root's in the world's directory that everybody can read. */
export function written(world: World, name: string, text: string, mode = 0o644): string {
  const path = join(world.dir, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

/** Another file in the place of one of the host's. */
export async function covered(world: World, path: string, by: string): Promise<AsyncDisposable> {
  await world.shell(`mount --bind ${by} ${path}`);
  return {
    [Symbol.asyncDispose]: async () => {
      await world.shell(`umount ${path}`);
    },
  };
}

/** A folder of programs in which some are not. */
export async function without(
  world: World,
  folder: '/usr/bin' | '/usr/sbin',
  ...programs: string[]
): Promise<AsyncDisposable> {
  const upper = join(world.dir, `without-${programs.join('-')}`);
  await world.shell(
    `mkdir -p ${upper}
    mount -t tmpfs culvert-world ${upper}
    mkdir ${upper}/upper ${upper}/work
    chmod 755 ${upper}/upper
    mount -t overlay -o lowerdir=${folder},upperdir=${upper}/upper,workdir=${upper}/work culvert-world ${folder}
    cd ${folder} && rm ${programs.join(' ')}`,
  );
  return {
    [Symbol.asyncDispose]: async () => {
      await world.shell(`umount -l ${folder}; umount -l ${upper}`);
    },
  };
}

/** A kernel without nft tproxy, as nft tells of it. */
export async function withoutTproxy(world: World): Promise<AsyncDisposable> {
  const real = join(world.dir, 'nft');
  copyFileSync('/usr/sbin/nft', real);
  chmodSync(real, 0o755);
  const wrapper = `#!/bin/sh
case $1 in --version) exec ${real} --version ;; esac
rules=$(cat)
case $rules in *tproxy*) echo 'Error: Could not process rule: No such file or directory' >&2; exit 1 ;; esac
printf '%s\\n' "$rules" | ${real} "$@"
`;
  return covered(world, '/usr/sbin/nft', written(world, 'without-tproxy', wrapper, 0o755));
}
