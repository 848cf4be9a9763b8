/** `culvert profile ls` and `culvert profile show`. */
import { isatty } from 'node:tty';
import { builtInProfiles, builtIns, type Config, type Profile } from '#shared/profile.ts';
import { ConfigStore, usesOfProfile } from '#engine';
import { openSecrets } from './kept-passwords.ts';
import { type Column, print, printable, styleFor, table, write } from './output.ts';
import { dnsWords, viaOf, wordsOf, type ProfileFacts } from './profile-words.ts';
import { namedProfile } from './stored-profile.ts';

export interface ListOptions {
  readonly json?: boolean | undefined;
}

/** Version of the JSON that `--json` prints; rises when a field changes its meaning or goes. */
const schema = 1;

const columns: readonly Column[] = [
  { title: '' },
  { title: 'ID' },
  { title: 'NAME' },
  { title: 'VIA' },
  { title: 'DNS' },
  { title: 'UDP' },
  { title: 'APPS', align: 'right' },
  { title: 'RULES', align: 'right' },
];

/** The user's own, then those that are built in. */
function allProfiles({ profiles }: Config): Profile[] {
  return [...profiles, ...builtInProfiles.map((id) => builtIns[id])];
}

/** One row of the table; the default has a star. */
export function rowOf(config: Config, profile: Profile): string[] {
  const { apps, rules, isDefault } = usesOfProfile(config, profile.id);
  return [
    isDefault ? '*' : '',
    profile.id,
    profile.name,
    viaOf(profile),
    dnsWords(profile),
    profile.udp,
    String(apps.length),
    String(rules.length),
  ];
}

function asJson(config: Config, profile: Profile) {
  return {
    ...profile,
    via: viaOf(profile),
    isBuiltIn: builtInProfiles.some((id) => id === profile.id),
    uses: usesOfProfile(config, profile.id),
  };
}

export function profilesAsJson(config: Config): string {
  const { defaultProfile } = config;
  const profiles = allProfiles(config).map((profile) => asJson(config, profile));
  return JSON.stringify({ schema, ...(defaultProfile === undefined ? {} : { defaultProfile }), profiles });
}

function profilesAsText(config: Config, isTerminal: boolean): string {
  const rows = allProfiles(config).map((profile) => rowOf(config, profile));
  return table(columns, rows, { isTerminal, style: styleFor(1) });
}

/** Throws what reading the configuration may. */
export function listProfiles(options: ListOptions): void {
  const config = ConfigStore.open().read();
  if (options.json === true) print(profilesAsJson(config));
  else write(1, profilesAsText(config, isatty(1)));
}

/** Everything of one profile but its passwords. Throws `profile-unknown` and what reading may. */
export async function showProfile(name: string, options: ListOptions, productDir: string): Promise<void> {
  const config = ConfigStore.open().read();
  const profile = namedProfile(config, name);
  using secrets = await openSecrets(productDir);
  const facts: ProfileFacts = {
    uses: usesOfProfile(config, profile.id),
    isBuiltIn: builtInProfiles.some((id) => id === profile.id),
    passwordPlace: (server) => secrets.placeOf(profile.id, server),
  };
  if (options.json === true) {
    const passwords = Object.fromEntries(
      profile.chain.servers.map(({ id }) => [id, facts.passwordPlace(id) ?? 'none']),
    );
    print(JSON.stringify({ schema, profile: asJson(config, profile), passwords }));
    return;
  }
  const { title, lines } = wordsOf(profile, facts);
  const width = Math.max(...lines.map(([label]) => label.length));
  print(styleFor(1).bold(printable(title)));
  for (const [label, text] of lines) print(printable(`  ${label.padEnd(width)}  ${text}`));
}
