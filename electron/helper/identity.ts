/**
 * For whom the helper works: taken from the elevation, never from a message (S24).
 *
 * Must not: believe anything that the engine says about users.
 */
import { CulvertError } from '#shared/failure.ts';
import type { Mode } from '#shared/helper-protocol.ts';

/** System accounts are below (login.defs(5), UID_MIN). */
const firstUserId = 1000;
const nobody = 65_534;

/**
 * The user id whose engine is served. `env` is the helper's own environment, which pkexec and sudo write
 * (pkexec(1), sudo(8)). Root without either means that root itself started Culvert. Throws `identity-refused`.
 */
export function servedUser(mode: Mode, euid: number, env: NodeJS.ProcessEnv): number {
  if (mode === 'rootless') return euid;
  if (euid !== 0) throw new CulvertError('identity-refused', { detail: `not root but user ${euid}` });
  const claimed = env['PKEXEC_UID'] ?? env['SUDO_UID'];
  if (claimed === undefined) return 0;
  const uid = /^[0-9]{1,10}$/.test(claimed) ? Number(claimed) : Number.NaN;
  if (!(uid >= firstUserId && uid !== nobody && uid < 0xffff_ffff)) {
    throw new CulvertError('identity-refused', { detail: `user id ${claimed}` });
  }
  return uid;
}
