/** `culvert profile test`: whether the proxies of a profile work, stage by stage. */
import { isatty } from 'node:tty';
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import type { CheckLine, CheckReport } from '#shared/model.ts';
import type { Config, Profile } from '#shared/profile.ts';
import { ConfigStore, loadHealth, type ProfileTest } from '#engine';
import { exitOfReport, lineText } from './check-words.ts';
import { exitOfVerb, verbExit } from './exit-codes.ts';
import { openSecrets } from './kept-passwords.ts';
import { type Column, complain, complainOf, print, styleFor, table, write } from './output.ts';
import { profileFor } from './stored-profile.ts';

export interface ProfileTestOptions {
  readonly all?: boolean | undefined;
  readonly url?: string | undefined;
  readonly compare?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** What came of one profile; `failure` where it could not be tested. */
export interface TestedProfile {
  readonly profile: Profile;
  readonly test?: ProfileTest;
  readonly ms?: number;
  readonly failure?: Failure;
}

/** Version of the JSON that `--json` prints; rises when a field changes its meaning or goes. */
const schema = 1;
/** Profiles that are tested at once. */
const atOnce = 4;

const columns: readonly Column[] = [
  { title: 'PROFILE' },
  { title: 'RESULT' },
  { title: 'MS', align: 'right' },
  { title: 'EXIT ADDRESS' },
  { title: 'WHY' },
];

/**
 * Tests one profile, the default one, or all that have proxies; answers the exit status. Throws `profile-unknown`,
 * `option-invalid` and what reading the configuration may.
 */
export async function testProfiles(
  name: string | undefined,
  options: ProfileTestOptions,
  productDir: string,
): Promise<number> {
  if (name !== undefined && options.all === true)
    throw new CulvertError('option-invalid', { detail: 'name one profile, or --all' });
  const config = ConfigStore.open().read();
  const profiles = options.all === true ? proxied(config) : [profileFor(config, name, [])];
  if (profiles.length === 0)
    complain('nothing was tested — no profile has a proxy — see `culvert profile add`');
  const tested = await testEach(profiles, config, options, productDir);
  if (options.json === true) print(JSON.stringify({ schema, profiles: inOrder(tested).map(asJson) }));
  else if (options.all === true)
    write(1, table(columns, inOrder(tested).map(rowOf), { isTerminal: isatty(1), style: styleFor(1) }));
  else for (const { failure } of tested) if (failure !== undefined) complainOf(failure);
  return Math.max(verbExit.ok, ...tested.map(exitOf));
}

function proxied({ profiles }: Config): Profile[] {
  return profiles.filter(({ action, chain }) => action === 'proxy' && chain.servers.length > 0);
}

/** The quickest first, then those that did not come through. */
export function inOrder(tested: readonly TestedProfile[]): TestedProfile[] {
  const rank = ({ test, ms }: TestedProfile): number =>
    ms === undefined || test === undefined || test.chain.outcome === 'failed' ? Infinity : ms;
  return [...tested].sort((one, other) => {
    const [first, second] = [rank(one), rank(other)];
    return first === second ? one.profile.id.localeCompare(other.profile.id) : first < second ? -1 : 1;
  });
}

async function testEach(
  profiles: readonly Profile[],
  config: Config,
  { url = config.probe.url, json, compare = false }: ProfileTestOptions,
  productDir: string,
): Promise<TestedProfile[]> {
  const { testProfile, latencyOf, probeOf } = await loadHealth();
  const probe = probeOf({ url, resolver: config.probe.resolver });
  using secrets = await openSecrets(productDir);
  const say = (profile: string, line: CheckLine, server?: string): void => {
    if (json !== true) print(lineText(line, { of: server === undefined ? profile : `${profile}/${server}` }));
  };
  const testOne = async (profile: Profile): Promise<TestedProfile> => {
    try {
      const test = await testProfile(profile, {
        probe,
        compare,
        productDir,
        passwordOf: (id, server) => secrets.get(id, server),
        onLine: (line, server) => say(profile.id, line, server),
      });
      const ms = latencyOf(test.chain);
      return { profile, test, ...(ms === undefined ? {} : { ms }) };
    } catch (error) {
      return { profile, failure: failureOf(error) };
    }
  };
  const waiting = [...profiles];
  const tested: TestedProfile[] = [];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      tested.push(await testOne(next));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return tested;
}

function exitOf({ test, failure }: TestedProfile): number {
  if (failure !== undefined) return exitOfVerb(failure.code);
  return test === undefined ? verbExit.failed : exitOfReport(test.chain);
}

function asJson({ profile, test, ms, failure }: TestedProfile) {
  return {
    profile: profile.id,
    ...(ms === undefined ? {} : { ms }),
    ...(failure === undefined ? {} : { failure }),
    ...test,
  };
}

function rowOf({ profile, test, ms, failure }: TestedProfile): string[] {
  const why = failure?.detail ?? failure?.code ?? (test === undefined ? '' : firstProblem(test.chain));
  return [
    profile.id,
    test?.chain.outcome ?? 'failed',
    ms === undefined || test?.chain.outcome === 'failed' ? '' : String(ms),
    test?.chain.exitAddress ?? '',
    why,
  ];
}

function firstProblem({ outcome, lines }: CheckReport): string {
  return outcome === 'ok' ? '' : (lines.find((line) => line.outcome === outcome)?.text ?? '');
}
