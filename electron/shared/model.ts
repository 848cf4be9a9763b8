/** The words of the product as types: what an engine shows of itself, its lanes and their flows. */
import * as v from 'valibot';
import { failureCodes } from './failure.ts';
import { modes } from './helper-protocol.ts';

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
}

export const dnsModes = ['fake', 'remote', 'host'] as const;
export type DnsMode = (typeof dnsModes)[number];

/** `starting → running → stopping → gone`, or `failed` from anywhere before `gone`. */
export const laneStates = ['starting', 'running', 'stopping', 'gone', 'failed'] as const;
export type LaneState = (typeof laneStates)[number];

const failure = v.object({
  code: v.picklist(failureCodes),
  step: v.optional(v.string()),
  detail: v.optional(v.string()),
});

export const flowView = v.object({
  id: v.number(),
  lane: v.string(),
  proto: v.picklist(['tcp', 'udp']),
  /** Source port in the app namespace: with the protocol it names the socket. */
  sourcePort: v.number(),
  /** The name that the app asked for, where it is known. */
  host: v.optional(v.string()),
  /** The address that the app used, textual. */
  address: v.string(),
  port: v.number(),
  /** Upstreams without their secrets, `socks5://host:port`, or `direct`. */
  via: v.string(),
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
  failure: v.optional(failure),
});
/** One TCP connection or one UDP association of a lane. */
export type FlowView = v.InferOutput<typeof flowView>;

export const laneView = v.object({
  /** `<engine pid>-<number>`, unique among the user's engines. */
  id: v.string(),
  name: v.string(),
  command: v.array(v.string()),
  via: v.string(),
  state: v.picklist(laneStates),
  cause: v.optional(failure),
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
});
export type LaneView = v.InferOutput<typeof laneView>;

export const snapshot = v.object({
  engine: v.object({
    pid: v.number(),
    version: v.string(),
    startedAt: v.number(),
  }),
  helper: v.object({
    state: v.picklist(['none', 'starting', 'ready', 'lost']),
    mode: v.optional(v.picklist(modes)),
    /** Why this way was taken, for the user. */
    why: v.optional(v.string()),
  }),
  lanes: v.array(laneView),
});
/** The whole of what an engine shows; sent entire whenever something in it changes. */
export type Snapshot = v.InferOutput<typeof snapshot>;
