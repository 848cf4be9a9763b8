/**
 * Asks the session's message bus who has a name, and nothing else: an app that is single-instance by its name on the
 * bus would hand over to the process behind it.
 *
 * Must not: start a service, take longer than a second, or need the bus: where there is none, nobody has the name.
 */
import { MessageBus, ofBus } from '#shared/control/message-bus.ts';

const deadlineMs = 1000;

/** The process that has the name on the session's bus; undefined where nobody has, or there is no bus to ask. */
export async function ownerOnBus(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number | undefined> {
  if (!isBusName(name)) return undefined;
  const bus = new MessageBus(env);
  const timer = setTimeout(() => {
    bus.close();
  }, deadlineMs);
  try {
    if (!(await bus.begin())) return undefined;
    // Answers an error where nobody has the name: it must not be started for the question.
    const answer = await bus.call(ofBus('GetConnectionUnixProcessID', name));
    return answer?.length === 4 ? answer.readUInt32LE(0) : undefined;
  } finally {
    clearTimeout(timer);
    bus.close();
  }
}

/** A well-known name: at least two elements, none beginning with a digit, 255 bytes at most. */
export function isBusName(name: string): boolean {
  return name.length <= 255 && /^[A-Za-z_-][A-Za-z0-9_-]*(?:\.[A-Za-z_-][A-Za-z0-9_-]*)+$/.test(name);
}
