/** Configurations that hold, of every shape, and documents that nearly do. */
import fc from 'fast-check';
import { checkConfig } from '../../../electron/engine/config/parse.ts';
import type { Config } from '../../../electron/shared/profile.ts';

const ids = (prefix: string, most: number) =>
  fc.nat(most).map((length) => Array.from({ length }, (_, at) => `${prefix}${at}`));
/** A part that is there or not; a missing one is no key. */
const parts = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(model, { requiredKeys: [] });

const servers = ids('s', 3).chain((names) =>
  fc.tuple(
    ...names.map((id) =>
      fc
        .tuple(
          fc.constantFrom('socks5', 'socks4', 'https'),
          parts({
            user: fc.string({ maxLength: 20 }),
            timeoutMs: fc.integer({ min: 100, max: 60_000 }),
            isOff: fc.boolean(),
          }),
        )
        .map(([kind, more]) => ({ id, kind, host: '192.0.2.1', port: 1080, ...more })),
    ),
  ),
);
const profileParts = parts({
  colour: fc.constantFrom('#aaBB00', '#000000'),
  letter: fc.constantFrom('A', 'Zz'),
  action: fc.constantFrom('proxy', 'direct', 'block'),
  chain: fc.record({ mode: fc.constantFrom('strict', 'dynamic'), servers }),
  dns: fc.constantFrom<object>({ mode: 'fake' }, { mode: 'remote', resolver: '198.51.100.1' }),
  udp: fc.constantFrom('allow', 'block'),
  egress: fc.constantFrom('eth0', 'wg-1'),
  hostAccess: parts({
    loopbackPorts: fc.array(fc.integer({ min: 1, max: 65_535 }), { maxLength: 3 }),
    lan: fc.constant('direct'),
  }),
  rewrites: fc.array(fc.constant({ from: '192.0.2.1', to: '192.0.2.2:80' }), { maxLength: 2 }),
});
const profiles = ids('p', 4).chain((names) =>
  fc.tuple(
    ...names.map((id) =>
      fc
        .tuple(profileParts, fc.string({ minLength: 1, maxLength: 30 }))
        .map(([more, name]) => ({ id, name, ...more })),
    ),
  ),
);
const rules = ids('r', 4).chain((names) =>
  fc.tuple(
    ...names.map((id) =>
      fc
        .tuple(
          parts({
            to: fc.array(fc.constantFrom('*.example.com', '10.0.0.0/8'), { maxLength: 3 }),
            ports: fc.constant(['443', '1-2']),
          }),
          fc.constantFrom('proxy', 'direct', 'block'),
          parts({ note: fc.string({ maxLength: 40 }), isOff: fc.boolean() }),
        )
        .map(([match, action, more]) => ({ id, match, action, ...more })),
    ),
  ),
);

/** As it is written down, with what is usual left out here and there. */
export const rawConfig = fc
  .record(
    {
      profiles,
      rules,
      apps: fc.dictionary(fc.constantFrom('firefox', 'org.a.B', '/bin/x'), fc.constantFrom('none', 'direct')),
    },
    { requiredKeys: [] },
  )
  .map((given) => ({ version: 1, ...(structuredClone(given) as object) }));

export const wholeConfig: fc.Arbitrary<Config> = rawConfig.map(checkConfig);

/** A configuration with `odd` in the place of something in it, or beside it. */
export function brokenConfig(odd: unknown): fc.Arbitrary<unknown> {
  return fc.tuple(rawConfig, fc.nat(), fc.nat(3)).map(([config, at, how]) => {
    const value: Holder = structuredClone(config);
    const places = placesIn(value);
    const [holder, key] = places[at % places.length] ?? [value, 'x'];
    if (how === 0 && !Array.isArray(holder)) Reflect.deleteProperty(holder, key);
    else if (how === 1 && !Array.isArray(holder)) holder['extra'] = odd;
    else holder[key] = odd;
    return value;
  });
}

type Holder = Record<string, unknown>;

function placesIn(value: unknown): [Holder, string][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => [[value as Holder, key], ...placesIn(below)]);
}
