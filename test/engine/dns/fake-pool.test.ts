import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FakePool,
  fakeTtlSeconds,
  fakeV6Bytes,
  maxFakeNames,
} from '../../../electron/engine/dns/fake-pool.ts';

const tenMinutes = 600_000;
const ttl = fakeTtlSeconds * 1000;

function clock() {
  const state = { ms: 0 };
  return { now: () => state.ms, advance: (ms: number) => (state.ms += ms) };
}

function v4(number: number | undefined): string {
  if (number === undefined) throw new Error('no address');
  return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255].join('.');
}

function v6(number: number): string {
  const bytes = Buffer.from(fakeV6Bytes(number));
  return (bytes.toString('hex').match(/.{4}/g) ?? []).join(':');
}

describe('fake addresses', () => {
  it('a name keeps its address, however it is spelt', () => {
    const pool = new FakePool({ now: () => 0 });
    const address = pool.addressOf('Example.COM');
    expect(pool.addressOf('example.com.')).toBe(address);
    expect(v4(address)).toMatch(/^198\.1[89]\./);
    expect(pool.lookup(v4(address))).toEqual({ kind: 'name', name: 'example.com' });
  });

  it('the IPv6 and the mapped IPv4 address of a name lead to the same name', () => {
    const pool = new FakePool({ now: () => 0 });
    const address = pool.addressOf('example.com') ?? 0;
    expect(v6(address)).toMatch(/^fdc0:1a7e:000f:/);
    expect(pool.lookup(v6(address))).toEqual({ kind: 'name', name: 'example.com' });
    const hex = v6(address).slice(-9);
    expect(pool.lookup(`::ffff:${hex}`)).toEqual({ kind: 'name', name: 'example.com' });
    expect(pool.lookup(`::ffff:${v4(address)}`)).toEqual({ kind: 'name', name: 'example.com' });
  });

  it('an address of the pool without a name is unmapped, any other address is not fake', () => {
    const pool = new FakePool({ now: () => 0 });
    for (const address of [
      '198.18.0.0',
      '198.19.255.255',
      '198.18.3.4',
      'fdc0:1a7e:f::1',
      'fdc0:1a7e:f::c612:304',
    ]) {
      expect(pool.lookup(address), address).toEqual({ kind: 'unmapped' });
    }
    for (const address of [
      '198.17.255.255',
      '198.20.0.0',
      '192.0.2.1',
      'fdc0:1a7e::1',
      '::1',
      '::c612:304',
      'fe80::1%app0',
      'x',
    ]) {
      expect(pool.lookup(address), address).toEqual({ kind: 'not-fake' });
    }
  });

  it('holds 131,040 names at once, each with an address of its own', { timeout: 60_000 }, () => {
    const pool = new FakePool({ now: () => 0, start: 77_777 });
    const addresses = new Set<number>();
    for (let index = 0; index < maxFakeNames; index += 1)
      addresses.add(pool.addressOf(`n${index}.test`) ?? -1);
    expect(addresses.size).toBe(maxFakeNames);
    expect(maxFakeNames).toBeGreaterThanOrEqual(65_536);
    expect([...addresses].every((address) => address >= 0xc6120010 && address < 0xc613fff0)).toBe(true);
    const sample = v4(pool.addressOf('n65535.test'));
    expect(pool.lookup(sample)).toEqual({ kind: 'name', name: 'n65535.test' });
    expect(pool.addressOf('one-more.test')).toBeUndefined();
    expect(pool.size).toBe(maxFakeNames);
  });

  it('an address gets another name only ten minutes after the answer could last be used', () => {
    const time = clock();
    const pool = new FakePool({ now: time.now, capacity: 1 });
    const address = pool.addressOf('first.test');
    time.advance(ttl + tenMinutes - 1);
    expect(pool.addressOf('second.test')).toBeUndefined();
    time.advance(1);
    expect(pool.addressOf('second.test')).toBe(address);
    expect(pool.lookup(v4(address))).toEqual({ kind: 'name', name: 'second.test' });
    expect(pool.size).toBe(1);
  });

  it('a look-up is a use', () => {
    const time = clock();
    const pool = new FakePool({ now: time.now, capacity: 1 });
    const address = pool.addressOf('first.test');
    time.advance(tenMinutes);
    pool.lookup(v4(address));
    time.advance(tenMinutes);
    expect(pool.addressOf('second.test')).toBeUndefined();
  });

  it('a flow keeps the address of its name for as long as it lives, and ten minutes more', () => {
    const time = clock();
    const pool = new FakePool({ now: time.now, capacity: 1 });
    const address = v4(pool.addressOf('first.test'));
    expect(pool.acquire(address)).toEqual({ kind: 'name', name: 'first.test' });
    pool.acquire(address);
    time.advance(100 * tenMinutes);
    pool.release(address);
    time.advance(100 * tenMinutes);
    expect(pool.addressOf('second.test')).toBeUndefined();
    pool.release(address);
    time.advance(tenMinutes - 1);
    expect(pool.addressOf('second.test')).toBeUndefined();
    expect(pool.lookup(address)).toEqual({ kind: 'name', name: 'first.test' });
    time.advance(ttl + tenMinutes);
    expect(v4(pool.addressOf('second.test'))).toBe(address);
  });

  it('a held name at the end of the line does not keep the free ones behind it from re-use', () => {
    const time = clock();
    const pool = new FakePool({ now: time.now, capacity: 2 });
    pool.acquire(v4(pool.addressOf('held.test')));
    const free = pool.addressOf('free.test');
    time.advance(ttl + tenMinutes);
    expect(pool.addressOf('new.test')).toBe(free);
    expect(pool.addressOf('newer.test')).toBeUndefined();
  });

  it('an address that is not one of ours can be acquired and released without effect', () => {
    const pool = new FakePool({ now: () => 0 });
    expect(pool.acquire('192.0.2.1')).toEqual({ kind: 'not-fake' });
    expect(pool.acquire('198.18.9.9')).toEqual({ kind: 'unmapped' });
    pool.release('192.0.2.1');
    pool.release('198.18.9.9');
    expect(pool.size).toBe(0);
  });

  it(
    'under any sequence of events no address changes its name while it is protected',
    { timeout: 60_000 },
    () => {
      const event = fc.oneof(
        fc.record({ do: fc.constant('answer' as const), name: fc.integer({ min: 0, max: 11 }) }),
        fc.record({ do: fc.constant('acquire' as const), name: fc.integer({ min: 0, max: 11 }) }),
        fc.record({ do: fc.constant('release' as const), name: fc.integer({ min: 0, max: 11 }) }),
        fc.record({ do: fc.constant('wait' as const), name: fc.integer({ min: 1, max: 900_000 }) }),
      );
      fc.assert(
        fc.property(fc.array(event, { maxLength: 120 }), fc.nat(), (events, start) => {
          const time = clock();
          const pool = new FakePool({ now: time.now, capacity: 6, start });
          const model = new Map<string, { name: string; holds: number; lastUse: number }>();
          for (const step of events) {
            const name = `n${step.name}.test`;
            const mine = [...model].find(([, entry]) => entry.name === name);
            if (step.do === 'wait') time.advance(step.name);
            else if (step.do === 'answer') {
              const number = pool.addressOf(name);
              if (number === undefined) {
                const now = time.now();
                expect(model.size).toBe(6);
                expect(
                  [...model.values()].every((e) => e.holds > 0 || now - e.lastUse < ttl + tenMinutes),
                ).toBe(true);
                continue;
              }
              const address = v4(number);
              const before = model.get(address);
              if (before !== undefined && before.name !== name) {
                expect(before.holds).toBe(0);
                expect(time.now() - before.lastUse).toBeGreaterThanOrEqual(ttl + tenMinutes);
              }
              if (mine !== undefined) expect(mine[0]).toBe(address);
              model.set(address, { name, holds: mine?.[1].holds ?? 0, lastUse: time.now() });
            } else if (mine !== undefined && step.do === 'acquire') {
              expect(pool.acquire(mine[0])).toEqual({ kind: 'name', name });
              mine[1].holds += 1;
              mine[1].lastUse = time.now();
            } else if (mine !== undefined && mine[1].holds > 0) {
              pool.release(mine[0]);
              mine[1].holds -= 1;
              if (mine[1].holds === 0) mine[1].lastUse = time.now();
            }
          }
        }),
        { numRuns: 500 },
      );
    },
  );
});
