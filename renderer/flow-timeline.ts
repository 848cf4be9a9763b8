/** How a connection came about, as far as it is known. Plain. Must not: guess what nobody has measured. */
import type { FlowView } from '#shared/model.ts';
import { isOver } from './flow-ledger.ts';

export interface TimelineStep {
  readonly step: 'dns' | 'connect' | 'firstByte';
  /** Milliseconds that it took. */
  readonly ms?: number;
  /** Said where there is no time to say. */
  readonly outcome:
    'done' | 'atProxy' | 'withConnect' | 'byApp' | 'running' | 'failed' | 'never' | 'notYet' | 'unknown';
}

export function timelineOf(flow: FlowView): TimelineStep[] {
  return [{ step: 'dns', outcome: nameOutcome(flow) }, connectOf(flow), firstByteOf(flow)];
}

/** Who looks the name up: the last proxy gets it as a name; what goes out directly is looked up as it is connected. */
function nameOutcome({ host, via }: FlowView): TimelineStep['outcome'] {
  if (host === undefined) return 'byApp';
  if (via === 'blocked') return 'never';
  return via === 'direct' ? 'withConnect' : 'atProxy';
}

function connectOf({ state, dialMs }: FlowView): TimelineStep {
  const step = 'connect';
  if (dialMs !== undefined) return { step, ms: dialMs, outcome: 'done' };
  if (state === 'dialling') return { step, outcome: 'running' };
  return { step, outcome: state === 'refused' ? 'failed' : 'unknown' };
}

function firstByteOf(flow: FlowView): TimelineStep {
  const step = 'firstByte';
  if (flow.firstByteMs !== undefined) return { step, ms: flow.firstByteMs, outcome: 'done' };
  if (flow.bytesDown > 0) return { step, outcome: 'unknown' };
  return { step, outcome: isOver(flow) ? 'never' : 'notYet' };
}
