/** What a running lane does when its profile, its rules or its proxies change, seen in the proxies' own words. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { host, internet } from '../world/addresses.ts';
import { isolations } from '../world/product.ts';
import { greeting } from '../world/servers/web.ts';
import { until } from '../world/until.ts';
import { LaneShell } from './lane-shell.ts';
import { fetchPage, hears, listenTo, PolicyStage, said, type Lane } from './policy-stage.ts';
import { serverOf, writeConfig } from './settings.ts';

/** Takes connections and says nothing, but its port. */
const muteServer = `import socket, time
s = socket.create_server(('${host.v4}', 0)); print(s.getsockname()[1]); time.sleep(999)`;

let stage: PolicyStage;

beforeAll(async () => {
  stage = await PolicyStage.open();
});
afterAll(async () => {
  await stage.world[Symbol.asyncDispose]();
});
beforeEach(() => stage.begin());
afterEach(() => stage.expectNoLeaks());

describe.each(isolations)('a running lane (%s)', (isolation) => {
  test('follows another profile at once, and its open connections are closed', async () => {
    const [before, open] = [`before-${isolation}.example.test`, `open-${isolation}.example.test`];
    await using lane = await LaneShell.open(stage.product, { profile: 'one', isolation });
    expect(await lane.must(fetchPage(before))).toBe(greeting);
    await hears(stage.one, before);
    expect(said(stage.two, before)).toBe(false);
    lane.running.write(listenTo(open));
    await until('the connection to be open', async () => (await stage.flowTo(lane, open))?.state === 'open');

    expect(await stage.switchTo(lane, 'two')).toMatch(/now through two; 1 connection closed/);
    expect((await stage.flowTo(lane, open))?.state).toBe('closed');
    expect((await stage.laneOf(lane)).profile).toMatchObject({ id: 'two', name: 'Two' });
    // The same destination as before, within the second for which a decision is remembered.
    expect(await lane.must(fetchPage(before))).toBe(greeting);
    await hears(stage.two, before);
  });
});

test('--keep leaves open connections as they are', async () => {
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  lane.running.write(listenTo('kept.example.test'));
  await until(
    'the connection to be open',
    async () => (await stage.flowTo(lane, 'kept.example.test'))?.state === 'open',
  );
  await stage.switchTo(lane, 'two', '--keep');
  expect(await lane.must(fetchPage('after.example.test'))).toBe(greeting);
  await hears(stage.two, 'after.example.test');
  expect((await stage.flowTo(lane, 'kept.example.test'))?.state).toBe('open');
  lane.running.write('kill $!\n');
});

test('ps --watch tells each change, as one object a line', async () => {
  await using watching = stage.world.spawn([stage.product.culvert, 'ps', '--watch', '--json'], {
    user: 'culvert-a',
  });
  const told = () =>
    watching.stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { schema: 1; lanes: Lane[] }).lanes);
  await until('the first look', () => told().length > 0);
  const lane = await LaneShell.open(stage.product, { profile: 'one' });
  await until('the lane to be told', () => told().at(-1)?.[0]?.profile.id === 'one');
  await stage.switchTo(lane, 'two');
  await until('its switch to be told', () => told().at(-1)?.[0]?.profile.id === 'two');
  await lane[Symbol.asyncDispose]();
  await until('its end to be told', () => told().at(-1)?.length === 0);
});

test('an app is stopped by its name, and a name that does not run is told', async () => {
  const lane = await LaneShell.open(stage.product, { profile: 'one' });
  const stop = (app: string) =>
    stage.world.run([stage.product.culvert, 'stop', '--app', app, '--force'], { user: 'culvert-a' });
  expect(await stop('nobody')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('nobody') as string,
  });
  expect(await stop('sh.desktop')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/killed: /) as string,
  });
  await lane.running.ended;
});

test('no network is a profile like others, and there is a way back from it', async () => {
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  await stage.switchTo(lane, 'none');
  expect((await lane.run(fetchPage('nowhere.example.test'))).output).toMatch(/reset|refused/i);
  expect((await stage.flowTo(lane, 'nowhere.example.test'))?.state).toBe('refused');
  expect(await stage.switchTo(lane, 'One')).toMatch(/now through one/);
  expect(await lane.must(fetchPage('somewhere.example.test'))).toBe(greeting);
});

test('a profile that is edited while it is used is followed, and a broken edit changes nothing', async () => {
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  expect(await lane.must(fetchPage('a.example.test'))).toBe(greeting);
  writeConfig(stage.world, {
    profiles: [stage.profileOne({ chain: { servers: [serverOf(stage.two)] } }), stage.profileTwo()],
  });
  await until('the lane to go the other way', async () => {
    await lane.must(fetchPage('edited.example.test'));
    return said(stage.two, 'edited.example.test');
  });
  writeConfig(stage.world, {
    profiles: [stage.profileOne({ chain: { servers: [{ id: 's1', kind: 'socks6' }] } })],
  });
  await until('the lane to tell', async () =>
    (await stage.laneOf(lane)).notes.some((note) => note.includes('kind')),
  );
  expect(await lane.must(fetchPage('still.example.test'))).toBe(greeting);
  await hears(stage.two, 'still.example.test');
});

describe('rules', () => {
  const rules = [
    { id: 'no-ads', match: { to: ['.ads.example.test'] }, action: 'block' },
    {
      id: 'by-two',
      match: { to: ['other.example.test', '203.0.113.0/24'] },
      action: 'profile',
      profile: 'two',
    },
    { id: 'plain', match: { to: [internet.web4], ports: ['80'] }, action: 'direct' },
    { id: 'python', match: { processes: ['python3*'], to: ['*.process.example.test'] }, action: 'block' },
    { id: 'by-name', match: { to: ['by-sni.example.test'] }, action: 'block' },
  ];

  test('send each flow the way that the first one that matches says, and it is told with the flow', async () => {
    writeConfig(stage.world, { profiles: [stage.profileOne(), stage.profileTwo()], rules });
    await using lane = await LaneShell.open(stage.product, { profile: 'one' });
    expect((await lane.run(fetchPage('x.ads.example.test'))).code).not.toBe(0);
    expect(await stage.flowTo(lane, 'x.ads.example.test')).toMatchObject({
      state: 'refused',
      rule: 'no-ads',
      via: 'blocked',
    });

    expect(await lane.must(fetchPage('other.example.test'))).toBe(greeting);
    await hears(stage.two, 'other.example.test');
    expect(said(stage.one, 'other.example.test')).toBe(false);
    expect((await stage.flowTo(lane, 'other.example.test'))?.rule).toBe('by-two');

    stage.allowed.push({ address: internet.web4, port: 80 });
    expect(await lane.must(fetchPage(internet.web4))).toBe(greeting);
    expect(await stage.flowTo(lane, internet.web4)).toMatchObject({ rule: 'plain', via: 'direct' });
    expect(await stage.capture.packets(({ destination }) => destination === internet.web4)).not.toHaveLength(
      0,
    );

    expect(await lane.must(fetchPage('rest.example.test'))).toBe(greeting);
    const rest = await stage.flowTo(lane, 'rest.example.test');
    expect([rest?.rule, rest?.via]).toEqual([undefined, `socks5://${stage.one.address}:${stage.one.port}`]);
  });

  test('on processes ask who it is: one program is refused, another one is not', async () => {
    writeConfig(stage.world, {
      profiles: [stage.profileOne()],
      rules: rules.filter(({ id }) => id === 'python'),
    });
    await using lane = await LaneShell.open(stage.product, { profile: 'one' });
    const python = `/usr/bin/python3 -c "import urllib.request; print(urllib.request.urlopen('http://a.process.example.test/').read())"`;
    expect((await lane.run(python)).output).toMatch(/reset|refused/i);
    expect(await lane.must(fetchPage('b.process.example.test'))).toBe(greeting);
  });

  test('on names apply to TLS connections to bare addresses by the name in their first bytes', async () => {
    writeConfig(stage.world, {
      profiles: [stage.profileOne()],
      rules: rules.filter(({ id }) => id === 'by-name'),
    });
    await using lane = await LaneShell.open(stage.product, { profile: 'one' });
    const tls = (name: string) =>
      `curl -sSk --max-time 5 --resolve ${name}:443:${internet.web4} https://${name}/`;
    expect((await lane.run(tls('by-sni.example.test'))).code).not.toBe(0);
    expect(await lane.must(tls('free.example.test'))).toBe(greeting);
    const named = (await stage.flowsOf(lane)).filter(({ serverName }) => serverName !== undefined);
    expect(named.map(({ serverName, state, rule }) => [serverName, state, rule])).toEqual(
      expect.arrayContaining([
        ['by-sni.example.test', 'refused', 'by-name'],
        ['free.example.test', expect.stringMatching(/open|closed/), undefined],
      ]),
    );
  });
});

test('the server name of a TLS connection to a bare address is shown, also where no rule asks for it', async () => {
  const mute = stage.world.spawn(['/usr/bin/python3', '-uc', muteServer], { user: 'culvert-b' });
  const [, port = ''] = await mute.says(/^([0-9]+)\n/);
  const silent = { id: 's1', kind: 'socks5', host: host.v4, port: Number(port) };
  stage.allowed.push({ address: host.v4, port: Number(port) });
  writeConfig(stage.world, { profiles: [stage.profileOne({ chain: { servers: [silent] } })] });
  await using lane = await LaneShell.open(stage.product, { profile: 'one' });
  const name = 'shown.example.test';
  lane.running.write(`curl -sSk --max-time 30 --resolve ${name}:443:${internet.web4} https://${name}/ &\n`);
  await until('the name to be shown', async () =>
    (await stage.flowsOf(lane)).some(({ serverName, state }) => serverName === name && state === 'dialling'),
  );
  lane.running.write('kill $!\n');
  await mute.end();
});

describe('when the proxy goes away', () => {
  test('the lane says so, nothing goes anywhere, and the first connection after its return works', async () => {
    const proxy = await stage.world.proxy('microsocks');
    writeConfig(stage.world, {
      profiles: [{ ...stage.profileOne(), chain: { servers: [serverOf(proxy)] } }],
    });
    await using lane = await LaneShell.open(stage.product, { profile: 'one' });
    expect(await lane.must(fetchPage('here.example.test'))).toBe(greeting);
    await stage.isHealth(lane, 'reachable');
    await proxy.kill();
    stage.allowed.push(...proxy.exceptions);
    expect((await lane.run(fetchPage('gone.example.test'))).code).not.toBe(0);
    await stage.isHealth(lane, 'unreachable');
    await using back = await stage.world.proxy('microsocks', { port: proxy.port });
    const since = performance.now();
    await stage.isHealth(lane, 'reachable');
    expect(performance.now() - since).toBeLessThan(2000);
    expect(await lane.must(fetchPage('back.example.test'))).toBe(greeting);
    await hears(back, 'back.example.test');
  });

  test('a profile that wants to be asked says what to type, and nothing goes out until then', async () => {
    const proxy = await stage.world.proxy('microsocks');
    const chain = { servers: [serverOf(proxy)] };
    const asking = stage.profileOne({ chain, failure: { policy: 'ask' } });
    writeConfig(stage.world, { profiles: [asking, stage.profileTwo()] });
    await using running = stage.product.spawn(['sh'], { profile: 'one', user: 'culvert-a' });
    running.write(`${fetchPage('asked.example.test')}; echo first\n`);
    await running.says(/first/);
    await proxy.kill();
    stage.allowed.push(...proxy.exceptions);
    running.write(`${fetchPage('unasked.example.test')}; echo second\n`);
    const [, lane = ''] = await running.says(/culvert switch ([0-9-]+) PROFILE/);
    expect(running.stdout).not.toContain(`${greeting}second`);
    await stage.world.must([stage.product.culvert, 'switch', lane, 'two'], { user: 'culvert-a' });
    running.write(`${fetchPage('chosen.example.test')}; exit\n`);
    await running.ended;
    await hears(stage.two, 'chosen.example.test');
  });

  test('a profile with a second chain goes on with that one, whether the first refuses or says nothing', async () => {
    const first = await stage.world.proxy('microsocks');
    const silent = { id: 's1', kind: 'socks5', host: '203.0.113.200', port: 1080 };
    const failing = (server: object) => ({
      ...stage.profileOne({ chain: { servers: [server] } }),
      failure: { policy: 'failover', profile: 'two' },
    });
    writeConfig(stage.world, { profiles: [failing(serverOf(first)), stage.profileTwo()] });
    await using lane = await LaneShell.open(stage.product, { profile: 'one' });
    expect(await lane.must(fetchPage('first.example.test'))).toBe(greeting);
    await hears(first, 'first.example.test');
    await first.kill();
    stage.allowed.push(...first.exceptions, { address: silent.host, port: silent.port });
    expect(await lane.must(fetchPage('second.example.test'))).toBe(greeting);
    await hears(stage.two, 'second.example.test');

    await stage.world.shell(
      `nft add table inet quiet
      nft add chain inet quiet in '{ type filter hook input priority 0; }'
      nft add rule inet quiet in ip daddr ${silent.host} drop`,
      'internet',
    );
    writeConfig(stage.world, { profiles: [failing(silent), stage.profileTwo()] });
    await until(
      'the lane to have the new chain',
      async () =>
        (await stage.laneOf(lane)).via.includes(silent.host) ||
        (await stage.laneOf(lane)).health === 'unknown',
    );
    const { output } = await lane.run(`time -p ${fetchPage('third.example.test')}`);
    expect(output).toContain(greeting.trim());
    await hears(stage.two, 'third.example.test');
    expect(Number(/^real ([0-9.]+)/m.exec(output)?.[1])).toBeLessThan(3);
    await stage.world.shell('nft delete table inet quiet', 'internet');
  });
});
