/** What the engine and dist/keyring.cjs say to each other, one JSON object a line. */
import * as v from 'valibot';

/** Under which everything of ours is found in the keyring. */
export const keyringService = 'culvert';

export interface KeyringRequest {
  readonly call: 'get' | 'set' | 'remove';
  /** `PROFILE/SERVER`. */
  readonly account: string;
  readonly password?: string;
}

export const keyringAnswer = v.union([
  v.object({ ready: v.literal(true) }),
  v.object({ ok: v.literal(true), password: v.optional(v.string()) }),
  v.object({ ok: v.literal(false), why: v.string() }),
]);
/** To each request one; `ready` comes once, before them. */
export type KeyringAnswer = Exclude<v.InferOutput<typeof keyringAnswer>, { ready: true }>;
