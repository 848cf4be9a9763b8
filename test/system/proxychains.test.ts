/** Files of proxychains4 as they are, behind `culvert run -f`: each mode, localnet and dnat, with real proxies. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { internet } from '../world/addresses.ts';
import { describePackets, type Capture } from '../world/capture.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';
import { said } from './policy-stage.ts';

/** The file that Debian's package installs. */
const installed = '/etc/proxychains4.conf';
/** What it says without its comments: a proxy on this computer, where Tor listens. */
const usual = {
  options: 'proxy_dns\nremote_dns_subnet 224\ntcp_read_time_out 15000\ntcp_connect_time_out 8000\n',
  list: '[ProxyList]\n# defaults set to "tor"\nsocks4 \t127.0.0.1 9050\n',
};

let world: World;
let product: Product;
let capture: Capture;
/** At 127.0.0.1:9050. It takes SOCKS4 with names, as Tor does. */
let tor: Proxy;
let one: Proxy;
let two: Proxy;
let files = 0;

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  tor = await world.proxy('ssh', { port: 9050 });
  one = await world.proxy('microsocks');
  two = await world.proxy('microsocks');
  capture = await world.capture();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await capture.clear();
});

const line = ({ address, port }: Pick<Proxy, 'address' | 'port'>) => `socks5 ${address} ${port}\n`;
/** Nothing listens there. */
const dead = { address: internet.proxy4, port: 1 };

function write(text: string): string {
  files += 1;
  const path = join(world.dir, `proxychains-${files}.conf`);
  writeFileSync(path, text);
  return path;
}

const runOn = (path: string, command: readonly string[]) =>
  product.run(command, { isolation: 'rootless', options: ['--file', path] });
const fetch = (path: string, host: string) =>
  runOn(path, ['curl', '-sS', '--max-time', '10', `http://${host}/`]);

async function saidBy(proxy: Proxy, destination: string): Promise<void> {
  await until(`the proxy to be asked for ${destination}`, () => said(proxy, destination));
}

test.skipIf(!existsSync(installed))('the file of the package runs a command as it is', async () => {
  expect(await fetch(installed, 'installed.example.test')).toMatchObject({ stdout: greeting, code: 0 });
  expect(describePackets(await capture.leaks(tor.exceptions))).toBe('');
});

describe('a strict chain', () => {
  test('of one proxy on this computer carries names, and nothing goes beside it', async () => {
    const path = write(`strict_chain\n${usual.options}${usual.list}`);
    expect(await fetch(path, 'one.example.test')).toMatchObject({ stdout: greeting, code: 0 });
    expect(await fetch(path, internet.web4)).toMatchObject({ stdout: greeting, code: 0 });
    expect(describePackets(await capture.leaks(tor.exceptions))).toBe('');
  });

  test('goes through all of its proxies in their order', async () => {
    const path = write(`strict_chain\n${usual.options}${usual.list}${line(one)}${line(two)}`);
    expect(await fetch(path, 'three.example.test')).toMatchObject({ stdout: greeting, code: 0 });
    await saidBy(two, 'three.example.test');
    await saidBy(one, two.address);
    expect(said(one, 'three.example.test')).toBe(false);
    expect(describePackets(await capture.leaks(tor.exceptions))).toBe('');
  });

  test('with a dead proxy carries nothing, and nothing goes beside it', async () => {
    const path = write(`strict_chain\n${usual.options}${usual.list}${line(dead)}${line(one)}`);
    // 56 is curl's for a connection that was reset.
    expect(await fetch(path, 'dead.example.test')).toMatchObject({ stdout: '', code: 56 });
    expect(said(one, 'dead.example.test')).toBe(false);
    expect(describePackets(await capture.leaks(tor.exceptions))).toBe('');
  });

  test('with a raw proxy starts nothing: it would be shorter than the file says', async () => {
    const path = write(`strict_chain\n${usual.options}${usual.list}raw 192.0.2.9 80\n${line(one)}`);
    const { code, stdout, stderr } = await runOn(path, ['echo', 'started']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^culvert: nothing was imported — .*proxychains-\d+\.conf: line 9: raw is no proxy/,
    );
    // The same without that line starts.
    const whole = write(`strict_chain\n${usual.options}${usual.list}${line(one)}`);
    expect((await runOn(whole, ['echo', 'started'])).stdout).toBe('started\n');
  });
});

describe('a dynamic chain', () => {
  test('passes over what does not answer and what is raw, and says so of the latter', async () => {
    const list = `[ProxyList]\n${line(dead)}raw 192.0.2.9 80\n${line(one)}${line(two)}`;
    const path = write(`dynamic_chain\n${usual.options}${list}`);
    const { stdout, stderr, code } = await fetch(path, 'dynamic.example.test');
    expect({ stdout, code }).toEqual({ stdout: greeting, code: 0 });
    expect(stderr).toMatch(/proxychains-\d+\.conf:8 — a raw proxy — raw is no proxy protocol/);
    await saidBy(two, 'dynamic.example.test');
    await saidBy(one, two.address);
    expect(describePackets(await capture.leaks([dead, ...one.exceptions]))).toBe('');
  });
});

describe('a random chain', () => {
  test('of one takes each of its proxies in turn, and no other way', async () => {
    const path = write(`random_chain\nchain_len = 1\n${usual.options}[ProxyList]\n${line(one)}${line(two)}`);
    // Of 24 connections none goes through one of the two by chance in one of 8 million runs.
    const script = 'for n in $(seq 24); do curl -sS --max-time 10 http://random.example.test/ || exit; done';
    const { stdout, code } = await runOn(path, ['sh', '-c', script]);
    expect({ stdout, code }).toEqual({ stdout: greeting.repeat(24), code: 0 });
    await saidBy(one, 'random.example.test');
    await saidBy(two, 'random.example.test');
    expect(describePackets(await capture.leaks([...one.exceptions, ...two.exceptions]))).toBe('');
  });

  test('of two goes through both', async () => {
    const path = write(`random_chain\nchain_len = 2\n${usual.options}[ProxyList]\n${line(one)}${line(two)}`);
    expect((await fetch(path, 'pair.example.test')).stdout).toBe(greeting);
    await until('the last of the two to be asked', () =>
      [one, two].some((proxy) => said(proxy, 'pair.example.test')),
    );
    expect([one, two].every((proxy) => said(proxy, 'pair.example.test'))).toBe(false);
  });
});

test('localnet sends its addresses out directly, at its port only, and nothing else', async () => {
  const near = '198.51.100.80';
  const path = write(
    `strict_chain\nlocalnet 198.51.100.0/255.255.255.0\nlocalnet 203.0.113.7:80/255.255.255.255\n` +
      `localnet 127.0.0.0/255.0.0.0\n${usual.options}${usual.list}${line(one)}`,
  );
  expect((await fetch(path, near)).stdout).toBe(greeting);
  expect((await fetch(path, '203.0.113.7')).stdout).toBe(greeting);
  const direct = [
    { address: near, port: 80 },
    { address: '203.0.113.7', port: 80 },
  ];
  for (const { address } of direct) {
    expect(await capture.packets(({ destination }) => destination === address)).not.toEqual([]);
    expect(said(one, address)).toBe(false);
  }
  expect(describePackets(await capture.leaks([...tor.exceptions, ...direct]))).toBe('');
  await capture.clear();
  // Another port of the same address, an address of none of them, and a name that leads to the first.
  await runOn(path, ['curl', '-sk', '--max-time', '10', 'https://203.0.113.7/']);
  await saidBy(one, '203.0.113.7');
  expect((await fetch(path, '203.0.113.8')).stdout).toBe(greeting);
  expect((await fetch(path, 'near.example.test')).stdout).toBe(greeting);
  await saidBy(one, 'near.example.test');
  expect(describePackets(await capture.leaks(tor.exceptions))).toBe('');
});

test('dnat changes destinations, with its port before without, and the proxy is asked for the new ones', async () => {
  const path = write(
    `strict_chain\ndnat 203.0.113.30 198.51.100.81\ndnat 203.0.113.30:8080 198.51.100.82:80\n` +
      `${usual.options}[ProxyList]\n${line(one)}`,
  );
  expect((await fetch(path, '203.0.113.30')).stdout).toBe(greeting);
  await saidBy(one, '198.51.100.81');
  expect((await fetch(path, '203.0.113.30:8080')).stdout).toBe(greeting);
  await saidBy(one, '198.51.100.82');
  expect(said(one, '203.0.113.30')).toBe(false);
  expect(describePackets(await capture.leaks(one.exceptions))).toBe('');
});
