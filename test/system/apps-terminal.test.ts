/** Apps that need a terminal, in real ones: where one is open outside, the command still runs on the lane. */
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { bundle } from '../world/artefact.ts';
import { Product } from '../world/product.ts';
import type { Proxy } from '../world/proxies.ts';
import type { Running } from '../world/running.ts';
import { until } from '../world/until.ts';
import { World } from '../world/world.ts';

let world: World;
let product: Product;
let proxy: Proxy;
let driver: string;
let env: Record<string, string>;
let home: string;
const started: Running[] = [];

/** Writes which network it runs in to the file that is its argument, and stays. */
const script = 'readlink /proc/self/ns/net > "$1.new"; mv "$1.new" "$1"; exec sleep 600\n';

beforeAll(async () => {
  world = await World.create();
  product = Product.install(world);
  proxy = await world.proxy('microsocks');
  driver = world.share(bundle('test/system/apps-driver.ts'));
  home = world.users['culvert-a'].home;
  const display = await world
    .spawn(['Xvfb', '-displayfd', '1', '-ac', '-nolisten', 'tcp', '-screen', '0', '800x600x24'])
    .says(/^([0-9]+)\n/);
  const bus = `unix:path=/run/user/${world.users['culvert-a'].uid}/bus`;
  await world
    .spawn(['dbus-daemon', '--session', '--nofork', '--nopidfile', `--address=${bus}`, '--print-address'], {
      user: 'culvert-a',
    })
    .says(/unix:path/);
  env = { DISPLAY: `:${display[1] ?? ''}`, DBUS_SESSION_BUS_ADDRESS: bus };
  const user = { user: 'culvert-a', stdin: script } as const;
  await world.run(['sh', '-c', 'mkdir -p .local/share/applications && cat > tell.sh'], user);
});
afterEach(async () => {
  for (const running of started.splice(0).reverse()) await running.end();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

/** The command of an app with `Terminal=true` whose user has chosen this terminal. */
async function planned(terminal: string, out: string): Promise<readonly string[]> {
  const entry = `[Desktop Entry]\nType=Application\nName=Tell\nTerminal=true\nExec=sh ${home}/tell.sh ${out}\n`;
  await world.run(['sh', '-c', 'cat > .local/share/applications/tell.desktop'], {
    user: 'culvert-a',
    stdin: entry,
  });
  const options = { user: 'culvert-a', env: { ...env, TERMINAL: terminal } } as const;
  const plan = await world.must([process.execPath, driver, 'plan', 'tell', '/'], options);
  return (JSON.parse(plan) as { argvs: [readonly string[]] }).argvs[0];
}

/** The network that the command says it runs in. */
async function told(out: string): Promise<string> {
  await until(`${out} to be written`, () => existsSync(out), 30_000);
  return readFileSync(out, 'utf8').trim();
}

const hostNetwork = () => readlinkSync(`/proc/${world.namespace('host').pid}/ns/net`);

function openOnLane(command: readonly string[]): void {
  started.push(product.spawn(command, { proxy: proxy.url, env, isolation: 'rootless' }));
}

test.each([
  ['xterm', '-e', false],
  ['xfce4-terminal', '-x', true],
  ['mate-terminal', '-x', true],
])(
  '%s keeps the command on the lane while another of its windows is open outside',
  async (terminal, option, isOne) => {
    const file = (name: string) => join(home, `${terminal}-${name}`);
    const outside = [terminal, option, 'sh', `${home}/tell.sh`, file('outside')];
    started.push(world.spawn(outside, { user: 'culvert-a', env }));
    expect(await told(file('outside'))).toBe(hostNetwork());

    openOnLane(await planned(terminal, file('lane')));
    expect(await told(file('lane'))).not.toBe(hostNetwork());

    // The positive control: as it is usually started, one with a server hands the command over.
    if (!isOne) return;
    openOnLane([terminal, option, 'sh', `${home}/tell.sh`, file('naive')]);
    expect(await told(file('naive'))).toBe(hostNetwork());
  },
);
