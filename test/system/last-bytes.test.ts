/** What a program wrote before it ended arrives, however soon it ended: by the kernel's evidence, not by luck. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { internet, ports } from '../world/addresses.ts';
import { isolations, Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';

const connections = 400;

let world: World;
let product: Product;
let proxy: Proxy;

beforeAll(async () => {
  world = await World.create({ sudo: true });
  product = Product.install(world);
  proxy = await world.proxy('dante');
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** Connects many times at once, writes as soon as it may, and is gone. */
const program = `
import os, select, socket
poll, waiting = select.epoll(), {}
for i in range(${connections}):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(('${internet.web4}', ${ports.discard}))
    poll.register(s, select.EPOLLOUT)
    waiting[s.fileno()] = s
written = 0
while written < ${connections}:
    for fd, event in poll.poll():
        waiting[fd].send(b'last words')
        poll.unregister(fd)
        written += 1
os._exit(0)
`;

describe.each(isolations)('%s', (isolation) => {
  test('many connections of a program that ends at once are all carried to their end', async () => {
    for (let round = 0; round < 2; round += 1) {
      await world.internet.forget();
      await product.must(['/usr/bin/python3', '-c', program], { proxy: proxy.url, isolation });
      const whole = async () =>
        (await world.internet.seen()).filter(({ bytes, end }) => bytes === 10 && end !== 'reset').length;
      await until('all of them', async () => (await whole()) === connections);
    }
  });
});
