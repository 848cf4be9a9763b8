/** Random rules and flows out of so few words that they meet. */
import fc from 'fast-check';
import type { Rule } from '#shared/profile.ts';
import type { FlowFacts } from '../../../electron/engine/rules/facts.ts';

const label = fc.constantFrom('a', 'b', 'ab', 'aab', 'www', 'corp', 'example', 'bücher', 'x-1', 'Up');
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));

const asciiName = name.map((text) => text.replaceAll('ü', 'u'));
const wildcard = fc
  .tuple(asciiName, fc.array(fc.tuple(fc.nat(12), fc.nat(3)), { minLength: 1, maxLength: 3 }))
  .map(([text, holes]) =>
    holes.reduce(
      (so, [at, length]) => `${so.slice(0, at % so.length)}*${so.slice((at % so.length) + length)}`,
      text,
    ),
  )
  .filter((text) => !text.startsWith('.') && !/\.$|\.\*\.$/.test(text));

const expression = fc.constantFrom(
  '/^a/',
  '/b$/',
  '/^[^.]+$/',
  '/a{2}b/',
  '/(www|corp)\\./',
  '/UP/',
  '/./',
  '/^xn--/',
);

const byte = fc.constantFrom(0, 1, 2, 10, 127, 128, 255);
const v4 = fc.tuple(fc.constantFrom(10, 192), byte, byte, byte).map((bytes) => bytes.join('.'));
const v6 = fc
  .tuple(
    fc.constantFrom('2001:db8', 'fe80:0', '2001:DB8'),
    fc.constantFrom('0', '1', 'ffff'),
    fc.constantFrom('1', '2', '8000'),
  )
  .map(([head, middle, tail]) => `${head}:${middle}::${tail}`);
const mapped = v4.map((text) => `::ffff:${text}`);
const address = fc.oneof({ weight: 3, arbitrary: v4 }, v6, mapped);

const range = fc.oneof(
  address,
  fc.tuple(v4, fc.integer({ min: 0, max: 32 })).map(([text, bits]) => `${text}/${bits}`),
  fc.tuple(fc.oneof(v6, mapped), fc.integer({ min: 0, max: 128 })).map(([text, bits]) => `${text}/${bits}`),
  fc.constantFrom('10.*', '10.1.*', '192.*.*.*', '10.1.2.*'),
);

const pattern = fc.oneof(
  { weight: 3, arbitrary: name },
  { weight: 2, arbitrary: name.map((text) => `.${text}`) },
  { weight: 2, arbitrary: name.map((text) => `*.${text}`) },
  { weight: 3, arbitrary: wildcard },
  { weight: 2, arbitrary: range },
  expression,
  fc.constantFrom('*', '**', '*.*', 'example.'),
);

const portNumber = fc.oneof(fc.constantFrom(80, 443, 8000, 8080, 8100), fc.integer({ min: 1, max: 65_535 }));
const ports = fc.oneof(
  portNumber.map(String),
  fc.tuple(portNumber, portNumber).map(([one, other]) => `${Math.min(one, other)}-${Math.max(one, other)}`),
  fc.constant('1-65535'),
);
const app = fc.constantFrom(
  'firefox',
  'Firefox',
  'firefox.desktop',
  'org.gnome.Maps',
  '/usr/bin/curl',
  '/usr/bin/Curl',
  'curl',
);
const process = fc.constantFrom('curl', 'cur*', '*', 'Web Content', '*ent', 'c*r*l', 'gnome-terminal-');
const knownProcess = fc.constantFrom('curl', 'curler', 'Web Content', 'gnome-terminal-', 'Curl');
const profile = fc.constantFrom('work', 'tor');
const protocol = fc.constantFrom('tcp' as const, 'udp' as const);

const few = <T>(entry: fc.Arbitrary<T>, most = 3) => fc.array(entry, { minLength: 1, maxLength: most });
const rarely = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 1 });

const match = fc
  .record({
    apps: rarely(few(app)),
    processes: fc.option(few(process), { nil: undefined, freq: 5 }).map((list) => list),
    to: fc.option(fc.oneof({ weight: 9, arbitrary: few(pattern) }, few(pattern, 30)), { nil: undefined }),
    ports: rarely(few(ports)),
    protocol: rarely(protocol),
    profiles: rarely(few(profile, 2)),
  })
  .map(
    (fields) =>
      Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Rule['match'],
  )
  .chain((fields) =>
    fc.boolean().map((isPlain) => (isPlain && fields.to !== undefined ? { to: fields.to } : fields)),
  );

const action = fc.constantFrom(
  { action: 'proxy' as const },
  { action: 'direct' as const },
  { action: 'block' as const },
  { action: 'profile' as const, profile: 'tor' },
);

const oneRule = fc
  .tuple(match, action, fc.integer({ min: 0, max: 9 }))
  .map(([fields, what, chance]) => ({ match: fields, ...what, ...(chance === 0 ? { isOff: true } : {}) }));

function someRules(most: number): fc.Arbitrary<Rule[]> {
  return fc
    .array(oneRule, { minLength: 1, maxLength: most })
    .map((rules) => rules.map((rule, i) => ({ id: `r${i + 1}`, ...rule })));
}

const host = fc.oneof(
  { weight: 6, arbitrary: name },
  name.map((text) => `${text.toUpperCase()}.`),
  name.map((text) => `.${text}`),
  address,
);

const someFacts: fc.Arbitrary<FlowFacts> = fc.record({
  protocol,
  host: fc.option(host, { nil: undefined, freq: 4 }),
  address: fc.option(address, { nil: undefined, freq: 1 }),
  port: portNumber,
  apps: fc.array(app, { maxLength: 3 }),
  process: fc.oneof(knownProcess, fc.constant(null), fc.constant(undefined)),
  profile: fc.option(profile, { nil: undefined }),
});

const filler = fc.constantFrom('', 'a', 'b', 'ab', 'x.', 'www.a', '.');

/** A flow that comes close to one of the rules: its lists give the parts, with anything in place of the stars. */
function flowNear(rules: readonly Rule[]): fc.Arbitrary<FlowFacts> {
  return fc
    .tuple(
      someFacts,
      fc.nat(),
      fc.nat(),
      fc.constantFrom(0, 0, -1, 1),
      fc.array(filler, { minLength: 3, maxLength: 3 }),
    )
    .map(([facts, which, entry, nudge, fillers]) => {
      const { match: wanted = {} } = rules[which % rules.length] ?? {};
      const pick = (list: readonly string[] | undefined) => list?.[entry % list.length];
      const fill = (text: string) =>
        fillers.reduce((so, filling) => so.replace('*', filling), text).replaceAll('*', '');
      const to = pick(wanted.to);
      const [first] = (to ?? '').split('/');
      const isAddress = to !== undefined && /^[0-9]+\.[0-9.]+$|:/.test(first ?? '');
      const goal =
        to === undefined || to.startsWith('/')
          ? {}
          : isAddress
            ? { host: undefined, address: first }
            : { host: fill(to.replace(/^\./, fillers[0] === '' ? '' : `${fillers[0] ?? ''}.`)) };
      const ends = pick(wanted.ports)?.split('-');
      const at = ends === undefined ? facts.port : Number(ends[which % ends.length]) + nudge;
      const process = pick(wanted.processes);
      const app = pick(wanted.apps);
      const profile = pick(wanted.profiles);
      return {
        ...facts,
        ...goal,
        port: Math.min(65_535, Math.max(1, at)),
        protocol: wanted.protocol ?? facts.protocol,
        ...(app === undefined ? {} : { apps: [app] }),
        ...(process === undefined || facts.process === undefined ? {} : { process: fill(process) }),
        ...(profile === undefined ? {} : { profile }),
      };
    });
}

/** Rules and flows, half of which are aimed at one of them. */
export function rulesWithFlows(mostRules: number, flows: number): fc.Arbitrary<[Rule[], FlowFacts[]]> {
  return someRules(mostRules).chain((rules) =>
    fc.tuple(
      fc.constant(rules),
      fc.array(fc.oneof(someFacts, flowNear(rules)), { minLength: flows, maxLength: flows }),
    ),
  );
}
