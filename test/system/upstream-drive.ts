/** Asks things of `upstream-driver.ts` inside a world, as an ordinary user of its host. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { Upstream } from '#shared/model.ts';
import { bundle } from '../world/artefact.ts';
import type { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { World } from '../world/world.ts';
import type { DriverAnswer, DriverRequest } from './upstream-driver.ts';

export type { DriverAnswer, DriverRequest } from './upstream-driver.ts';

/** One process answers all requests, one after the other. */
export async function drive(
  world: World,
  product: Product,
  requests: readonly DriverRequest[],
  env: Readonly<Record<string, string>> = {},
): Promise<DriverAnswer[]> {
  // Beside the product's modules, where it finds koffi.
  const script = join(product.dir, 'upstream-driver.cjs');
  cpSync(bundle('test/system/upstream-driver.ts'), script);
  const stdin = requests.map((request) => `${JSON.stringify(request)}\n`).join('');
  const text = await world.must([process.execPath, script, product.dir], { user: 'culvert-a', stdin, env });
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as DriverAnswer);
}

/** The one answer to one request. */
export async function ask(
  world: World,
  product: Product,
  request: DriverRequest,
  env?: Readonly<Record<string, string>>,
): Promise<DriverAnswer> {
  const [answer] = await drive(world, product, [request], env);
  if (answer === undefined) throw new Error('the driver said nothing');
  return answer;
}

/** A proxy of the world as an upstream. */
export function upstreamOf(proxy: Proxy, more: Partial<Upstream> = {}): Upstream {
  const { address, port, user, password, url } = proxy;
  const kind = new URL(url).protocol.slice(0, -1) as Upstream['kind'];
  const signIn = user === undefined || password === undefined ? {} : { user, password };
  return { kind, host: address, port, ...signIn, ...more };
}
