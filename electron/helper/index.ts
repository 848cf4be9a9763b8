/**
 * The helper: makes and removes lanes and starts apps in them, for one engine, until that engine is gone.
 *
 * Does: dial back to the engine's private socket, check who listens there, answer the closed command set in
 * order, end at end of file. Must not: listen anywhere, read a file that the engine named, know of proxies,
 * rules or host names. Started as `helper.cjs rootless|privileged SOCKET`.
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import * as v from 'valibot';
import { CulvertError, describe, failureOf, type Failure } from '#shared/failure.ts';
import {
  helperCalls,
  maxMessageBytes,
  modes,
  requestSchema,
  type HelperParams,
  type Mode,
} from '#shared/helper-protocol.ts';
import { version } from '#shared/version.ts';
import { servedUser } from './identity.ts';
import { Lanes, type Outcome } from './lanes.ts';
import { Native, ringReadable } from './native.ts';

const ringBytes = 8;

/** One engine's connection: takes a message, answers it, and ends this process when it ends. */
class Service {
  readonly #native: Native;
  readonly #link: number;
  readonly #lanes: Lanes;
  readonly #mode: Mode;
  readonly #uid: number;

  constructor(native: Native, productDir: string, mode: Mode, socketPath: string) {
    this.#native = native;
    this.#mode = mode;
    this.#uid = servedUser(mode, process.geteuid?.() ?? -1, process.env);
    this.#link = native.connect(socketPath);
    const peer = native.peer(this.#link);
    if (peer.uid !== this.#uid) {
      throw new CulvertError('identity-refused', { detail: `the engine belongs to user ${peer.uid}` });
    }
    this.#lanes = new Lanes(native, productDir, { mode, uid: this.#uid, enginePid: peer.pid });
  }

  serve(): void {
    const rings = new Socket({ fd: this.#native.watchStart(), readable: true, writable: false });
    this.#native.watchAdd(this.#link);
    let pending = Buffer.alloc(0);
    rings.on('data', (bytes: Buffer) => {
      pending = Buffer.concat([pending, bytes]);
      while (pending.length >= ringBytes) {
        if (pending.readUInt32LE(0) === ringReadable) this.#drain();
        pending = pending.subarray(ringBytes);
      }
    });
  }

  #drain(): void {
    for (;;) {
      const received = this.#native.receive(this.#link);
      if (received.kind === 'end') process.exit(0);
      if (received.kind === 'none') break;
      this.#answer(received.bytes, received.descriptors);
    }
    this.#native.watchAgain(this.#link);
  }

  /** A message that is not understood ends everything (S25); a command that fails is answered with its failure. */
  #answer(bytes: Buffer, descriptors: readonly number[]): void {
    const { request, params } = understood(bytes);
    const call = helperCalls[request.call];
    if (descriptors.length !== call.descriptorsIn) {
      throw new CulvertError('bad-message', {
        detail: `${descriptors.length} descriptors with ${request.call}`,
      });
    }
    try {
      const outcome = this.#perform(request.call, params, descriptors);
      this.#reply({ id: request.id, ok: true, value: outcome.value }, outcome.descriptors ?? []);
      for (const fd of outcome.descriptors ?? []) this.#native.close(fd);
    } catch (error) {
      this.#reply({ id: request.id, ok: false, failure: failureOf(error) }, []);
    } finally {
      for (const fd of descriptors) this.#native.close(fd);
    }
  }

  #perform(
    call: keyof typeof helperCalls,
    params: unknown,
    descriptors: readonly number[],
  ): Outcome<typeof call> {
    if (call === 'hello') {
      const { version: theirs } = params as HelperParams<'hello'>;
      if (theirs !== version)
        throw new CulvertError('version-mismatch', { detail: `${theirs} and ${version}` });
      return {
        value: { version, mode: this.#mode, uid: this.#uid, session: this.#native.session(0).session },
      };
    }
    const handler = this.#lanes.handlers[call] as (
      params: unknown,
      descriptors: readonly number[],
    ) => Outcome<typeof call>;
    return handler(params, descriptors);
  }

  #reply(
    message: { id: number } & ({ ok: true; value: unknown } | { ok: false; failure: Failure }),
    fds: readonly number[],
  ): void {
    const bytes = Buffer.from(JSON.stringify(message));
    if (bytes.length > maxMessageBytes) throw new CulvertError('bad-message', { detail: 'answer too long' });
    this.#native.send(this.#link, bytes, fds);
  }
}

function main(argv: readonly string[]): void {
  const [mode, socketPath] = argv;
  if (!modes.includes(mode as Mode) || socketPath === undefined || argv.length !== 2) {
    throw new CulvertError('bad-message', { detail: 'usage: culvert-helper rootless|privileged SOCKET' });
  }
  process.chdir('/');
  process.umask(0o077);
  const native = new Native(__dirname);
  native.harden();
  native.ownGroup();
  new Service(native, __dirname, mode as Mode, socketPath).serve();
}

/** Throws `bad-message` for anything that an engine of this version does not say. */
function understood(bytes: Buffer) {
  try {
    const request = v.parse(requestSchema, JSON.parse(bytes.toString('utf8')));
    return { request, params: v.parse(helperCalls[request.call].params, request.params) as unknown };
  } catch (error) {
    throw new CulvertError('bad-message', { detail: String(error), cause: error });
  }
}

process.on('uncaughtException', (error) => {
  // The sentence is for people, the last line for the engine that reads this process's stderr.
  const failure = failureOf(error);
  writeSync(2, `culvert-helper: ${describe(failure)}\n${JSON.stringify(failure)}\n`);
  process.exit(1);
});
main(process.argv.slice(2));
