/**
 * What a user writes down: profiles, chains, rules, and which app uses which profile. The schemas are at once the
 * form of the configuration file (`culvert.json`), of its JSON schema and of what crosses the control socket.
 *
 * Passwords are not in here: they are kept apart (engine/secrets), under the ids of profile and server.
 */
import * as v from 'valibot';
import { dnsModes, isolations, upstreamKinds, type ProfileHead } from './model.ts';

/** Version of the configuration file; rises when a field changes its meaning or goes. */
export const configVersion = 1;

export const chainModes = ['strict', 'dynamic', 'random', 'round-robin'] as const;
/**
 * As proxychains has them. `strict`: all, in order. `dynamic`: all that are alive, in order. `random`: `length` of
 * them, at random. `round-robin`: `length` of them, going on behind the last ones used, dead ones passed over.
 */
export type ChainMode = (typeof chainModes)[number];

/** Profiles that are always there and cannot be changed or removed. */
export const builtInProfiles = ['none', 'direct'] as const;
export type BuiltInProfile = (typeof builtInProfiles)[number];

/** A short name for files and command lines: small letters, digits, hyphens; at most 40. */
export const slug = v.pipe(
  v.string(),
  v.regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/, 'small letters, digits and hyphens, at most 40'),
);
const text = (most: number) => v.pipe(v.string(), v.nonEmpty('must not be empty'), v.maxLength(most));
const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const milliseconds = v.pipe(v.number(), v.integer(), v.minValue(100), v.maxValue(60_000));

export const server = v.strictObject({
  /** Unique within its profile. */
  id: slug,
  kind: v.picklist(upstreamKinds),
  /** A name or an address without brackets. */
  host: text(253),
  port,
  user: v.optional(v.pipe(v.string(), v.maxLength(255))),
  /** https only: SHA-256 of the one certificate that is accepted without verification, 64 hexadecimal digits. */
  fingerprint: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits'))),
  /** For connecting to it and for its part of the dialogue. */
  timeoutMs: v.optional(milliseconds),
  /** A server that is written down but not used. */
  isOff: v.optional(v.boolean()),
});
/** One proxy server as it is written down; with its password it is an `Upstream`. */
export type Server = v.InferOutput<typeof server>;

export const chain = v.strictObject({
  mode: v.optional(v.picklist(chainModes), 'strict'),
  /** How many servers one connection goes through; random and round-robin only. */
  length: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(16))),
  servers: v.pipe(v.array(server), v.maxLength(256)),
});
export type Chain = v.InferOutput<typeof chain>;

/** What happens to a connection: `profile` takes the chain of another profile. */
export const actions = ['proxy', 'direct', 'block', 'profile'] as const;
export type ActionKind = (typeof actions)[number];

export const ruleMatch = v.strictObject({
  /** Ids of apps (`firefox`, `org.gnome.Maps`) or names of their programs. */
  apps: v.optional(v.array(text(255))),
  /** Names of processes inside the app, as in /proc/PID/comm; `*` stands for any characters. */
  processes: v.optional(v.array(text(64))),
  /**
   * Where the app wants to go: `example.com` exactly, `.example.com` with all below it, `*.example.com` all below
   * it, `*` anywhere for any characters, `/…/` a regular expression (RE2), `10.0.0.0/8`, `2001:db8::/32` or a
   * single address. Ranges of addresses match what the app addresses by number: names are never looked up for it.
   */
  to: v.optional(v.array(text(512))),
  /** `443` or `8000-8100`. */
  ports: v.optional(v.array(v.pipe(v.string(), v.regex(/^[0-9]{1,5}(-[0-9]{1,5})?$/, 'a port or a range')))),
  protocol: v.optional(v.picklist(['tcp', 'udp'])),
  /** Only for apps that run with one of these profiles. */
  profiles: v.optional(v.array(slug)),
});
/** All that are given must match; within one list any. */
export type RuleMatch = v.InferOutput<typeof ruleMatch>;

export const rule = v.strictObject({
  /** Unique among all rules. */
  id: slug,
  note: v.optional(v.pipe(v.string(), v.maxLength(200))),
  isOff: v.optional(v.boolean()),
  match: ruleMatch,
  action: v.picklist(actions),
  /** The other profile, where the action is `profile`. */
  profile: v.optional(slug),
});
/** The first rule that matches decides; where none does, the profile's own `action`. */
export type Rule = v.InferOutput<typeof rule>;

export const hostAccess = v.strictObject({
  /** TCP ports of this computer's own loopback that the app reaches at its own 127.0.0.1 and ::1. */
  loopbackPorts: v.optional(v.pipe(v.array(port), v.maxLength(32)), []),
  /**
   * Private and link-local addresses: `profile` treats them like all others, `direct` goes out to them without
   * the proxy, `block` refuses them.
   */
  lan: v.optional(v.picklist(['profile', 'direct', 'block']), 'profile'),
});

export const profile = v.strictObject({
  id: slug,
  name: text(60),
  /** `#rrggbb`. */
  colour: v.optional(v.pipe(v.string(), v.regex(/^#[0-9a-fA-F]{6}$/, '#rrggbb')), '#5b6ee1'),
  /** Shown beside the colour, which is never alone. */
  letter: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(2))),
  /** What happens where no rule matches. */
  action: v.optional(v.picklist(['proxy', 'direct', 'block']), 'proxy'),
  chain: v.optional(chain, { mode: 'strict', servers: [] }),
  dns: v.optional(
    v.strictObject({
      mode: v.picklist(dnsModes),
      /** Address with optional port, for `remote`. */
      resolver: v.optional(text(60)),
    }),
    { mode: 'fake' },
  ),
  udp: v.optional(v.picklist(['allow', 'block']), 'allow'),
  ipv6: v.optional(v.picklist(['allow', 'block']), 'allow'),
  /** When the chain cannot be reached: refuse, ask the user, or take another profile's chain. Never directly. */
  failure: v.optional(
    v.strictObject({
      policy: v.picklist(['block', 'ask', 'failover']),
      /** The profile whose chain is taken, for `failover`. */
      profile: v.optional(slug),
    }),
    { policy: 'block' },
  ),
  /** The host's interface that proxies are dialled from, and what goes out directly leaves by. */
  egress: v.optional(v.pipe(v.string(), v.regex(/^[^\s/]{1,15}$/, 'a name of an interface'))),
  hostAccess: v.optional(hostAccess, { loopbackPorts: [], lan: 'profile' }),
  isolation: v.optional(v.picklist(isolations), 'auto'),
  /** Other destinations for some: `192.0.2.1:80` or `192.0.2.1` → `198.51.100.1:8080` (dnat of proxychains). */
  rewrites: v.optional(v.array(v.strictObject({ from: text(60), to: text(60) }))),
});
export type Profile = v.InferOutput<typeof profile>;

/** How long the traffic of the past is kept on disk. */
export const historyKeeps = ['off', '1d', '7d', '30d'] as const;
export type HistoryKeep = (typeof historyKeeps)[number];

export const config = v.strictObject({
  version: v.literal(configVersion),
  /** Where the JSON schema is, for editors. */
  $schema: v.optional(v.string()),
  /** For apps that are bound to none. */
  defaultProfile: v.optional(slug),
  profiles: v.optional(v.pipe(v.array(profile), v.maxLength(500)), []),
  rules: v.optional(v.pipe(v.array(rule), v.maxLength(20_000)), []),
  /** Which app uses which profile, by the app's id. */
  apps: v.optional(v.record(text(255), slug), {}),
  /** What tests of a proxy ask of the web; see engine/health. */
  probe: v.optional(
    v.strictObject({
      /** Answers with the address that it sees, alone or as `ip=…` on a line. */
      url: v.optional(text(500)),
      /** Asked over UDP and TCP for DNS, `address` or `address:port`. */
      resolver: v.optional(text(60)),
    }),
    {},
  ),
  /** The traffic of the past; in memory there is a day of it in any case. */
  history: v.optional(
    v.strictObject({
      keep: v.optional(v.picklist(historyKeeps), 'off'),
      /** Names of hosts, too. */
      hosts: v.optional(v.boolean(), false),
    }),
    { keep: 'off', hosts: false },
  ),
});
/** The whole of the configuration file. */
export type Config = v.InferOutput<typeof config>;

/** The two that are always there, in full. */
export const builtIns: Readonly<Record<BuiltInProfile, Profile>> = {
  none: v.parse(profile, {
    id: 'none',
    name: 'No network',
    colour: '#8a8a8a',
    letter: 'N',
    action: 'block',
    udp: 'block',
  }),
  direct: v.parse(profile, {
    id: 'direct',
    name: 'Direct (isolated)',
    colour: '#c98a1b',
    letter: 'D',
    action: 'direct',
    dns: { mode: 'host' },
  }),
};

/** The profile with this id: built in, or of the configuration. */
export function findProfile({ profiles }: Pick<Config, 'profiles'>, id: string): Profile | undefined {
  const builtIn = builtInProfiles.find((name) => name === id);
  return builtIn === undefined ? profiles.find((candidate) => candidate.id === id) : builtIns[builtIn];
}

export function headOf({ id, name, colour, letter }: Profile): ProfileHead {
  return { id, name, colour, letter: letter ?? name.slice(0, 1).toUpperCase() };
}
