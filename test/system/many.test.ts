/** A hundred lanes come and go, and everything is where it was. */
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle } from '../world/artefact.ts';
import { isolations, Product } from '../world/product.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';

let world: World;
let product: Product;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

interface Held {
  readonly descriptors: number;
  readonly rssKiB: number;
  readonly lanes: number;
}

test.each(isolations)(
  '100 lanes leave descriptors, memory and namespaces as they were (%s)',
  async (isolation) => {
    await using proxy = await world.proxy('microsocks');
    const script = join(product.dir, 'drive.cjs');
    cpSync(bundle('test/system/drive.ts'), script);
    const fetch = ['curl', '-sS', '-o', '/dev/null', 'http://example.test/'];
    // V8's young generation grows in steps of several MiB when it likes to: a small one of one size lets ours be seen.
    const node = [process.execPath, '--expose-gc', '--max-semi-space-size=1'];
    const command = [...node, script, product.dir, proxy.url, isolation, ...fetch];
    await using drive = world.spawn(command, { user: 'culvert-a' });
    const answers = () =>
      drive.stdout
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Held);
    const after = async (lanes: number): Promise<Held> => {
      const heard = answers().length;
      drive.write(`${lanes}\n`);
      return until(`${lanes} lanes`, () => answers()[heard], 90_000);
    };

    // The first hundreds bring what is kept for good: the pump, buffers of the allocator, code and what V8 knows of it.
    await after(300);
    const namespaces = world.netNamespaces();
    const pids = world.pids().length;
    const before = await after(1);
    const end = await after(100);

    expect(end.lanes).toBe(0);
    // A thread may still be about to close the last lane's; what every lane left would be a hundred by now.
    await until(
      'the descriptors to be closed',
      async () => (await after(0)).descriptors <= before.descriptors,
    );
    expect(end.rssKiB).toBeLessThan(before.rssKiB + 3 * 1024);
    await until('the processes to be gone', () => world.pids().length <= pids);
    expect(world.netNamespaces()).toEqual(namespaces);
    const { uid } = world.users['culvert-a'];
    const own = `engine-${drive.pid}.sock`;
    expect(readdirSync(world.path(`/run/user/${uid}/culvert`)).filter((name) => name !== own)).toEqual([]);
    drive.child.stdin?.end();
    expect((await drive.ended).code).toBe(0);
  },
);
