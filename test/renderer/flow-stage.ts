/** Connections for tests, and events that tell of them. */
import type { WindowEventValue } from '../../electron/shared/contract.ts';
import type { FlowView } from '../../electron/shared/model.ts';
import { FlowLedger, type FlowRow } from '../../renderer/flow-ledger.ts';
import { work } from './fake-main.ts';

export const flow = (id: number, change: Partial<FlowView> = {}): FlowView => ({
  id,
  lane: '7-1',
  app: 'firefox',
  name: 'Firefox',
  profile: work,
  proto: 'tcp',
  sourcePort: 40_000 + id,
  host: `h${id}.example.test`,
  address: '198.18.0.7',
  port: 443,
  via: 'socks5://203.0.113.7:1080',
  state: 'open',
  bytesUp: 0,
  bytesDown: 0,
  openedAt: id * 1000,
  ...change,
});

export const told = (
  changed: readonly FlowView[],
  rest: Partial<WindowEventValue<'flows'>> = {},
): WindowEventValue<'flows'> => ({
  of: 7,
  at: 1000,
  isWhole: false,
  changed: [...changed],
  counted: new Float64Array(),
  ...rest,
});

/** What a ledger makes of these. */
export function rowsOf(flows: readonly FlowView[]): FlowRow[] {
  const ledger = new FlowLedger();
  ledger.take(told(flows, { isWhole: true }));
  return [...ledger.rows()];
}
