/**
 * Passwords for proxies that were typed: out of the URL, CULVERT_PASSWORD, the first line of stdin, or asked for on
 * the terminal. Must not: print anything but the question.
 */
import { CulvertError } from '#shared/failure.ts';
import type { Upstream } from '#shared/model.ts';
import { lacksPassword } from '#engine';
import { askOnTerminal, readLine } from './password.ts';

export interface PasswordOptions {
  /** Take the first line of stdin. */
  readonly passwordStdin?: boolean | undefined;
}

/** The proxies with what is to be had of passwords. Throws `option-invalid`; `interrupted` is Ctrl+C at the question. */
export async function withPasswords(
  upstreams: readonly Upstream[],
  options: PasswordOptions,
): Promise<Upstream[] | 'interrupted'> {
  if (options.passwordStdin === true && upstreams.length > 0) return withLine(upstreams);
  const whole: Upstream[] = [];
  for (const upstream of upstreams) {
    if (!lacksPassword(upstream)) {
      whole.push(upstream);
      continue;
    }
    const asked = await askOnTerminal(
      `Password for ${upstreams.length === 1 ? 'the proxy' : upstream.host}: `,
    );
    if (asked.kind === 'interrupted') return 'interrupted';
    // Some proxies want a user name alone.
    whole.push(asked.kind === 'unasked' ? upstream : { ...upstream, password: asked.text });
  }
  return whole;
}

/** The one line of stdin is the password of every proxy that has a user and none yet. */
function withLine(upstreams: readonly Upstream[]): Upstream[] {
  if (upstreams.every(({ user }) => user === undefined))
    throw invalid('--password-stdin needs a user name in the proxy URL');
  const password = lineOfStdin();
  return upstreams.map((upstream) => (upstream.user === undefined ? upstream : { ...upstream, password }));
}

/** The first line of stdin. Throws `option-invalid` where there is none. */
export function lineOfStdin(): string {
  const password = readLine(0);
  if (password === undefined) throw invalid('--password-stdin found no line');
  return password;
}

/** Ends this process as Ctrl+C does where nobody listens to it; nothing was changed yet. */
export function endInterrupted(): never {
  process.kill(process.pid, 'SIGINT');
  // The signal ends it before this, unless the caller had it ignored.
  return process.exit(130);
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
