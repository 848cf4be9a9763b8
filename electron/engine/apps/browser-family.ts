/**
 * The two families of apps that hand over by a lock in their profile: Firefox and Chromium with what is made of
 * them. Which app belongs where, where it keeps its profiles, and how it takes another. Plain functions.
 */
import { join } from 'node:path';
import type { App } from './app.ts';
import { execArgvs } from './exec.ts';
import { configHome, homeOf } from './folders.ts';
import { realProgram } from './program.ts';

export type Family = 'firefox' | 'chromium';

/** Names of programs, ids of Flatpaks, and the directory of the profiles: below the home, or the configuration. */
interface Kin {
  readonly family: Family;
  readonly names: readonly string[];
  readonly inHome?: readonly string[];
  readonly inConfig?: readonly string[];
}

const kin: readonly Kin[] = [
  {
    family: 'firefox',
    names: ['firefox', 'firefox-esr', 'firefox-bin', 'firefox-nightly', 'org.mozilla.firefox'],
    inHome: ['.mozilla/firefox', 'snap/firefox/common/.mozilla/firefox'],
    inConfig: ['mozilla/firefox'],
  },
  { family: 'firefox', names: ['thunderbird', 'org.mozilla.Thunderbird'], inHome: ['.thunderbird'] },
  { family: 'firefox', names: ['librewolf', 'io.gitlab.librewolf-community'], inHome: ['.librewolf'] },
  { family: 'firefox', names: ['waterfox', 'net.waterfox.waterfox'], inHome: ['.waterfox'] },
  {
    family: 'chromium',
    names: ['chromium', 'chromium-browser', 'org.chromium.Chromium'],
    inHome: ['snap/chromium/common/chromium'],
    inConfig: ['chromium'],
  },
  {
    family: 'chromium',
    names: ['google-chrome', 'google-chrome-stable', 'chrome', 'com.google.Chrome'],
    inConfig: ['google-chrome'],
  },
  { family: 'chromium', names: ['google-chrome-beta'], inConfig: ['google-chrome-beta'] },
  { family: 'chromium', names: ['google-chrome-unstable'], inConfig: ['google-chrome-unstable'] },
  {
    family: 'chromium',
    names: ['brave', 'brave-browser', 'brave-browser-stable', 'com.brave.Browser'],
    inConfig: ['BraveSoftware/Brave-Browser'],
  },
  {
    family: 'chromium',
    names: ['microsoft-edge', 'microsoft-edge-stable', 'msedge', 'com.microsoft.Edge'],
    inConfig: ['microsoft-edge'],
  },
  {
    family: 'chromium',
    names: ['vivaldi', 'vivaldi-stable', 'vivaldi-bin', 'com.vivaldi.Vivaldi'],
    inConfig: ['vivaldi'],
  },
  { family: 'chromium', names: ['opera', 'com.opera.Opera'], inConfig: ['opera'] },
];

export interface FamilyMember {
  readonly family: Family;
  /** Where its profiles may be: for Firefox the directory of profiles.ini, for Chromium the user data directory. */
  readonly directories: readonly string[];
}

/** Which family a command belongs to, by the program behind wrappers; undefined for all others. */
export function memberOf(argv: readonly string[], env: NodeJS.ProcessEnv): FamilyMember | undefined {
  const { name } = realProgram(argv);
  const found = kin.find(({ names }) => names.includes(name));
  if (found === undefined) return undefined;
  // A user data directory in the command is the one that counts; Chromium's own default goes by its name.
  const own = found.family === 'chromium' ? optionOf(argv, '--user-data-dir') : undefined;
  const directories = [
    ...(found.inConfig ?? []).map((path) => join(configHome(env), path)),
    ...(found.inHome ?? []).map((path) => join(homeOf(env), path)),
  ];
  return { family: found.family, directories: own === undefined ? directories : [own] };
}

/** The family of an installed app, by its command. */
export function familyOf(app: Pick<App, 'exec' | 'name'>): Family | undefined {
  try {
    return memberOf(execArgvs(app.exec, { name: app.name })[0], {})?.family;
  } catch {
    // A command that cannot be read belongs to none; starting it says why.
    return undefined;
  }
}

function optionOf(argv: readonly string[], option: string): string | undefined {
  const value = argv.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1);
  return value?.startsWith('/') === true ? value : undefined;
}
