/**
 * The answers to the calls of shared/profile-protocol.ts, over profiles/ and health/, which are loaded with the first
 * call: most engines are asked for none.
 */
import { basename } from 'node:path';
import type { EngineParams, EngineValue } from '#shared/engine-protocol.ts';
import { CulvertError } from '#shared/failure.ts';
import { phrase, type PhraseValue } from '#shared/phrase.ts';
import type { CheckReport, ProfileHead } from '#shared/model.ts';
import { findProfile, headOf, type Profile } from '#shared/profile.ts';
import type { profileCalls, ProxyView } from '#shared/profile-protocol.ts';
import type { CallParts, RoomHandlers, Tell } from './call-parts.ts';
import { ConfigStore } from './config/store.ts';
import { readImportFile } from './import/file.ts';
import type { PolicySource } from './lane-policy.ts';
import { ProfileTests } from './profiles/profile-tests.ts';
import type { ProfileKeeper, TypedProxy } from './profiles/index.ts';
import type { Secrets } from './secrets/secrets.ts';
import { noticeOf } from './secrets/notices.ts';

const loadProfiles = () => import('./profiles/index.ts');

/** Passwords come with the links, never out of the engine's own environment. */
const noEnv = {};

interface Tested {
  readonly profile: Profile;
  readonly passwordOf: PolicySource['passwordOf'];
}

export class ProfileCalls {
  readonly #parts: CallParts;
  readonly #store = ConfigStore.open();
  readonly #tests = new ProfileTests();

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  /** Ends the tests that are under way. */
  close(): void {
    this.#tests.close();
  }

  readonly handlers: RoomHandlers<typeof profileCalls> = {
    'proxy.read': async ({ text }) => {
      const { proxyTextsIn, readProxy } = await loadProfiles();
      return proxyTextsIn(text).map((one) => viewOf(readProxy(one, noEnv)));
    },
    'proxy.found': async () => {
      const { findProxies } = await import('./profiles/found/index.ts');
      const found = await findProxies(process.env);
      return found.map(({ upstream, name, ...rest }) => ({ ...rest, proxy: viewOf({ upstream, name }) }));
    },
    'profile.add': (params) => this.#add(params),
    'profile.save': (params) => this.#save(params),
    'profile.duplicate': async ({ profile }) => {
      const { keeper } = await this.#keeper();
      return headOf(await keeper.duplicate(profile));
    },
    'profile.uses': async ({ profile }) => {
      const { allUsesOf } = await loadProfiles();
      this.#known(profile);
      const { launchers, apps, rules, failovers, isDefault } = await allUsesOf(this.#store.read(), profile);
      return {
        ...{ isDefault, apps: [...apps], rules: [...rules], failovers: [...failovers] },
        launchers: launchers.map(({ name }) => name),
      };
    },
    'profile.remove': async ({ profile, force }) => {
      const { keeper } = await this.#keeper();
      await keeper.remove(profile, force ?? false);
      return {};
    },
    'profile.passwords': async ({ profile }) => {
      const secrets = await this.#parts.secrets();
      return this.#known(profile).chain.servers.flatMap(({ id: server }) => {
        const place = secrets.placeOf(profile, server);
        return place === undefined ? [] : [{ server, place }];
      });
    },
    'profile.test': (params, tell, ended) => this.#test(params, tell, ended),
    'profile.endTest': ({ test }, tell) => {
      this.#tests.end(tell, test);
      return {};
    },
    'profile.import': (params) => this.#import(params),
    'profile.export': (params) => this.#export(params),
  };

  async #keeper(): Promise<{ keeper: ProfileKeeper; secrets: Secrets }> {
    const { ProfileKeeper } = await loadProfiles();
    const secrets = await this.#parts.secrets();
    return { keeper: new ProfileKeeper({ store: this.#store, secrets, mayBeLost: true }), secrets };
  }

  /** Throws `profile-unknown`. */
  #known(id: string): Profile {
    const profile = findProfile(this.#store.read(), id);
    if (profile === undefined) throw new CulvertError('profile-unknown', { detail: id });
    return profile;
  }

  async #add({ links, name, isDefault }: EngineParams<'profile.add'>): Promise<ProfileHead> {
    const { newProfile, passwordsWith, proxyTextsIn, readProxies } = await loadProfiles();
    const typed = readProxies(proxyTextsIn(links), noEnv);
    if (typed.upstreams.length === 0)
      throw new CulvertError('proxy-url-invalid', { detail: phrase('proxy-text.nothing') });
    const { id, ...fields } = newProfile(name ?? typed.name, typed.upstreams);
    const { keeper } = await this.#keeper();
    const added = await keeper.add(
      fields,
      passwordsWith(id, fields.chain.servers, typed.upstreams),
      ({ profiles, defaultProfile }) => isDefault ?? (profiles.length === 0 && defaultProfile === undefined),
    );
    return headOf(added);
  }

  async #save({ profile, isNew = false, passwords }: EngineParams<'profile.save'>): Promise<ProfileHead> {
    const { checkedDraft } = await loadProfiles();
    const { id, ...fields } = checkedDraft(this.#store.read(), profile, { isNew, passwords });
    const { keeper } = await this.#keeper();
    const saved = isNew
      ? await keeper.add(
          fields,
          passwords,
          ({ profiles, defaultProfile }) => profiles.length === 0 && defaultProfile === undefined,
        )
      : await keeper.change(id, { apply: () => ({ id, ...fields }), passwords });
    // A password that changes is in no file that is watched where it is in this process alone.
    if (passwords.length > 0) await this.#parts.engine.renewPolicies();
    return headOf(saved);
  }

  async #test(
    { test, of }: EngineParams<'profile.test'>,
    tell: Tell,
    ended: AbortSignal,
  ): Promise<CheckReport> {
    const [{ probeOf, testProfile }, { profile, passwordOf }] = await Promise.all([
      import('./health/index.ts'),
      this.#tested(of),
    ]);
    const probe = probeOf(this.#store.read().probe);
    return this.#tests.run(tell, test, ended, async (signal, keep) => {
      const { chain } = await testProfile(profile, {
        ...{ probe, passwordOf, signal, productDir: this.#parts.productDir },
        onLine: (line, server) => {
          if (signal.aborted) return;
          if (server === undefined) keep(line);
          tell('testLine', { test, line, ...(server === undefined ? {} : { server }) });
        },
      });
      return chain;
    });
  }

  async #tested(of: EngineParams<'profile.test'>['of']): Promise<Tested> {
    const kept: PolicySource['passwordOf'] = async (id, server) =>
      (await this.#parts.secrets()).get(id, server);
    switch (of.kind) {
      case 'profile':
        return { profile: this.#known(of.profile), passwordOf: kept };
      case 'links': {
        const { newProfile, proxyTextsIn, readProxies } = await loadProfiles();
        const { name, upstreams } = readProxies(proxyTextsIn(of.links), noEnv);
        const profile = newProfile(name, upstreams);
        const at = (server: string): number => profile.chain.servers.findIndex(({ id }) => id === server);
        return {
          profile,
          passwordOf: (_id, server) => Promise.resolve(upstreams[at(server)]?.password),
        };
      }
      case 'draft': {
        const { checkedDraft } = await loadProfiles();
        const config = this.#store.read();
        const { id } = of.profile;
        const isNew = findProfile(config, id) === undefined;
        const profile = checkedDraft(config, of.profile, { isNew, passwords: of.passwords });
        const named = new Map(of.passwords.map(({ server, password }) => [server, password ?? undefined]));
        return {
          profile,
          passwordOf: async (own, server) =>
            named.has(server) ? named.get(server) : isNew ? undefined : kept(own, server),
        };
      }
    }
  }

  async #import({ from, isTrial }: EngineParams<'profile.import'>): Promise<EngineValue<'profile.import'>> {
    const [{ importText, mergeImport }, { whyNothing }] = await Promise.all([
      import('./import/index.ts'),
      loadProfiles(),
    ]);
    const name = from.kind === 'file' ? basename(from.path) : undefined;
    const input = from.kind === 'file' ? readImportFile(from.path) : from.text;
    const result = importText(input, name === undefined ? {} : { name });
    const trial = mergeImport(this.#store.read(), result);
    const isNothing = trial.profiles.length + trial.rules.length === 0;
    if (isNothing && !isTrial)
      throw new CulvertError('import-invalid', { detail: whyNothing(name ?? '', trial.lines) });
    if (isTrial) return importView(result.kind, trial, []);
    const { keeper, secrets } = await this.#keeper();
    const merged = await keeper.import(result);
    return importView(result.kind, merged, merged.secrets.length === 0 ? [] : secrets.notices);
  }

  async #export(params: EngineParams<'profile.export'>): Promise<EngineValue<'profile.export'>> {
    const { passwordsOf, profilesAsJson, profilesAsLinks, profilesOf } = await loadProfiles();
    const config = this.#store.read();
    const profiles = profilesOf(config, params.profiles);
    const passwords = [];
    if (params.withPasswords) {
      const secrets = await this.#parts.secrets();
      for (const profile of profiles) passwords.push(...(await passwordsOf(secrets, profile)));
    }
    if (params.format === 'links') {
      const { text, leftOut } = profilesAsLinks(profiles, passwords);
      return { text, leftOut: leftOut.map(({ name }) => name) };
    }
    return {
      text: profilesAsJson(config, profiles, params.withPasswords ? passwords : undefined),
      leftOut: [],
    };
  }
}

/** One proxy as it is shown: never with its password. */
function viewOf({ upstream, name }: TypedProxy): ProxyView {
  const { kind, host, port, user, password } = upstream;
  return {
    ...{ kind, host, port, name, hasPassword: password !== undefined },
    ...(user === undefined ? {} : { user }),
  };
}

function importView(
  kind: string,
  { profiles, rules, secrets, lines }: Awaited<ReturnType<ProfileKeeper['import']>>,
  notices: readonly PhraseValue[],
): EngineValue<'profile.import'> {
  return {
    ...{ kind, profiles: profiles.map(headOf), rules: rules.length, passwords: secrets.length },
    lines: lines.map((line) => ({ ...line })),
    ...noticeOf(notices),
  };
}
