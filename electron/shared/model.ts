/** The words of the product as types: what an engine shows of itself, its lanes and their flows. */
import * as v from 'valibot';
import { modes } from './helper-protocol.ts';
import { failureView, phrasesView, phraseView } from './phrase-view.ts';

export const isolations = ['auto', 'helper', 'rootless'] as const;
/** How the user wants lanes to be made; `auto` prefers the way without a password. */
export type Isolation = (typeof isolations)[number];

export const upstreamKinds = ['socks5', 'socks4', 'socks4a', 'http', 'https'] as const;
export type UpstreamKind = (typeof upstreamKinds)[number];

/** One proxy server. `password` never leaves the engine. */
export interface Upstream {
  readonly kind: UpstreamKind;
  readonly host: string;
  readonly port: number;
  readonly user?: string;
  readonly password?: string;
  /** https only: SHA-256 of the one certificate that is accepted without verification, 64 hexadecimal digits. */
  readonly fingerprint?: string;
  /** For connecting to it and for its part of the dialogue. */
  readonly timeoutMs?: number;
}

export const dnsModes = ['fake', 'remote', 'host'] as const;
export type DnsMode = (typeof dnsModes)[number];

/** `starting → running → stopping → gone`, or `failed` from anywhere before `gone`. */
export const laneStates = ['starting', 'running', 'stopping', 'gone', 'failed'] as const;
export type LaneState = (typeof laneStates)[number];

/** What is shown of a profile beside its name. */
export const profileHead = v.object({
  /** Missing for a lane that was given its proxy on the command line. */
  id: v.optional(v.string()),
  name: v.string(),
  colour: v.string(),
  letter: v.string(),
});
export type ProfileHead = v.InferOutput<typeof profileHead>;

export const flowView = v.object({
  id: v.number(),
  lane: v.string(),
  /** The app, the name and the profile that its lane had when it began: lanes end, and are switched. */
  app: v.optional(v.string()),
  name: v.optional(v.string()),
  profile: v.optional(profileHead),
  proto: v.picklist(['tcp', 'udp']),
  /** Source port in the app namespace: with the protocol it names the socket. */
  sourcePort: v.number(),
  /** The name that the app asked for, where it is known. */
  host: v.optional(v.string()),
  /** The address that the app used, textual. */
  address: v.string(),
  port: v.number(),
  /** Upstreams without their secrets, `socks5://host:port` with `→` between those of a chain, `direct` or `blocked`. */
  via: v.string(),
  /** Id of the rule that decided; missing where none matched and the profile's own action did. */
  rule: v.optional(v.string()),
  /** The server name of a TLS connection to a bare address, as the app sent it. */
  serverName: v.optional(v.string()),
  state: v.picklist(['dialling', 'open', 'closed', 'refused']),
  pid: v.optional(v.number()),
  process: v.optional(v.string()),
  bytesUp: v.number(),
  bytesDown: v.number(),
  /** Milliseconds since the epoch. */
  openedAt: v.number(),
  closedAt: v.optional(v.number()),
  /** Milliseconds from accept to the proxy's yes. */
  dialMs: v.optional(v.number()),
  /** Milliseconds from then to the first byte for the app; missing where that is not known. */
  firstByteMs: v.optional(v.number()),
  failure: v.optional(failureView),
});
/** One TCP connection or one UDP association of a lane. */
export type FlowView = v.InferOutput<typeof flowView>;

export const laneHealths = ['unknown', 'reachable', 'unreachable'] as const;
/** Whether the chain of a lane could be reached when it was last tried. */
export type LaneHealth = (typeof laneHealths)[number];

export const laneView = v.object({
  /** `<engine pid>-<number>`, unique among the user's engines. */
  id: v.string(),
  name: v.string(),
  /** The app's id for rules and bindings: of its desktop entry, or the name of its program. */
  app: v.string(),
  /** All that rules may call it, that first. */
  apps: v.optional(v.array(v.string())),
  command: v.array(v.string()),
  profile: profileHead,
  via: v.string(),
  health: v.picklist(laneHealths),
  /** Why the chain cannot be reached, while it cannot. */
  trouble: v.optional(failureView),
  /** The profile wants its user to choose what to do about that; until then nothing goes out. */
  asks: v.optional(v.boolean()),
  state: v.picklist(laneStates),
  cause: v.optional(failureView),
  mode: v.picklist(modes),
  interception: v.picklist(['tproxy', 'redirect']),
  pid: v.optional(v.number()),
  startedAt: v.number(),
  flowsOpen: v.number(),
  flowsTotal: v.number(),
  bytesUp: v.number(),
  bytesDown: v.number(),
  /** Sentences about the lane that its user should know, such as "UDP refused: …". */
  notes: v.array(v.string()),
  /** The same as phrases, in their order. */
  notePhrases: phrasesView,
});
export type LaneView = v.InferOutput<typeof laneView>;

export const checkStages = [
  'reach',
  'sign-in',
  'web',
  'exit-address',
  'udp',
  'dns',
  'ipv6',
  'isolation',
  'bypass',
] as const;
export type CheckStage = (typeof checkStages)[number];

/**
 * One line of a test or a check. `refused`: not offered, and so blocked, which is as it should be. `unknown`: it
 * could not be found out, and says nothing either way.
 */
export const checkLine = v.object({
  stage: v.picklist(checkStages),
  outcome: v.picklist(['ok', 'failed', 'refused', 'leak', 'unknown']),
  /** Milliseconds that it took. */
  ms: v.optional(v.number()),
  /** One sentence for people, and the same as a phrase. */
  text: v.string(),
  phrase: phraseView,
  failure: v.optional(failureView),
});
export type CheckLine = v.InferOutput<typeof checkLine>;

export const checkReport = v.object({
  /** The worst of its lines: a leak before a failure before something unknown. */
  outcome: v.picklist(['ok', 'failed', 'leak', 'unknown']),
  exitAddress: v.optional(v.string()),
  lines: v.array(checkLine),
});
export type CheckReport = v.InferOutput<typeof checkReport>;

export const helperView = v.object({
  state: v.picklist(['starting', 'ready', 'lost']),
  mode: v.picklist(modes),
  /** Why this way was taken, for the user; of one that is ready. */
  why: v.optional(v.string()),
  whyPhrase: phraseView,
});
/** A process that makes isolated networks for an engine; there is at most one of each mode. */
export type HelperView = v.InferOutput<typeof helperView>;

export const snapshot = v.object({
  engine: v.object({
    pid: v.number(),
    version: v.string(),
    startedAt: v.number(),
  }),
  /** Those that were needed until now. */
  helpers: v.array(helperView),
  lanes: v.array(laneView),
});
/** The whole of what an engine shows; sent entire whenever something in it changes. */
export type Snapshot = v.InferOutput<typeof snapshot>;
