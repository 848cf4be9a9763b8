/**
 * The engine's one door to libculvert (native/culvert.h) and to koffi: thin, typed, stateless but for the
 * watch pipe, of which there is one in a process. Addresses of the UDP part are 20-byte buffers (`cv_addr`).
 */
import { existsSync } from 'node:fs';
import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import { CulvertError } from '#shared/failure.ts';
import { maxMessageBytes, maxMessageDescriptors } from '#shared/helper-protocol.ts';
import { readUdpEvent, udpEventHeader, type UdpEvent } from './native-events.ts';
import { declareCalls, type NativeCalls } from './native-calls.ts';
import { NativeFlows } from './native-flows.ts';
import { check } from './native-result.ts';

const abi = 6;
const ringBytes = 8;
/** CV_TERMINAL_BYTES. */
const terminalBytes = 64;
const rings = { readable: 1, pump: 2, udp: 3 } as const;
const ringsAtOnce = 512;

export type Received =
  { kind: 'message'; bytes: Buffer; descriptors: number[] } | { kind: 'end' } | { kind: 'none' };

export class Native {
  readonly #calls: NativeCalls;
  readonly #readable = new Map<number, () => void>();
  /** The TCP relay. */
  readonly flows: NativeFlows;
  #watch: Socket | undefined;
  #udpListener: (() => void) | undefined;
  readonly #message = Buffer.alloc(maxMessageBytes);
  readonly #udpEvent = Buffer.alloc(udpEventHeader + 65_536);

  /** Loads the library from the product's directory. Throws `native-missing`. */
  constructor(productDir: string) {
    const path = join(productDir, 'native', 'libculvert.so');
    if (!existsSync(path)) throw new CulvertError('native-missing', { detail: path });
    try {
      const library = koffi.load(path);
      this.#calls = declareCalls((prototype) => library.func(prototype));
    } catch (error) {
      throw new CulvertError('native-missing', { detail: String(error), cause: error });
    }
    if (this.#calls.abi() !== abi)
      throw new CulvertError('native-missing', { detail: `${path}: another version` });
    // Electron's Node takes itself apart at its end, while threads of the library may still run.
    if (process.versions['electron'] !== undefined)
      process.once('exit', (status) => {
        this.exit(status);
      });
    this.flows = new NativeFlows(this.#calls, () => {
      this.#startWatch();
    });
  }

  // --- this process, its terminal, descriptors

  harden(): void {
    check(this.#calls.harden(), 'internal', 'harden');
  }

  session(pid: number): { session: number; group: number } {
    const out = new Int32Array(2);
    check(this.#calls.session(pid, out), 'internal', 'session');
    return { session: out[0] ?? -1, group: out[1] ?? -1 };
  }

  memoryFile(bytes: Buffer): number {
    return check(this.#calls.memoryFile(bytes, bytes.length), 'descriptor-failed', 'memory file');
  }

  pipe(): { read: number; write: number } {
    const out = new Int32Array(2);
    check(this.#calls.pipe(out), 'descriptor-failed', 'pipe');
    return { read: out[0] ?? -1, write: out[1] ?? -1 };
  }

  /** Two connected Unix stream sockets, non-blocking: one for `flows.join`, the other for Node. */
  socketPair(): [number, number] {
    const out = new Int32Array(2);
    check(this.#calls.socketPair(out), 'descriptor-failed', 'socket pair');
    return [out[0] ?? -1, out[1] ?? -1];
  }

  /**
   * Whether the other end of a Unix stream socket is closed. After an end of file from the pump: false is the app's
   * end of file, true the flow's end, which may be none that is clean and is told in a moment.
   */
  isHungUp(fd: number): boolean {
    return check(this.#calls.isHungUp(fd), 'internal', 'hung up') === 1;
  }

  close(fd: number): void {
    check(this.#calls.close(fd), 'internal', 'close');
  }

  openPty(like: number): { master: number; slave: number } {
    const out = new Int32Array(2);
    check(this.#calls.ptyOpen(like, out), 'descriptor-failed', 'terminal');
    return { master: out[0] ?? -1, slave: out[1] ?? -1 };
  }

  duplicate(fd: number): number {
    return check(this.#calls.dup(fd), 'descriptor-failed', 'dup');
  }

  resizePty(from: number, to: number): void {
    check(this.#calls.ptyResize(from, to), 'internal', 'terminal size');
  }

  /** The settings of a terminal, for `restoreTerminal`. */
  saveTerminal(fd: number): Buffer {
    const saved = Buffer.alloc(terminalBytes);
    check(this.#calls.terminalSave(fd, saved), 'internal', 'terminal settings');
    return saved;
  }

  /** Answers the settings that the terminal had, for `restoreTerminal`. */
  rawTerminal(fd: number): Buffer {
    const saved = Buffer.alloc(terminalBytes);
    check(this.#calls.terminalRaw(fd, saved), 'internal', 'terminal raw');
    return saved;
  }

  restoreTerminal(fd: number, saved: Buffer): void {
    check(this.#calls.terminalRestore(fd, saved), 'internal', 'terminal restore');
  }

  limit(resource: number): { soft: bigint; hard: bigint } {
    const out = new BigInt64Array(2);
    check(this.#calls.limit(resource, out), 'internal', 'limit');
    return { soft: out[0] ?? -1n, hard: out[1] ?? -1n };
  }

  /** Moves a byte as the pump does. Throws `internal` with the system's error where that cannot be. */
  trySplice(): void {
    check(this.#calls.spliceTry(), 'internal', 'splice');
  }

  exit(status: number): never {
    this.#calls.exit(status);
    throw new Error('still alive after the end');
  }

  dieBy(signal: number): never {
    this.#calls.dieBy(signal);
    process.exit(128 + signal);
  }

  /** Inode of the network namespace of a process (0: this one), or undefined when it may not be read. */
  namespaceOf(pid: number): number | undefined {
    const fd = this.#calls.netnsOf(pid === 0 ? process.pid : pid);
    if (fd < 0) return undefined;
    const inode = Number(this.#calls.netnsInode(fd));
    this.#calls.close(fd);
    return inode < 0 ? undefined : inode;
  }

  // --- readiness

  /** Calls `listener` each time the descriptor can be read, until `unwatch`. */
  watch(fd: number, listener: () => void): void {
    this.#startWatch();
    this.#readable.set(fd, listener);
    check(this.#calls.watchAdd(fd), 'internal', 'watch');
  }

  unwatch(fd: number): void {
    if (this.#readable.delete(fd)) this.#calls.watchRemove(fd);
  }

  /** Ends the watch pipe, so that this process can end by itself. */
  stopWatching(): void {
    this.#watch?.destroy();
  }

  #startWatch(): void {
    if (this.#watch !== undefined) return;
    const rings = Buffer.allocUnsafeSlow(ringBytes * ringsAtOnce);
    // A record is written at once (pipe(7)) and the buffer holds whole ones, so that none is ever cut.
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      fd: check(this.#calls.watchStart(), 'internal', 'watch'),
      readable: true,
      writable: false,
      onread: {
        buffer: rings,
        callback: (size) => {
          for (let at = 0; at < size; at += ringBytes) {
            this.#ring(rings.readUInt32LE(at), rings.readUInt32LE(at + 4));
          }
          return true;
        },
      },
    };
    this.#watch = new Socket(options);
  }

  #ring(kind: number, value: number): void {
    if (kind === rings.pump) this.flows.collect();
    else if (kind === rings.udp) this.#udpListener?.();
    else if (kind === rings.readable) {
      this.#readable.get(value)?.();
      if (this.#readable.has(value)) this.#calls.watchAgain(value);
    }
  }

  // --- messages with descriptors

  listen(path: string): number {
    return check(this.#calls.linkListen(path), 'helper-start-failed', 'listen');
  }

  /** The next connection, or undefined when there is none. */
  accept(listener: number): number | undefined {
    const fd = this.#calls.linkAccept(listener);
    return isAgain(fd) ? undefined : check(fd, 'helper-start-failed', 'accept');
  }

  /** SO_PEERCRED of a connected Unix socket. */
  peer(fd: number): { pid: number; uid: number } {
    const out = new Int32Array(3);
    check(this.#calls.linkPeer(fd, out), 'internal', 'peer');
    return { pid: out[0] ?? -1, uid: out[1] ?? -1 };
  }

  send(fd: number, message: Buffer, descriptors: readonly number[]): void {
    const list = Int32Array.from(descriptors);
    check(this.#calls.linkSend(fd, message, message.length, list, list.length), 'helper-lost', 'send');
  }

  receive(fd: number): Received {
    const descriptors = new Int32Array(maxMessageDescriptors);
    const count = new Int32Array(1);
    const size = this.#calls.linkReceive(
      fd,
      this.#message,
      maxMessageBytes,
      descriptors,
      maxMessageDescriptors,
      count,
    );
    if (isAgain(size)) return { kind: 'none' };
    if (size === 0 || (size < 0 && getSystemErrorName(size) === 'ECONNRESET')) return { kind: 'end' };
    check(size, 'bad-message', 'receive');
    return {
      kind: 'message',
      bytes: Buffer.from(this.#message.subarray(0, size)),
      descriptors: [...descriptors.subarray(0, count[0] ?? 0)],
    };
  }

  // --- UDP relay

  startUdp(associations: number, idleSeconds: number, onEvent: (event: UdpEvent) => void): void {
    this.#startWatch();
    check(this.#calls.udpStart(associations, idleSeconds), 'internal', 'udp');
    this.#udpListener = () => {
      for (;;) {
        const size = check(this.#calls.udpPoll(this.#udpEvent, this.#udpEvent.length), 'internal', 'udp');
        if (size === 0) break;
        const event = readUdpEvent(this.#udpEvent, size);
        if (event !== undefined) onEvent(event);
      }
    };
  }

  /** Takes duplicates of a lane's sockets; those that it does not have are -1. */
  udpLane(udp: number, dns: number, raw4: number, raw6: number, packet: number): number {
    const lane = check(this.#calls.udpLaneAdd(udp, dns, raw4, raw6), 'internal', 'udp lane');
    if (packet >= 0) check(this.#calls.udpLanePacket(lane, packet), 'internal', 'udp lane');
    return lane;
  }

  removeUdpLane(lane: number): void {
    this.#calls.udpLaneRemove(lane);
  }

  /**
   * An association of the app's socket `source` with a SOCKS5 relay, or with whatever is sent to. `layers` are the
   * relays behind it, in the form of SOCKS5, at most four: destinations of nested headers, outermost first.
   */
  associate(
    lane: number,
    source: Buffer,
    socket: number,
    kind: 'socks' | 'direct',
    relay: Buffer | null,
    layers: readonly Buffer[] = [],
  ): number {
    const further = Buffer.concat(layers);
    const kindNumber = kind === 'socks' ? 1 : 2;
    return check(
      this.#calls.udpAssociate(lane, source, socket, kindNumber, relay, further, further.length),
      'engine-limit',
      'association',
    );
  }

  /**
   * A UDP socket of this process's own network; the caller closes it. With a `device` it sends by that interface or
   * not at all: throws `egress-missing` when there is none of that name, `engine-limit` for every other failure.
   */
  udpSocket(family: 4 | 6, device?: string): number {
    return socketOn(this.#calls.udpSocket(family, device ?? null), 'udp socket', device);
  }

  /** A TCP socket that is yet to be connected, non-blocking; `device` as for `udpSocket`. */
  tcpSocketOn(family: 4 | 6, device: string): number {
    return socketOn(this.#calls.tcpSocket(family, device), 'tcp socket', device);
  }

  dissociate(association: number): void {
    this.#calls.udpDissociate(association);
  }

  /** `target` is what the proxy gets in its header, or a cv_addr for a direct association. */
  routeUdp(association: number, destination: Buffer, target: Buffer): void {
    check(this.#calls.udpRoute(association, destination, target, target.length), 'engine-limit', 'route');
  }

  refuseUdp(lane: number, source: Buffer, destination: Buffer): void {
    this.#calls.udpRefuse(lane, source, destination);
  }

  replyUdp(lane: number, from: Buffer, to: Buffer, bytes: Buffer): void {
    this.#calls.udpReply(lane, from, to, bytes, bytes.length);
  }

  udpCounters(association: number): { bytesUp: number; bytesDown: number } {
    const out = new BigUint64Array(4);
    if (this.#calls.udpCounters(association, out) < 0) return { bytesUp: 0, bytesDown: 0 };
    return { bytesUp: Number(out[0]), bytesDown: Number(out[1]) };
  }
}

/** EPERM is a kernel before 5.7, which leaves SO_BINDTODEVICE to root. */
function socketOn(result: number, step: string, device: string | undefined): number {
  if (device !== undefined && result < 0 && getSystemErrorName(result) === 'ENODEV')
    throw new CulvertError('egress-missing', { detail: device });
  return check(result, 'engine-limit', step);
}

function isAgain(result: number): boolean {
  return result < 0 && getSystemErrorName(result) === 'EAGAIN';
}
