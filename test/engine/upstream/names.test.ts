import type { LookupAddress, lookup } from 'node:dns';
import { describe, expect, it } from 'vitest';
import { ProxyNames } from '../../../electron/engine/upstream/names.ts';

type Settle = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

const addresses: LookupAddress[] = [
  { address: '192.0.2.1', family: 4 },
  { address: '2001:db8::1', family: 6 },
];

/** A resolver that answers when told to, on a clock that stands still. */
function make() {
  const asked: Settle[] = [];
  const clock = { now: 0 };
  const resolve = ((_host: string, _options: object, settle: Settle) =>
    asked.push(settle)) as unknown as typeof lookup;
  const names = new ProxyNames(() => clock.now, resolve);
  const look = (host: string) =>
    new Promise<LookupAddress[]>((done, fail) => {
      names.lookup(host, {}, (error, found) => {
        if (error === null) done(found);
        else fail(error);
      });
    });
  return { names, asked, clock, look };
}

describe('the name of a proxy', () => {
  it('is looked up once for all who ask meanwhile, and then remembered for ten seconds', async () => {
    const { asked, clock, look } = make();
    const first = [look('p.example'), look('p.example'), look('p.example')];
    expect(asked).toHaveLength(1);
    asked[0]?.(null, addresses);
    expect(await Promise.all(first)).toEqual([addresses, addresses, addresses]);
    clock.now = 9_999;
    expect(await look('p.example')).toEqual(addresses);
    expect(asked).toHaveLength(1);
    clock.now = 10_001;
    void look('p.example');
    expect(asked).toHaveLength(2);
  });

  it('is not mistaken for another', () => {
    const { asked, look } = make();
    void look('p.example');
    void look('q.example');
    expect(asked).toHaveLength(2);
  });

  it('is looked up again after a failure, and after a failed connection', async () => {
    const { names, asked, look } = make();
    const failing = look('p.example');
    const error = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    asked[0]?.(error, []);
    await expect(failing).rejects.toBe(error);
    const working = look('p.example');
    asked[1]?.(null, addresses);
    await working;
    names.forget('p.example');
    void look('p.example');
    expect(asked).toHaveLength(3);
  });
});
