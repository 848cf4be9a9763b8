/**
 * An import on its way into a configuration: ids that are free there, and all that names them. Pure.
 *
 * Must not: change a profile or rule that is there already (but for what a list of addresses asks of the profile that
 * it is for), or let a rule through whose profile is nowhere.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Phrase } from '#shared/phrase.ts';
import { builtInProfiles, findProfile, type Config, type Profile, type Rule } from '#shared/profile.ts';
import { lineOf, type ImportLine } from './line.ts';
import { slugOf, type ImportedSecret, type ImportResult } from './result.ts';

export interface MergedImport {
  /** To be checked by whoever keeps it. */
  readonly config: Config;
  /** As they came in, with the ids that they have now. */
  readonly profiles: readonly Profile[];
  readonly rules: readonly Rule[];
  readonly secrets: readonly ImportedSecret[];
  /** Those of the import, and what was left out or changed on the way in. */
  readonly lines: readonly ImportLine[];
}

/** Throws `profile-unknown` or `option-invalid` for a list of addresses whose profile is not there or built in. */
export function mergeImport(config: Config, result: ImportResult): MergedImport {
  const lines = [...result.lines];
  const say = (status: ImportLine['status'], text: Phrase, reason: Phrase) =>
    lines.push(lineOf(0, status, text, reason));
  const profileIds = freeIds(
    result.profiles.map(({ id }) => id),
    new Set([...builtInProfiles, ...config.profiles.map(({ id }) => id)]),
  );
  const idOf = (id: string) => profileIds.get(id) ?? (findProfile(config, id) === undefined ? undefined : id);
  const profiles = result.profiles.map((profile) => {
    const id = profileIds.get(profile.id) ?? profile.id;
    const shown = phrase('import.named-profile', { name: profile.name });
    if (id !== profile.id) say('note', shown, phrase('import.new-id', { id, taken: profile.id }));
    return withFailover({ ...profile, id }, idOf, (reason) => say('note', shown, reason));
  });
  const ruleIds = freeIds(
    result.rules.map(({ id }) => id),
    new Set(config.rules.map(({ id }) => id)),
  );
  const rules = result.rules.flatMap((rule) => {
    const named = namedBy(rule);
    const missing = named.find((id) => idOf(id) === undefined);
    if (missing !== undefined) {
      const shown = phrase('import.named-rule', { name: rule.note ?? rule.id });
      say('skipped', shown, phrase('config.profile-unknown', { id: missing }));
      return [];
    }
    return [{ ...withProfiles(rule, (id) => idOf(id) ?? id), id: ruleIds.get(rule.id) ?? rule.id }];
  });
  const secrets = result.secrets.map((secret) => ({
    ...secret,
    profile: profileIds.get(secret.profile) ?? secret.profile,
  }));
  const changed = withChanges(config, result);
  return {
    config: {
      ...changed,
      profiles: [...changed.profiles, ...profiles],
      rules: [...changed.rules, ...rules],
    },
    ...{ profiles, rules, secrets, lines },
  };
}

/** A free id for each: the same one where nobody has it. */
function freeIds(ids: readonly string[], taken: Set<string>): Map<string, string> {
  const free = new Map<string, string>();
  for (const id of ids) {
    const next = slugOf(id, 'imported', taken);
    taken.add(next);
    free.set(id, next);
  }
  return free;
}

function withFailover(
  profile: Profile,
  idOf: (id: string) => string | undefined,
  say: (reason: Phrase) => void,
): Profile {
  const other = profile.failure.profile;
  if (other === undefined) return profile;
  const id = idOf(other);
  if (id !== undefined) return { ...profile, failure: { ...profile.failure, profile: id } };
  say(phrase('import.failover-lost', { id: other }));
  return { ...profile, failure: { policy: 'block' } };
}

function namedBy({ match, profile }: Rule): string[] {
  return [...(match.profiles ?? []), ...(profile === undefined ? [] : [profile])];
}

function withProfiles(rule: Rule, idOf: (id: string) => string): Rule {
  const { profiles } = rule.match;
  return {
    ...rule,
    match: profiles === undefined ? rule.match : { ...rule.match, profiles: profiles.map(idOf) },
    ...(rule.profile === undefined ? {} : { profile: idOf(rule.profile) }),
  };
}

/** What a list of addresses asks of its profile. */
function withChanges(config: Config, { changes }: ImportResult): Config {
  if (changes === undefined) return config;
  const { profile: id, action, dns } = changes;
  const profile = findProfile(config, id);
  if (profile === undefined) throw new CulvertError('profile-unknown', { detail: id });
  if (action === undefined && dns === undefined) return config;
  if (!config.profiles.includes(profile))
    throw new CulvertError('option-invalid', { detail: phrase('config.built-in', { id }) });
  const next = {
    ...profile,
    ...(action === undefined ? {} : { action }),
    ...(dns === undefined ? {} : { dns }),
  };
  return { ...config, profiles: config.profiles.map((one) => (one === profile ? next : one)) };
}
