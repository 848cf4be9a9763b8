/** Gives what was dialled to the native pump as the proxy's side of a flow. */
import type { NativeFlows } from '../native-flows.ts';
import { bridge } from '../upstream/bridge.ts';
import type { ChainDialled } from '../upstream/chain.ts';
import { descriptorOf } from './descriptor.ts';

/**
 * A socket goes to the pump by its descriptor; a stream of this process (TLS) by one end of a pair of sockets, over
 * whose other end its bytes are carried. Throws when the pump does not take it, and then nothing of it is left.
 */
export function joinTo(
  native: NativeFlows,
  flow: number,
  dialled: ChainDialled,
  { socketPair, isOver }: { readonly socketPair: () => [number, number]; readonly isOver: () => boolean },
): void {
  if (dialled.kind === 'socket') {
    try {
      native.join(flow, descriptorOf(dialled.socket), dialled.early);
    } finally {
      // The pump has a duplicate; without it there is nothing to keep either.
      dialled.socket.destroy();
    }
    return;
  }
  bridge(dialled.socket, {
    socketPair,
    join: (descriptor) => {
      native.join(flow, descriptor, dialled.early);
    },
    onBroken: () => {
      if (!isOver()) native.abort(flow);
    },
  });
}
