/** What stands in the cells of the table of connections, in the user's language. */
import { computed } from 'vue';
import { useI18n } from 'vue-i18n';
import type { ConnectionColumn } from '#shared/connection-columns.ts';
import { flowView, type FlowView } from '#shared/model.ts';
import { ageOf } from './flow-columns.ts';
import { appOf, hostOf, rateOf, type FlowRow } from './flow-ledger.ts';
import { formatBytes, formatDuration, formatRate } from './format.ts';
import { sentenceIn } from './i18n.ts';
import { profileName } from './profile-name.ts';

export interface FlowCells {
  /** The text of a cell; `now` in milliseconds since the epoch. */
  readonly cell: (row: FlowRow, column: ConnectionColumn, now: number) => string;
  readonly profileOf: (flow: FlowView) => string;
}

/** For the component that calls it: its texts follow the language. */
export function useFlowCells(): FlowCells {
  const { t, locale } = useI18n();

  /** Said in every row, and looked up once. */
  const states = computed(
    () => new Map(flowView.entries.state.options.map((state) => [state, t(`connections.state.${state}`)])),
  );
  const profileOf = ({ profile }: FlowView): string => (profile === undefined ? '' : profileName(t, profile));

  function rate(row: FlowRow, which: 'downRate' | 'upRate', now: number): string {
    const bytes = rateOf(row, which, now);
    return bytes === 0 ? '' : formatRate(locale.value, bytes);
  }

  function cell(row: FlowRow, column: ConnectionColumn, now: number): string {
    const { flow } = row;
    switch (column) {
      case 'state':
        return states.value.get(flow.state) ?? '';
      case 'app':
        return appOf(flow);
      case 'process':
        return flow.process ?? '';
      case 'host':
        return hostOf(flow);
      case 'port':
        return String(flow.port);
      case 'proto':
        return flow.proto.toUpperCase();
      case 'profile':
        return profileOf(flow);
      case 'rule':
        return flow.rule ?? '';
      case 'downRate':
      case 'upRate':
        return rate(row, column, now);
      case 'down':
        return formatBytes(locale.value, flow.bytesDown);
      case 'up':
        return formatBytes(locale.value, flow.bytesUp);
      case 'age':
        return formatDuration(locale.value, ageOf(row, now));
      case 'error':
        return flow.failure === undefined ? '' : sentenceIn(locale.value, flow.failure.code).what;
    }
  }

  return { cell, profileOf };
}
