/**
 * The edits that people make, as functions from a configuration to the next one: for `ConfigStore.update`. Pure.
 *
 * Must not: leave something behind that names a profile which is gone, or make a refused connection possible
 * by removing a profile.
 */
import { CulvertError } from '#shared/failure.ts';
import { phrase, type Clauses } from '#shared/phrase.ts';
import {
  builtIns,
  findProfile,
  type Config,
  type Profile,
  type Rule,
  type profile as profileSchema,
} from '#shared/profile.ts';
import type { InferInput } from 'valibot';
import { freeId } from './free-id.ts';
import { checkConfig } from './parse.ts';

const longestName = 60;

/** What is known of a new profile; what is left out gets its usual value, the id one made of the name. */
export type ProfileFields = Omit<InferInput<typeof profileSchema>, 'id'> & { readonly id?: string };

/** A configuration and the profile that came into it. */
export interface Added {
  readonly config: Config;
  readonly profile: Profile;
}

/** Where a profile is used. */
export interface ProfileUses {
  /** Apps that are bound to it. */
  readonly apps: readonly string[];
  /** Ids of rules that lead to it or are for it. */
  readonly rules: readonly string[];
  /** Ids of profiles that take its chain when their own fails. */
  readonly failovers: readonly string[];
  readonly isDefault: boolean;
}

/** An id for a name, `my-proxy` for `My Proxy`, that no profile has yet. */
export function freeProfileId(config: Config, name: string): string {
  const isTaken = (id: string) => findProfile(config, id) !== undefined;
  return freeId(name, isTaken) ?? freeId('profile', isTaken) ?? 'profile';
}

/** Adds a profile. Throws `config-invalid` for fields that do not hold and ids that are taken. */
export function addProfile(config: Config, fields: ProfileFields): Added {
  const id = fields.id ?? freeProfileId(config, fields.name);
  // Its references are checked with the rest; the schema fills in what was left out.
  const next = checkConfig({ ...config, profiles: [...config.profiles, { ...fields, id }] });
  return { config: next, profile: ownProfile(next, id) };
}

/** Puts a profile in the place of the one with its id. Throws `profile-unknown`, `option-invalid` for a built-in one. */
export function replaceProfile(config: Config, profile: Profile): Config {
  ownProfile(config, profile.id);
  return { ...config, profiles: config.profiles.map((old) => (old.id === profile.id ? profile : old)) };
}

/** A copy under another name, without its passwords. Throws `profile-unknown`. */
export function duplicateProfile(config: Config, id: string, name?: string): Added {
  const original = knownProfile(config, id);
  const end = ' (copy)';
  const copyName = name ?? `${original.name.slice(0, longestName - end.length)}${end}`;
  return addProfile(config, {
    ...structuredClone(original),
    id: freeProfileId(config, copyName),
    name: copyName,
  });
}

/**
 * Gives a profile another id, also where it is named; its passwords are moved by whoever keeps them. Throws
 * `profile-unknown`, `option-invalid` for a built-in one and for an id that is taken.
 */
export function renameProfile(config: Config, id: string, next: string): Config {
  ownProfile(config, id);
  if (id === next) return config;
  if (findProfile(config, next) !== undefined)
    throw new CulvertError('option-invalid', { detail: phrase('config.id-in-use', { id: next }) });
  const renamed = (one: string) => (one === id ? next : one);
  const rules = config.rules.map(({ match, ...rule }): Rule => {
    const { profiles, ...others } = match;
    const { profile } = rule;
    return {
      ...rule,
      match: profiles === undefined ? match : { ...others, profiles: profiles.map(renamed) },
      ...(profile === undefined ? {} : { profile: renamed(profile) }),
    };
  });
  return checkConfig({
    ...config,
    ...(config.defaultProfile === undefined ? {} : { defaultProfile: renamed(config.defaultProfile) }),
    profiles: config.profiles.map((profile) => ({
      ...profile,
      id: renamed(profile.id),
      failure: {
        ...profile.failure,
        ...(profile.failure.profile === undefined ? {} : { profile: renamed(profile.failure.profile) }),
      },
    })),
    rules,
    apps: Object.fromEntries(Object.entries(config.apps).map(([app, bound]) => [app, renamed(bound)])),
  });
}

/** What uses a profile. */
export function usesOfProfile(config: Config, id: string): ProfileUses {
  return {
    apps: Object.keys(config.apps).filter((app) => config.apps[app] === id),
    rules: config.rules.filter((rule) => isRuleOf(rule, id)).map((rule) => rule.id),
    failovers: config.profiles.filter(({ failure }) => failure.profile === id).map((profile) => profile.id),
    isDefault: config.defaultProfile === id,
  };
}

function isRuleOf({ profile, match }: Rule, id: string): boolean {
  return profile === id || match.profiles?.includes(id) === true;
}

/**
 * Removes a profile. Where something uses it, only by `force`: apps become unbound, failovers and rules that lead
 * to it block instead, rules that are for it alone go. Throws `profile-unknown`, `profile-in-use`, `option-invalid`
 * for a built-in one.
 */
export function removeProfile(config: Config, id: string, { force = false } = {}): Config {
  ownProfile(config, id);
  const uses = usesOfProfile(config, id);
  const told = sayUses(uses);
  if (told.clauses.length > 0 && !force)
    throw new CulvertError('profile-in-use', { detail: phrase('config.used', { id, uses: told }) });
  const { defaultProfile, ...rest } = config;
  return {
    ...rest,
    ...(defaultProfile === undefined || uses.isDefault ? {} : { defaultProfile }),
    profiles: config.profiles
      .filter((profile) => profile.id !== id)
      .map((profile) =>
        profile.failure.profile === id ? { ...profile, failure: { policy: 'block' } } : profile,
      ),
    rules: config.rules.flatMap((rule) => ruleWithout(rule, id)),
    apps: Object.fromEntries(Object.entries(config.apps).filter(([, bound]) => bound !== id)),
  };
}

/** As in `default profile; apps firefox, curl; rules intranet`; without clauses where nothing uses it. */
export function sayUses({ apps, rules, failovers, isDefault }: ProfileUses): Clauses {
  return {
    clauses: [
      ...(isDefault ? [phrase('config.used-as-default')] : []),
      ...(apps.length > 0 ? [phrase('config.used-by-apps', { ids: apps })] : []),
      ...(rules.length > 0 ? [phrase('config.used-by-rules', { ids: rules })] : []),
      ...(failovers.length > 0 ? [phrase('config.used-by-failovers', { ids: failovers })] : []),
    ],
  };
}

function ruleWithout(rule: Rule, id: string): Rule[] {
  const { profile, ...others } = rule;
  const left: Rule = profile === id ? { ...others, action: 'block' } : rule;
  if (left.match.profiles?.includes(id) !== true) return [left];
  const profiles = left.match.profiles.filter((one) => one !== id);
  return profiles.length === 0 ? [] : [{ ...left, match: { ...left.match, profiles } }];
}

/** The profile for apps that are bound to none; undefined for none. Throws `profile-unknown`. */
export function setDefault(config: Config, id: string | undefined): Config {
  const { defaultProfile: _, ...rest } = config;
  return id === undefined ? rest : { ...rest, defaultProfile: knownProfile(config, id).id };
}

/** An app that is to use a profile from now on. Throws `profile-unknown`. */
export function bindApp(config: Config, app: string, id: string): Config {
  return { ...config, apps: { ...config.apps, [app]: knownProfile(config, id).id } };
}

/** An app that is to use the default profile again; nothing changes for one that was not bound. */
export function unbindApp(config: Config, app: string): Config {
  return {
    ...config,
    apps: Object.fromEntries(Object.entries(config.apps).filter(([name]) => name !== app)),
  };
}

function knownProfile(config: Config, id: string): Profile {
  const profile = findProfile(config, id);
  if (profile === undefined) throw new CulvertError('profile-unknown', { detail: id });
  return profile;
}

function ownProfile(config: Config, id: string): Profile {
  if (Object.hasOwn(builtIns, id))
    throw new CulvertError('option-invalid', { detail: phrase('config.built-in', { id }) });
  return knownProfile(config, id);
}
