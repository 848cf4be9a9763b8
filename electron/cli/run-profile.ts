/**
 * Which profile `culvert run` takes: the proxies of the command line, a proxychains file, a profile by its name, the
 * one that the app is bound to, or the default. Does: read what it needs of that, and ask for a password where one
 * is missing. Must not: print anything but the question.
 */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { CulvertError } from '#shared/failure.ts';
import type { Isolation } from '#shared/model.ts';
import type { Profile } from '#shared/profile.ts';
import { boundProfile, ConfigStore, givenProfile, type ProfileChoice } from '#engine';
import { withPasswords } from './proxy-passwords.ts';
import { chainOf, dnsOf, isolationOf, upstreamsOf, wordOf } from './run-request.ts';
import type { RunOptions } from './run-request.ts';
import { profileFor } from './stored-profile.ts';

export interface ChosenProfile {
  readonly profile: ProfileChoice;
  readonly apps: readonly [string, ...string[]];
  readonly isolation: Isolation;
  /** What the user should know before the start, a line each. */
  readonly notices: readonly string[];
}

/** Told before the start of what goes out directly. */
export const unprotected =
  'unprotected — this command goes out without a proxy, so others see this computer’s address — ' +
  'name a proxy or another profile to change that';

/** What rules and bindings may call a command: the name of its program, and its path where it was typed as one. */
function appsOf(command: string): readonly [string, ...string[]] {
  const name = basename(command);
  return name === command ? [name] : [name, resolve(command)];
}

/** Throws `option-invalid`, `proxy-url-invalid`, `profile-unknown`, `import-invalid` and what the configuration may. */
export async function chooseProfile(
  argv: readonly [string, ...string[]],
  options: RunOptions,
): Promise<ChosenProfile | 'interrupted'> {
  const apps = appsOf(argv[0]);
  const { proxy, file, profile } = options;
  if ([proxy, file, profile].filter((given) => given !== undefined).length > 1)
    throw invalid('--proxy, --profile and --file exclude one another');
  if (proxy !== undefined) return givenProxies(proxy, apps, options);
  refuseBeside('--chain', options.chain, '--proxy');
  refuseBeside('--chain-length', options.chainLength, '--proxy');
  if (file !== undefined) return givenFile(file, apps, options);
  refuseBeside('--dns', options.dns, '--proxy or --file; a profile has its own setting');
  refuseBeside('--udp', options.udp, '--proxy or --file; a profile has its own setting');
  refuseBeside('--egress', options.egress, '--proxy or --file; a profile has its own setting');
  return storedProfile(profile, apps, options);
}

function refuseBeside(option: string, value: string | undefined, with_: string): void {
  if (value !== undefined) throw invalid(`${option} goes with ${with_}`);
}

async function givenProxies(
  proxies: readonly string[],
  apps: ChosenProfile['apps'],
  options: RunOptions,
): Promise<ChosenProfile | 'interrupted'> {
  const upstreams = await withPasswords(upstreamsOf(proxies, process.env), options);
  if (upstreams === 'interrupted') return 'interrupted';
  const isDirect = upstreams.length === 0;
  const given = {
    upstreams,
    ...chainOf(options),
    dns: dnsOf(options.dns, isDirect),
    udp: udpOf(options),
    egress: options.egress,
  };
  const isolation = isolationOf(options.isolation ?? 'auto');
  return { profile: givenProfile(given), apps, isolation, notices: isDirect ? [unprotected] : [] };
}

function udpOf({ udp }: RunOptions): 'allow' | 'block' {
  return wordOf('--udp', udp ?? 'allow', ['allow', 'block']);
}

/** A proxychains file, as it is. */
async function givenFile(
  path: string,
  apps: ChosenProfile['apps'],
  options: RunOptions,
): Promise<ChosenProfile> {
  const { importText } = await import('#engine/import');
  const { profiles, secrets, rules, lines } = importText(readText(path), { name: path, kind: 'proxychains' });
  const [found] = profiles;
  const bad = lines.filter(({ status }) => status === 'invalid');
  if (found === undefined || bad.length > 0) {
    const [first] = bad;
    const why =
      first === undefined ? 'it names no proxy' : `line ${first.line}: ${first.reason ?? first.text}`;
    throw new CulvertError('import-invalid', { detail: `${path}: ${why}` });
  }
  const dns = options.dns === undefined ? found.dns : dnsOf(options.dns, false);
  const profile: Profile = {
    ...found,
    dns,
    udp: udpOf(options),
    ...(options.egress === undefined ? {} : { egress: options.egress }),
  };
  const passwords = new Map(
    secrets.filter((secret) => secret.profile === found.id).map(({ server, password }) => [server, password]),
  );
  const notices = lines
    .filter(({ status }) => status === 'skipped' || status === 'note')
    .map(
      ({ line, text, reason }) => `${path}:${line} — ${text}${reason === undefined ? '' : ` — ${reason}`}`,
    );
  const choice: ProfileChoice = { kind: 'given', profile, passwords, rules };
  return { profile: choice, apps, isolation: isolationOf(options.isolation ?? 'auto'), notices };
}

function readText(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw invalid(`--file ${path}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

function storedProfile(
  name: string | undefined,
  apps: ChosenProfile['apps'],
  options: Pick<RunOptions, 'isolation'>,
): ChosenProfile {
  const config = ConfigStore.open().read();
  if ((name ?? boundProfile(config, apps) ?? config.defaultProfile) === undefined)
    throw invalid(
      'no profile is the default yet; name a proxy (--proxy socks5://user@host:port), or add one with `culvert profile add`',
    );
  const { id, action, isolation } = profileFor(config, name, apps);
  return {
    profile: { kind: 'stored', id },
    apps,
    isolation: isolationOf(options.isolation ?? isolation),
    notices: action === 'direct' ? [unprotected] : [],
  };
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
