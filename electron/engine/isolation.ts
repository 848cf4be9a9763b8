/**
 * How isolated networks are made on this computer: what is proven by making one, what would have to be asked for, and
 * what is in the way. Must not: ask for a password unless it is told to.
 */
import { failureOf, type Failure } from '#shared/failure.ts';
import type { IsolationView } from '#shared/support-protocol.ts';
import { canAskOnDesktop } from './elevate.ts';
import { isForRoot } from './helper-place.ts';
import type { Helpers } from './helper-pool.ts';
import { closedSwitch, hasNoNewPrivs } from './refusals.ts';

/** Where what is set for good is read from (sysctl.d(5)). */
const keptSettings = '/etc/sysctl.d/60-culvert.conf';

/** Looks without asking for a password. */
export async function lookAtIsolation(prove: Helpers['prove'], productDir: string): Promise<IsolationView> {
  try {
    const { mode } = await prove(false);
    return { mode, isProven: true };
  } catch (error) {
    const canAsk = canAskOnDesktop() && !hasNoNewPrivs() && isForRoot(productDir);
    return viewOfRefusal(failureOf(error), { canAsk, closedSwitch });
  }
}

/** Proves it, and may ask for a password. Throws why it cannot be. */
export async function allowIsolation(prove: Helpers['prove']): Promise<IsolationView> {
  const { mode } = await prove(true);
  return { mode, isProven: true };
}

/** What is left where the way without a password is not there. */
export function viewOfRefusal(
  failure: Failure,
  facts: { readonly canAsk: boolean; readonly closedSwitch: typeof closedSwitch },
): IsolationView {
  if (failure.code !== 'userns-forbidden') return { isProven: false, failure };
  const closed = facts.closedSwitch();
  return {
    ...(facts.canAsk ? { mode: 'privileged' } : {}),
    isProven: false,
    failure,
    ...(closed === undefined ? {} : { command: commandFor(closed) }),
  };
}

/** Allows it now and after every start of the computer. */
function commandFor({ name, allows }: { readonly name: string; readonly allows: string }): string {
  return `echo '${name} = ${allows}' | sudo tee ${keptSettings} && sudo sysctl -p ${keptSettings}`;
}
