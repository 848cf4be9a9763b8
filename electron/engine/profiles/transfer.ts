/** What goes out of the configuration as text, and what comes in, as far as both need no file. Plain functions. */
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Said } from '#shared/phrase.ts';
import { findProfile, type Config, type Profile, type Rule } from '#shared/profile.ts';
import { exportJson, exportLinks, type ImportLine } from '../import/index.ts';
import type { ServerPassword } from './kept-passwords.ts';

/** Why an import brings nothing: the first line that was not taken. `from` is what it is called. */
export function whyNothing(from: string, lines: readonly ImportLine[]): Said {
  const first = lines.find(({ status }) => status === 'invalid' || status === 'skipped');
  const why = first === undefined ? phrase('import-refusal.nothing') : whyNot(first);
  return from === '' ? why : phrase('import-refusal.in-source', { from, why });
}

function whyNot({ line, text, textPhrase, reason, reasonPhrase }: ImportLine): Said {
  const why = reasonPhrase ?? reason ?? textPhrase ?? text;
  return line === 0 ? why : phrase('import-refusal.in-line', { line, why });
}

/** The named own profiles, or all of them. Throws `profile-unknown`. */
export function profilesOf(config: Config, ids: readonly string[] | undefined): readonly Profile[] {
  return (
    ids?.map((id) => {
      const found = findProfile(config, id);
      if (found === undefined) throw new CulvertError('profile-unknown', { detail: id });
      return found;
    }) ?? config.profiles
  );
}

/** Profiles as JSON with their rules: all rules where all profiles are meant. Passwords are in it where they are given. */
export function profilesAsJson(
  config: Config,
  profiles: readonly Profile[],
  passwords: readonly ServerPassword[] | undefined,
): string {
  const rules = profiles === config.profiles ? config.rules : rulesFor(config, profiles);
  return exportJson({ profiles: [...profiles], rules: [...rules] }, passwords);
}

/** Profiles as links, and those that have no proxy and so no link. */
export function profilesAsLinks(
  profiles: readonly Profile[],
  passwords: readonly ServerPassword[],
): { text: string; leftOut: Profile[] } {
  const hasProxy = ({ chain }: Profile): boolean => chain.servers.length > 0;
  const text = profiles.filter(hasProxy).map((profile) => exportLinks(profile, passwords));
  return { text: text.join(''), leftOut: profiles.filter((profile) => !hasProxy(profile)) };
}

/** The rules that are for these profiles alone and lead to no other. */
export function rulesFor({ rules }: Pick<Config, 'rules'>, profiles: readonly Profile[]): Rule[] {
  const ids = new Set(profiles.map(({ id }) => id));
  return rules.filter(
    ({ match, profile }) =>
      match.profiles !== undefined &&
      match.profiles.every((id) => ids.has(id)) &&
      (profile === undefined || ids.has(profile)),
  );
}
