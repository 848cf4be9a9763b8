/** `culvert doctor` on real systems: one that has everything, and others that lack one thing each. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { covered, without, withoutTproxy } from '../world/lacking.ts';
import { Product } from '../world/product.ts';
import { until } from '../world/until.ts';
import { World, type RunOptions } from '../world/world.ts';

interface Line {
  readonly id: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly found: string;
  readonly todo?: string;
}

let world: World;
let product: Product;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const user = 'culvert-a';

/** What it found, by the ids of its lines, and whether it holds lanes possible. `before`: what starts it. */
async function look(before: readonly string[] = [], options: RunOptions = { user }) {
  const { stdout, stderr, code } = await world.run([...before, product.culvert, 'doctor', '--json'], options);
  expect(stderr).toBe('');
  const { possible, ways, checks } = JSON.parse(stdout) as {
    possible: boolean;
    ways: object;
    checks: Line[];
  };
  expect(code).toBe(possible ? 0 : 5);
  return { possible, ways, lines: new Map(checks.map((line) => [line.id, line])) };
}

/** The lines that are not all right, each with what to do. */
function troubles({ lines }: { lines: ReadonlyMap<string, Line> }): Line[] {
  const found = [...lines.values()].filter(({ state }) => state !== 'ok');
  expect(found.filter(({ todo }) => todo === undefined)).toEqual([]);
  return found;
}

const idsOf = (lines: readonly Line[]) => lines.map(({ id, state }) => `${id} ${state}`);

test('a computer that has everything: each thing is looked at, nothing is changed or left', async () => {
  const state = await world.hostState();
  const namespaces = world.netNamespaces();
  const found = await look();
  expect(troubles(found)).toEqual([]);
  expect(found.ways).toEqual({ rootless: true, privileged: true });
  const looked = ['kernel', 'splice', 'user-namespaces', 'nft-tproxy', 'ip', 'nft', 'polkit-action'];
  for (const id of [...looked, 'open-files', 'electron', 'lane']) expect(found.lines.has(id), id).toBe(true);
  expect(found.lines.get('lane')?.found).toMatch(/^made and removed, rootless, in \d+ ms$/);
  await until('everything to be gone', () => world.leftovers().length === 0);
  expect(world.netNamespaces()).toEqual(namespaces);
  expect(await world.hostState()).toBe(state);
});

test('for people it is a line each, with a sign, and a last sentence', async () => {
  const said = await world.must([product.culvert, 'doctor'], { user });
  expect(said).toMatch(/^✓ kernel +Linux [0-9.]+/);
  expect(said).not.toMatch(/[!✗]/);
  expect(said.trim().split('\n').at(-1)).toBe('Culvert can work here, without a password.');
  const asRoot = await world.must([product.culvert, 'doctor']);
  expect(asRoot).toContain('made and removed, privileged');
  expect(asRoot.trim().split('\n').at(-1)).toBe('Culvert can work here, as root.');
});

describe('what is missing is named, with what to do', () => {
  test('nft, which nothing works without', async () => {
    await using _ = await without(world, '/usr/sbin', 'nft');
    const found = await look();
    expect(idsOf(troubles(found))).toEqual(['nft failed', 'nft-tproxy failed', 'lane failed']);
    expect(found.lines.get('nft')).toMatchObject({ found: 'not found', todo: 'sudo apt install nftables' });
    expect(found.possible).toBe(false);
  });

  test('ip, which is there and does not run', async () => {
    await using _ = await covered(world, '/usr/sbin/ip', '/dev/null');
    const found = await look();
    expect(found.lines.get('ip')).toMatchObject({
      state: 'failed',
      found: expect.stringMatching(/^does not run: .*EACCES.* \(\/usr\/sbin\/ip\)$/) as string,
      todo: 'sudo apt install iproute2',
    });
    expect(found.possible).toBe(false);
  });

  test('nft tproxy, without which TCP still works', async () => {
    await using _ = await withoutTproxy(world);
    const found = await look();
    expect(idsOf(troubles(found))).toEqual(['nft-tproxy warning']);
    expect(found.lines.get('nft-tproxy')?.found).toMatch(/TCP works, UDP is refused/);
    expect(found.possible).toBe(true);
  });

  test('user namespaces: lanes are possible with a password', async () => {
    await using _ = await covered(world, '/usr/bin/unshare', '/bin/false');
    const found = await look();
    expect(found.lines.get('user-namespaces')?.state).toBe('warning');
    expect(found.lines.get('lane')).toMatchObject({ state: 'warning', todo: 'use --isolation helper' });
    expect(found.ways).toEqual({ rootless: false, privileged: true });
  });

  test('user namespaces and every way to root: nothing is possible', async () => {
    await using _unshare = await covered(world, '/usr/bin/unshare', '/bin/false');
    const found = await look(['setpriv', '--no-new-privs']);
    expect(found.lines.get('permission')).toMatchObject({
      state: 'failed',
      found: expect.stringContaining('NoNewPrivs') as string,
    });
    expect(found.possible).toBe(false);
  });

  test('the switch of the kernel that forbids user namespaces', async () => {
    const forbid = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" "$@"';
    const found = await look(['unshare', '--user', '--map-root-user', 'sh', '-c', forbid]);
    expect(found.lines.get('user-namespaces')).toMatchObject({
      state: 'warning',
      found: expect.stringContaining('sudo sysctl user.max_user_namespaces=') as string,
    });
  });

  test('open files', async () => {
    const found = await look(['prlimit', '--nofile=1024:1024']);
    expect(idsOf(troubles(found))).toEqual(['open-files warning']);
    expect(found.lines.get('open-files')?.todo).toMatch(/LimitNOFILE/);
  });
});
