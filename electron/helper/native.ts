/**
 * The helper's one door to libculvert (native/culvert.h) and to koffi.
 *
 * Does: turn negative errno values into CulvertErrors that name the step.
 * Must not: keep any state of its own, or offer a call that takes a path from outside.
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import koffi, { type LibraryHandle } from 'koffi';
import { CulvertError, type FailureCode } from '#shared/failure.ts';
import { maxMessageBytes, maxMessageDescriptors } from '#shared/helper-protocol.ts';

const abi = 6;

/** Of what a tool complains of, the first line is told. */
const wordsMaxBytes = 4096;

/** Kind of the record in the watch pipe that says: this descriptor can be read. */
export const ringReadable = 1;

/** A message with the descriptors that came beside it; `end` is the peer's end of file. */
export type Received =
  { kind: 'message'; bytes: Buffer; descriptors: number[] } | { kind: 'end' } | { kind: 'none' };

/** A program that was started: its process, and the pipe at which its complaints are read. */
export interface RunningTool {
  readonly pid: number;
  readonly complaints: number;
}

/** How it ended, a number, or why it did not end by itself, in a word; and what it wrote on stderr. */
export interface EndedTool {
  readonly status: number | string;
  readonly words: string;
}

export class Native {
  readonly #receiveBuffer = Buffer.alloc(maxMessageBytes);
  readonly #receiveDescriptors = new Int32Array(maxMessageDescriptors);
  readonly #receiveCount = new Int32Array(1);
  readonly #calls;

  /** Loads the library from the product's directory. Throws `native-missing`. */
  constructor(productDir: string) {
    const path = join(productDir, 'native', 'libculvert.so');
    if (!existsSync(path)) throw new CulvertError('native-missing', { detail: path });
    try {
      this.#calls = declare(koffi.load(path));
    } catch (error) {
      throw new CulvertError('native-missing', { detail: String(error), cause: error });
    }
    if (this.#calls.abi() !== abi)
      throw new CulvertError('native-missing', { detail: `${path}: another version` });
  }

  harden(): void {
    check(this.#calls.harden(), 'internal', 'harden');
  }

  /** Leaves the caller's process group, so that its terminal's signals do not reach this process. */
  ownGroup(): void {
    check(this.#calls.ownGroup(), 'internal', 'process group');
  }

  watchStart(): number {
    return check(this.#calls.watchStart(), 'internal', 'watch');
  }

  watchAdd(fd: number): void {
    check(this.#calls.watchAdd(fd), 'internal', 'watch');
  }

  watchAgain(fd: number): void {
    check(this.#calls.watchAgain(fd), 'internal', 'watch');
  }

  connect(path: string): number {
    return check(this.#calls.linkConnect(path), 'helper-start-failed', 'connect');
  }

  /** SO_PEERCRED of the connected socket. */
  peer(fd: number): { pid: number; uid: number } {
    const out = new Int32Array(3);
    check(this.#calls.linkPeer(fd, out), 'helper-start-failed', 'peer');
    return { pid: out[0] ?? -1, uid: out[1] ?? -1 };
  }

  /** Session and process group of a process. */
  session(pid: number): { session: number; group: number } {
    const out = new Int32Array(2);
    check(this.#calls.session(pid, out), 'internal', 'session');
    return { session: out[0] ?? -1, group: out[1] ?? -1 };
  }

  send(fd: number, message: Buffer, descriptors: readonly number[]): void {
    const list = Int32Array.from(descriptors);
    check(this.#calls.linkSend(fd, message, message.length, list, list.length), 'descriptor-failed', 'send');
  }

  /** Takes the next message. Throws `bad-message` for one that is too large or brings too many descriptors. */
  receive(fd: number): Received {
    const size = this.#calls.linkReceive(
      fd,
      this.#receiveBuffer,
      maxMessageBytes,
      this.#receiveDescriptors,
      maxMessageDescriptors,
      this.#receiveCount,
    );
    if (size === 0) return { kind: 'end' };
    if (size < 0 && errorName(size) === 'EAGAIN') return { kind: 'none' };
    if (size < 0 && errorName(size) === 'ECONNRESET') return { kind: 'end' };
    check(size, 'bad-message', 'receive');
    return {
      kind: 'message',
      bytes: Buffer.from(this.#receiveBuffer.subarray(0, size)),
      descriptors: [...this.#receiveDescriptors.subarray(0, this.#receiveCount[0] ?? 0)],
    };
  }

  close(fd: number): void {
    check(this.#calls.close(fd), 'internal', 'close');
  }

  /** Moves this thread into a new network namespace and returns a descriptor for it. */
  newNamespace(): number {
    return check(this.#calls.netnsNew(), 'namespace-forbidden', 'unshare');
  }

  enterNamespace(fd: number): void {
    check(this.#calls.netnsEnter(fd), 'namespace-forbidden', 'setns');
  }

  /** Starts a program by its path, in this thread's network namespace. Throws `code` with why it could not be. */
  startTool(code: FailureCode, words: readonly string[], input: string, third = -1): RunningTool {
    const line = Buffer.from(words.map((word) => `${word}\0`).join(''));
    const file = Buffer.from(input);
    const complaints = new Int32Array(1);
    const pid = this.#calls.toolStart(line, line.length, file, file.length, third, complaints);
    return { pid: check(pid, code, words[0] ?? ''), complaints: complaints[0] ?? -1 };
  }

  /** Blocks until it has ended, and ends it after so many milliseconds. */
  awaitTool({ pid, complaints }: RunningTool, timeoutMs: number): EndedTool {
    const out = Buffer.alloc(wordsMaxBytes);
    const status = this.#calls.toolWait(pid, complaints, timeoutMs, out, out.length);
    const words = out.toString('utf8', 0, out.indexOf(0));
    if (status < 0) return { status: errorName(status), words };
    // wait(2): the signal in the low seven bits, else the exit status above them.
    const signal = status & 0x7f;
    return { status: signal === 0 ? status >> 8 : signalName(signal), words };
  }

  /** The inode number by which /proc/PID/ns/net names the namespace. */
  namespaceInode(fd: number): number {
    return check(Number(this.#calls.netnsInode(fd)), 'namespace-forbidden', 'inode');
  }

  /**
   * Lets TCP over IPv4 hand pieces of so many bytes to an interface of the present namespace; older kernels stay with
   * 64 KiB. It is a matter of speed only, so a kernel that refuses it keeps what it has.
   */
  enlargeSegments(device: string, bytes: number): void {
    this.#calls.segmentSize(device, bytes);
  }

  mintTcp(ipv6: boolean, port: number, transparent: boolean): number {
    return check(
      this.#calls.mintTcp(Number(ipv6), port, Number(transparent)),
      'descriptor-failed',
      'tcp socket',
    );
  }

  mintUdp(ipv6: boolean, port: number): number {
    return check(this.#calls.mintUdp(Number(ipv6), port), 'descriptor-failed', 'udp socket');
  }

  mintRaw(family: 4 | 6): number {
    return check(this.#calls.mintRaw(family), 'descriptor-failed', 'raw socket');
  }

  /** A socket that sends whole packets out of an interface. */
  mintPacket(device: string): number {
    return check(this.#calls.mintPacket(device), 'descriptor-failed', 'packet socket');
  }

  mintStub(family: 4 | 6, stream: boolean, port: number): number {
    return check(this.#calls.mintStub(family, Number(stream), port), 'descriptor-failed', 'stub socket');
  }

  /** An unconnected TCP or UDP socket without any right that a program would not have. */
  mintPlain(stream: boolean, family: 4 | 6): number {
    const fd = stream ? this.#calls.tcpSocket(family, null) : this.#calls.udpSocket(family, null);
    return check(fd, 'descriptor-failed', 'plain socket');
  }

  /** Signals a process by pidfd if it is in the namespace; false when it is not there (any more). */
  signalInNamespace(pid: number, inode: number, signal: number): boolean {
    return this.#calls.signalInNetns(pid, inode, signal) === 0;
  }
}

function signalName(signal: number): string {
  return Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`;
}

function errorName(result: number): string {
  return getSystemErrorName(result);
}

function check(result: number, code: FailureCode, step: string): number {
  if (result < 0) throw new CulvertError(code, { step, detail: errorName(result) });
  return result;
}

type Bytes = Buffer | Int32Array;
type PlainCall = (family: number, device: null) => number;

function declare(library: LibraryHandle) {
  return {
    abi: library.func('int cv_abi()') as () => number,
    harden: library.func('int cv_harden()') as () => number,
    ownGroup: library.func('int cv_own_group()') as () => number,
    watchStart: library.func('int cv_watch_start()') as () => number,
    watchAdd: library.func('int cv_watch_add(int)') as (fd: number) => number,
    watchAgain: library.func('int cv_watch_again(int)') as (fd: number) => number,
    linkConnect: library.func('int cv_link_connect(const char *)') as (path: string) => number,
    linkPeer: library.func('int cv_link_peer(int, void *)') as (fd: number, out: Bytes) => number,
    session: library.func('int cv_session(int, void *)') as (pid: number, out: Bytes) => number,
    linkSend: library.func('int cv_link_send(int, const void *, uint32_t, const void *, int32_t)') as (
      fd: number,
      message: Buffer,
      size: number,
      descriptors: Bytes,
      count: number,
    ) => number,
    linkReceive: library.func('int cv_link_receive(int, void *, uint32_t, void *, int32_t, void *)') as (
      fd: number,
      message: Buffer,
      size: number,
      descriptors: Bytes,
      room: number,
      count: Bytes,
    ) => number,
    close: library.func('int cv_close(int)') as (fd: number) => number,
    netnsNew: library.func('int cv_netns_new()') as () => number,
    netnsEnter: library.func('int cv_netns_enter(int)') as (fd: number) => number,
    netnsInode: library.func('int64_t cv_netns_inode(int)') as (fd: number) => number | bigint,
    toolStart: library.func('int cv_tool_start(void *, uint32_t, const void *, uint32_t, int, void *)') as (
      words: Buffer,
      size: number,
      input: Buffer,
      inputSize: number,
      third: number,
      complaints: Bytes,
    ) => number,
    toolWait: library.func('int cv_tool_wait(int, int, int, void *, uint32_t)') as (
      pid: number,
      complaints: number,
      timeoutMs: number,
      out: Buffer,
      room: number,
    ) => number,
    segmentSize: library.func('int cv_segment_size(const char *, uint32_t)') as (
      device: string,
      bytes: number,
    ) => number,
    mintTcp: library.func('int cv_mint_tcp(int, int, int)') as (a: number, b: number, c: number) => number,
    mintUdp: library.func('int cv_mint_udp(int, int)') as (a: number, b: number) => number,
    mintRaw: library.func('int cv_mint_raw(int)') as (family: number) => number,
    mintPacket: library.func('int cv_mint_packet(const char *)') as (device: string) => number,
    mintStub: library.func('int cv_mint_stub(int, int, int)') as (a: number, b: number, c: number) => number,
    tcpSocket: library.func('int cv_tcp_socket(int, const char *)') as PlainCall,
    udpSocket: library.func('int cv_udp_socket(int, const char *)') as PlainCall,
    signalInNetns: library.func('int cv_signal_in_netns(int, int64_t, int)') as (
      pid: number,
      inode: number,
      signal: number,
    ) => number,
  };
}
