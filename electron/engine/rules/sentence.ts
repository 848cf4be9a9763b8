/** A rule as an English sentence, for the command line: `firefox to *.corp.example port 443 → direct`. */
import type { Rule } from '#shared/profile.ts';

export interface SentenceOptions {
  /** What people call an app; its id where there is nothing better. */
  readonly appName?: (app: string) => string;
  readonly profileName?: (profile: string) => string;
  /** How many entries of one list are written out. */
  readonly most?: number;
}

/** The texts come from the configuration and are given as they are: what goes to a terminal is made printable there. */
export function ruleSentence({ match, ...rule }: Rule, options: SentenceOptions = {}): string {
  const { appName = asIs, profileName = asIs, most = 4 } = options;
  const list = (texts: readonly string[]) => listed(texts, most);
  const words = [
    match.apps === undefined ? 'Any app' : list(match.apps.map(appName)),
    match.profiles && `with profile ${list(match.profiles.map(profileName))}`,
    match.processes && `(process ${list(match.processes)})`,
    match.to === undefined ? match.ports && 'to' : `to ${list(match.to)}`,
    match.ports && `port ${list(match.ports)}`,
    match.protocol && `over ${match.protocol.toUpperCase()}`,
    '→',
    rule.action === 'profile' ? `profile ${profileName(rule.profile ?? '?')}` : rule.action,
  ];
  return words.filter((word) => word !== undefined).join(' ');
}

function listed(texts: readonly string[], most: number): string {
  if (texts.length === 0) return '(nothing)';
  const rest = texts.length - most;
  // “and 1 more” is no shorter than the one.
  return rest <= 1 ? texts.join(', ') : `${texts.slice(0, most).join(', ')} and ${rest} more`;
}

function asIs(text: string): string {
  return text;
}
