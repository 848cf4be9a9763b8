/** How an app is started in a lane that is there: what it is told, and the pipe by which its launcher tells back. */
import { CulvertError } from '#shared/failure.ts';
import { encodeLaunchPayload } from '#shared/launch-payload.ts';
import type { HelperLink } from './helper-link.ts';
import type { LaneSpec } from './lane-spec.ts';
import type { Native } from './native.ts';
import { readStatusPipe, type AppStatus } from './status-pipe.ts';

export interface LaunchContext {
  readonly native: Native;
  readonly link: HelperLink;
}

/**
 * Has the helper start the app; `heard` is told how that goes on. Answers the process that supervises it. Throws
 * `launch-failed` and what the helper may.
 */
export async function launchIn(
  lane: number,
  spec: LaneSpec,
  { native, link }: LaunchContext,
  heard: (status: AppStatus) => void,
): Promise<number> {
  const payload = native.memoryFile(encode(spec));
  const status = native.pipe();
  try {
    const descriptors = [payload, status.write, ...spec.stdio];
    const { value } = await link.call('lane.launch', { lane, terminal: spec.terminal }, descriptors);
    readStatusPipe(status.read, heard);
    return value.pid;
  } catch (error) {
    native.close(status.read);
    throw error;
  } finally {
    native.close(payload);
    native.close(status.write);
  }
}

function encode(spec: LaneSpec): Buffer {
  try {
    return encodeLaunchPayload(spec.payload);
  } catch (error) {
    throw new CulvertError('launch-failed', {
      step: 'payload',
      detail: (error as Error).message,
      cause: error,
    });
  }
}
