/** What the keys do in the table of connections, which is one stop for Tab. */
import type { FlowItem } from './flow-list.ts';

export type TableDeed =
  /** Goes to the row at this place, which may be past either end. */
  | { readonly do: 'step'; readonly to: number }
  /** Goes to the heads of the columns. */
  | { readonly do: 'heads' }
  /** Folds or unfolds the group that has the focus, or opens the connection. */
  | { readonly do: 'fold' | 'open'; readonly key: string }
  /** Chooses the row beside those that are chosen, or leaves it out. */
  | { readonly do: 'choose'; readonly key: string }
  | { readonly do: 'choose-all' | 'close' | 'pause' | 'nothing' };

export interface TablePlace {
  /** Where the focus is, and what is there. */
  readonly at: number;
  readonly item: FlowItem | undefined;
  readonly count: number;
  /** How many rows are seen at once. */
  readonly page: number;
}

/** Undefined for keys that mean nothing here. */
export function deedOf(
  { key, ctrlKey }: Pick<KeyboardEvent, 'key' | 'ctrlKey'>,
  { at, item, count, page }: TablePlace,
): TableDeed | undefined {
  switch (key) {
    case 'ArrowDown':
      return { do: 'step', to: at + 1 };
    case 'ArrowUp':
      return at > 0 ? { do: 'step', to: at - 1 } : { do: 'heads' };
    case 'PageDown':
      return { do: 'step', to: at + page };
    case 'PageUp':
      return { do: 'step', to: at - page };
    case 'Home':
      return { do: 'step', to: 0 };
    case 'End':
      return { do: 'step', to: count - 1 };
    case 'ArrowLeft':
    case 'ArrowRight': {
      const turns = item?.kind === 'group' && item.isOpen === (key === 'ArrowLeft');
      return turns ? { do: 'fold', key: item.key } : { do: 'nothing' };
    }
    case 'Enter':
    case 'F2':
      if (item === undefined) return { do: 'nothing' };
      return { do: item.kind === 'group' ? 'fold' : 'open', key: item.key };
    case 'Delete':
      return { do: 'close' };
    case ' ':
      return ctrlKey && item !== undefined ? { do: 'choose', key: item.key } : { do: 'pause' };
    case 'a':
      return ctrlKey ? { do: 'choose-all' } : undefined;
    default:
      return undefined;
  }
}
