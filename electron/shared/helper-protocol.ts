/**
 * What engine and helper say to each other: one JSON message per SOCK_SEQPACKET datagram, at most
 * 64 KiB, descriptors beside it by SCM_RIGHTS (unix(7)). The engine asks, the helper answers, in order.
 *
 * Messages carry intent only: no path, uid, rule text or command for root ever crosses (S24). Argv,
 * environment and working directory of the app travel in a memory file that the helper passes on unread.
 */
import * as v from 'valibot';

/** Largest message in bytes; a longer one ends the connection (S25). */
export const maxMessageBytes = 65_536;

/** Most descriptors beside one message. */
export const maxMessageDescriptors = 12;

/** Lanes that one helper keeps at once (S31). */
export const maxLanes = 128;

/** Ports of its loopback that one lane may have listened on, all its life long (S31). */
export const maxLoopbackPorts = 64;

/** Sockets of each kind that `lane.probe` returns; together they fit beside one message. */
export const probesOfAKind = 3;

const laneId = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0x7fffffff));
const pid = v.pipe(v.number(), v.integer(), v.minValue(1));
const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(65_535));

/**
 * The descriptors that `lane.create` returns, by name; the answer lists those that came, in order.
 * `tcp`, `udp` and `dns` take what the app sends to any address (IP_TRANSPARENT); `raw4` and `raw6` write
 * replies with any source, `packet` many of them at once; the `stub` sockets live in the app namespace and take what the app sends to
 * port 53 of its own loopback.
 */
export const laneSockets = [
  'tcp',
  'udp',
  'dns',
  'raw4',
  'raw6',
  'packet',
  'stubUdp4',
  'stubTcp4',
  'stubUdp6',
  'stubTcp6',
] as const;
export type LaneSocket = (typeof laneSockets)[number];

/** Plain sockets of the app namespace, of one family each. */
export const plainSockets = ['tcp4', 'tcp6', 'udp4', 'udp6'] as const;
export type PlainSocket = (typeof plainSockets)[number];

/**
 * How the app relates to the caller's terminal. `share`: same session and process group as the engine's
 * process, so that the terminal drives it directly. `own`: a new session whose controlling terminal is the
 * app's stdin. `none`: a new session without a terminal.
 */
export const terminals = ['share', 'own', 'none'] as const;
export type Terminal = (typeof terminals)[number];

export const modes = ['rootless', 'privileged'] as const;
/** Whether the helper works inside a user namespace or as root. */
export type Mode = (typeof modes)[number];

/** Signals that may be sent to the processes of a lane. */
const laneSignals = [
  'SIGTERM',
  'SIGKILL',
  'SIGINT',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGALRM',
  'SIGWINCH',
  'SIGSTOP',
  'SIGTSTP',
  'SIGCONT',
] as const;
export type LaneSignal = (typeof laneSignals)[number];

const socketEntry = v.strictObject({
  proto: v.picklist(['tcp', 'udp']),
  localAddress: v.string(),
  localPort: port,
  remoteAddress: v.string(),
  remotePort: port,
  pid: v.optional(pid),
  name: v.optional(v.string()),
});
/** One socket of the app namespace with the process that holds it, where it could be found. */
export type SocketEntry = v.InferOutput<typeof socketEntry>;

const unsentPorts = v.strictObject({ ipv4: v.array(port), ipv6: v.array(port) });
/** Local ports of TCP connections with bytes or an end of file that the other side has not acknowledged. */
export type UnsentPorts = v.InferOutput<typeof unsentPorts>;

const processEntry = v.strictObject({
  pid,
  parent: v.pipe(v.number(), v.integer(), v.minValue(0)),
  name: v.string(),
  command: v.string(),
});
/** One process inside the app namespace. */
export type ProcessEntry = v.InferOutput<typeof processEntry>;

/**
 * The closed command set. For each: the shape of the question, of the answer, and how many descriptors
 * travel with either (`in`: to the helper; an answer that names sockets brings as many as it names, in order).
 */
export const helperCalls = {
  hello: {
    params: v.strictObject({ version: v.string() }),
    value: v.strictObject({
      version: v.string(),
      mode: v.picklist(modes),
      uid: v.pipe(v.number(), v.integer()),
      session: v.pipe(v.number(), v.integer()),
    }),
    descriptorsIn: 0,
  },
  'lane.create': {
    params: v.strictObject({}),
    value: v.strictObject({
      lane: laneId,
      /** `redirect` where the kernel has no nft tproxy: TCP only. */
      interception: v.picklist(['tproxy', 'redirect']),
      hasIpv6: v.boolean(),
      /** Inode numbers of the two namespaces, as in /proc/PID/ns/net. */
      appNamespace: v.string(),
      gatewayNamespace: v.string(),
      sockets: v.array(v.picklist(laneSockets)),
    }),
    descriptorsIn: 0,
  },
  /** Descriptors: memory file (see launch-payload.ts), status pipe, stdin, stdout, stderr. */
  'lane.launch': {
    params: v.strictObject({ lane: laneId, terminal: v.picklist(terminals) }),
    value: v.strictObject({ pid }),
    descriptorsIn: 5,
  },
  'lane.processes': {
    params: v.strictObject({ lane: laneId }),
    value: v.array(processEntry),
    descriptorsIn: 0,
  },
  'lane.sockets': {
    params: v.strictObject({ lane: laneId }),
    value: v.array(socketEntry),
    descriptorsIn: 0,
  },
  /** Which connections of the app namespace have not got rid of everything, also those of ended programs. */
  'lane.unsent': {
    params: v.strictObject({ lane: laneId }),
    value: unsentPorts,
    descriptorsIn: 0,
  },
  /**
   * Listens at 127.0.0.1 and [::1] of the app namespace, for a port of this computer that the profile opens to the
   * app. `host-port-taken` when the app listens there itself, `lane-quota` beyond `maxLoopbackPorts`.
   */
  'lane.listen': {
    params: v.strictObject({ lane: laneId, port: v.pipe(port, v.minValue(1)) }),
    value: v.strictObject({ sockets: v.array(v.picklist(['tcp4', 'tcp6'])) }),
    descriptorsIn: 0,
  },
  /**
   * Unconnected sockets of the app namespace, such as any program in it can have: the engine's own leak check sends
   * by them what an app would send. The helper keeps none, so that they count as the engine's descriptors.
   */
  'lane.probe': {
    params: v.strictObject({ lane: laneId }),
    value: v.strictObject({ sockets: v.array(v.picklist(plainSockets)) }),
    descriptorsIn: 0,
  },
  /** Signals one process, or all, of the lane's namespace by pidfd; answers how many were reached. */
  'lane.signal': {
    params: v.strictObject({ lane: laneId, signal: v.picklist(laneSignals), pid: v.optional(pid) }),
    value: v.strictObject({ count: v.pipe(v.number(), v.integer()) }),
    descriptorsIn: 0,
  },
  'lane.destroy': {
    params: v.strictObject({ lane: laneId }),
    value: v.strictObject({}),
    descriptorsIn: 0,
  },
} as const;

export type HelperCall = keyof typeof helperCalls;
export type HelperParams<C extends HelperCall> = v.InferOutput<(typeof helperCalls)[C]['params']>;
export type HelperValue<C extends HelperCall> = v.InferOutput<(typeof helperCalls)[C]['value']>;

/** The envelope of a question; `params` is checked against the call's own schema next. */
export const requestSchema = v.strictObject({
  id: v.pipe(v.number(), v.integer(), v.minValue(1)),
  call: v.picklist(Object.keys(helperCalls) as HelperCall[]),
  params: v.unknown(),
});

/** The envelope of an answer. */
export const responseSchema = v.variant('ok', [
  v.strictObject({ id: v.number(), ok: v.literal(true), value: v.unknown() }),
  v.strictObject({
    id: v.number(),
    ok: v.literal(false),
    failure: v.object({
      code: v.string(),
      step: v.optional(v.string()),
      detail: v.optional(v.string()),
    }),
  }),
]);
