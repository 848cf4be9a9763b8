/** With what the answers to an engine's calls are made, and the form that they have. */
import type * as v from 'valibot';
import type { EngineEvent, EngineEventValue } from '#shared/engine-protocol.ts';
import type { CallerFacts } from './app-environment.ts';
import type { Engine } from './engine.ts';
import type { Secrets } from './secrets/secrets.ts';

/** What the answers are made with. */
export interface CallParts {
  readonly engine: Pick<
    Engine,
    | 'prepare'
    | 'proveIsolation'
    | 'openLane'
    | 'snapshot'
    | 'lane'
    | 'on'
    | 'flows'
    | 'watchFlows'
    | 'ruleHits'
    | 'history'
    | 'renewPolicies'
  >;
  readonly productDir: string;
  readonly facts: CallerFacts;
  /** The ones that lanes read, so that a password which is only in this process is there for them. */
  readonly secrets: () => Promise<Secrets>;
}

/** Tells something to the connection that has asked, while it is there. */
export type Tell = <E extends EngineEvent>(event: E, value: EngineEventValue<E>) => void;

interface Call {
  readonly params: v.GenericSchema;
  readonly value: v.GenericSchema;
}

/** A function for each call of a table. `ended` aborts when the connection that has asked is gone. */
export type RoomHandlers<Calls extends Readonly<Record<string, Call>>> = {
  readonly [C in keyof Calls]: (
    params: v.InferOutput<Calls[C]['params']>,
    tell: Tell,
    ended: AbortSignal,
  ) => v.InferOutput<Calls[C]['value']> | Promise<v.InferOutput<Calls[C]['value']>>;
};
