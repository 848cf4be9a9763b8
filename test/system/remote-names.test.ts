/** `--dns remote`: a resolver beyond the proxy is asked, over TCP; `--dns host`: the computer's own, when direct. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { host, internet } from '../world/addresses.ts';
import { describePackets } from '../world/capture.ts';
import { isolations } from '../world/product.ts';
import { greeting } from '../world/servers/web.ts';
import { DnsStage } from './dns-stage.ts';
import { LaneShell } from './lane-shell.ts';

let stage: DnsStage;

beforeAll(async () => {
  stage = await DnsStage.open();
});
afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** What reached port 53 of the internet: from where, to which address, how, and the question. */
async function asked(): Promise<{ proto: string; address: string; peer: string; asked: string }[]> {
  const seen = (await stage.world.internet.seen()).filter(({ port }) => port === 53);
  return seen.map(({ proto, address, peer, asked: question = '' }) => ({
    proto,
    address,
    peer,
    asked: question,
  }));
}

const dig = (question: string) => `dig +tries=1 +time=9 ${question}`;

describe.each(isolations)('--dns remote on a lane (%s)', (isolation) => {
  const open = (choice: string, url = stage.proxy.url) =>
    LaneShell.open(stage.product, { proxy: url, isolation, options: ['--dns', choice] });

  test.each([
    ['remote', '9.9.9.9'],
    [`remote=${internet.dns4}`, internet.dns4],
    [`remote=[${internet.dns6}]:53`, internet.dns6],
  ])('%s asks there, through the proxy, over TCP', async (choice, server) => {
    await using lane = await open(
      choice,
      server === internet.dns6 ? (await stage.world.proxy('dante')).url : stage.proxy.url,
    );
    await stage.forget();
    for (const way of ['@8.8.8.8', '@127.0.0.53', '+tcp @::1']) {
      expect(await lane.must(dig(`+short example.test ${way}`))).toBe(`${internet.web4}\n`);
    }
    const queries = await asked();
    expect(queries).toEqual([
      expect.objectContaining({ proto: 'tcp', address: server, asked: 'A example.test' }),
    ]);
    expect(queries[0]?.peer).not.toBe(host.v4);
    expect(await stage.hostServers.queries()).toEqual([]);
    const strange = (await stage.capture.packets()).filter(
      ({ source, destination }) => ![source, destination].includes(stage.proxy.address),
    );
    expect(describePackets(strange)).toBe('');
  });

  test('its answers are those of the resolver, kept for as long as they say', async () => {
    await using lane = await open(`remote=${internet.dns4}`);
    const questions = [
      'example.test',
      'AAAA example.test',
      'TXT example.test',
      'AAAA v4only.test',
      'missing.test',
    ];
    await stage.forget();
    for (const question of questions) {
      const words = `+noall +comments +question +answer +authority +noedns ${question} @${internet.dns4}`;
      const plain = (said: string) => said.replace(/id: [0-9]+/, '');
      const there = plain(await lane.must(dig(words)));
      expect(there).toBe(plain(await stage.world.must(['sh', '-c', dig(words)])));
    }
    const before = (await asked()).map(({ asked: question }) => question).join();
    const again = async (): Promise<number> => {
      const said = await lane.must(dig('+noall +answer +noedns example.test'));
      return Number(/\s([0-9]+)\s+IN\s+A\s/.exec(said)?.[1]);
    };
    await expect.poll(again, { timeout: 5_000 }).toBeLessThan(60);
    expect((await asked()).map(({ asked: question }) => question).join()).toBe(before);
  });

  test('a page is fetched by the address that the resolver said', async () => {
    await using lane = await open('remote');
    expect(await lane.must('curl -sS http://example.test/')).toBe(greeting);
    expect(stage.proxy.process.stderr).toMatch(
      new RegExp(`connected to (${internet.web4}|${internet.web6}):80`),
    );
  });
});

test('a resolver that refuses or is silent is a SERVFAIL before stub resolvers give up', async () => {
  const [refuses, silent] = ['198.51.100.98', '198.51.100.99'];
  await stage.world.shell(
    `nft -f - <<'END'
table ip away {
chain in {
  type filter hook input priority 0
    ip daddr ${refuses} tcp dport 53 reject with tcp reset
    ip daddr ${silent} tcp dport 53 drop
}
}
END`,
    'internet',
  );
  for (const [server, within] of [
    [refuses, 1_000],
    [silent, 5_000],
  ] as const) {
    await using lane = await LaneShell.open(stage.product, {
      proxy: stage.proxy.url,
      options: ['--dns', `remote=${server}`],
    });
    await stage.forget();
    const start = performance.now();
    expect(await lane.must('dig +tries=1 +time=5 example.test')).toContain('status: SERVFAIL');
    expect(performance.now() - start).toBeLessThan(within);
    expect(await asked()).toEqual([]);
    expect(describePackets(await stage.capture.leaks(stage.proxy.exceptions))).toBe('');
  }
  await stage.world.shell('nft delete table ip away', 'internet');
});

describe('--dns host', () => {
  test.each(['198.51.100.53', '127.0.0.53', '::1'])('asks %s, as resolv.conf says', async (server) => {
    writeFileSync(stage.world.path('/etc/resolv.conf'), `nameserver ${server}\n`);
    await using lane = await LaneShell.open(stage.product, { proxy: 'direct', options: ['--dns', 'host'] });
    await stage.forget();
    expect(await lane.must(dig('+short example.test @1.1.1.1'))).toBe(`${internet.web4}\n`);
    const where = server === '198.51.100.53' ? stage.world.internet : stage.hostServers;
    const seen = (await where.seen()).filter(({ port }) => port === 53);
    expect(seen.map(({ address, asked: question }) => [address, question])).toEqual([
      [server, 'A example.test'],
    ]);
    expect(await lane.must('curl -sS http://example.test/')).toBe(greeting);
  });

  test('is refused beside a proxy, since it would ask around it', async () => {
    const outcome = await stage.product.run(['true'], { proxy: stage.proxy.url, options: ['--dns', 'host'] });
    expect(outcome.code).toBe(2);
    expect(outcome.stderr).toContain('around the proxy');
  });
});
