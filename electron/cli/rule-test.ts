/** `culvert rule test`: what would happen to a connection of an app, and which rule says so. */
import { isIP } from 'node:net';
import type { Failure } from '#shared/failure.ts';
import type { Config, Profile } from '#shared/profile.ts';
import {
  Catalogue,
  ConfigStore,
  namesOfText,
  parseDestination,
  ruleSentence,
  testDestination,
  type DestinationTest,
} from '#engine';
import { print, printable } from './output.ts';
import { wordOf } from './run-request.ts';
import { profileFor } from './stored-profile.ts';

export interface RuleTestOptions {
  readonly profile?: string | undefined;
  readonly protocol?: string | undefined;
  readonly process?: string | undefined;
  readonly json?: boolean | undefined;
}

const schema = 1;

/** Throws `option-invalid`, `profile-unknown`, `app-ambiguous`, `rule-invalid` and what reading may. */
export async function testRules(app: string, destination: string, options: RuleTestOptions): Promise<void> {
  const { host, port } = parseDestination(destination);
  const protocol = wordOf('--protocol', options.protocol ?? 'tcp', ['tcp', 'udp']);
  const config = ConfigStore.open().read();
  const apps = await namesOfText(app, new Catalogue());
  const profile = profileFor(config, options.profile, apps);
  const facts = {
    protocol,
    port,
    ...(isIP(host) === 0 ? { host } : { address: host }),
    ...(options.process === undefined ? {} : { process: options.process }),
  };
  const tested = await testDestination(config, { apps, profile, facts });
  if (options.json === true) {
    print(JSON.stringify({ schema, app: apps[0], profile: profile.id, ...facts, ...tested }));
    return;
  }
  const asked = `${apps[0]} to ${host} port ${port} over ${protocol.toUpperCase()}, with the profile ${profile.id}`;
  for (const line of testLines(asked, config, profile, tested)) print(printable(line));
}

/** The answer in lines; the first is what would happen. */
export function testLines(
  asked: string,
  { rules }: Pick<Config, 'rules'>,
  profile: Profile,
  { via, failure, rule, explanation, isProcessWanted }: DestinationTest,
): string[] {
  const sentence = (id: string) => {
    const found = rules.find((one) => one.id === id);
    return found === undefined ? id : `${id}: ${ruleSentence(found)}`;
  };
  const { near, off, findings, rule: open } = explanation;
  return [
    `${asked} → ${via ?? 'blocked'}`,
    rule === undefined
      ? `  no rule decides; ${byProfile(profile, failure)}`
      : `  decided by ${sentence(rule)}`,
    ...(rule === undefined || rule !== open
      ? []
      : findings.flatMap(({ field, by }) => (by === undefined ? [] : [`    ${field}: ${by}`]))),
    ...(isProcessWanted && open !== undefined
      ? [`  unless its process is one that this names, see --process: ${sentence(open)}`]
      : []),
    ...near.map((miss) => `  not by ${sentence(miss.rule)} (${miss.failed})`),
    ...off.map((id) => `  off, or it would: ${sentence(id)}`),
  ];
}

function byProfile({ action }: Profile, failure: Failure | undefined): string {
  if (failure !== undefined)
    return `the profile refuses it${failure.detail === undefined ? '' : `: ${failure.detail}`}`;
  switch (action) {
    case 'proxy':
      return 'the profile’s own proxy is taken';
    case 'direct':
      return 'the profile lets it out directly';
    case 'block':
      return 'the profile refuses it';
  }
}
