/**
 * The policies of an engine's lanes: made of what was given on the command line, or of the configuration, whose
 * changes are told. Must not: read the configuration or a password before a lane wants them.
 */
import { CulvertError, failureOf, type Failure } from '#shared/failure.ts';
import { findProfile, type Config } from '#shared/profile.ts';
import { ConfigStore } from './config/store.ts';
import { LanePolicy, type PolicySource } from './lane-policy.ts';
import type { LaneSpec, ProfileChoice } from './lane-spec.ts';
import { Secrets } from './secrets/secrets.ts';
import type { Ways } from './ways/ways.ts';

/** Of what a lane's policy is made. */
export type Subject = Pick<LaneSpec, 'apps' | 'profile'>;

export interface PoliciesOptions {
  readonly ways: Ways;
  /** Directory of the built product, for the program that asks the keyring. */
  readonly productDir: string;
  /** The configuration or a password has changed; policies that are in force are still those of before. */
  readonly onChange: () => void;
  /** It cannot be read as it is now; what was in force stays. */
  readonly onProblem: (failure: Failure) => void;
}

export class Policies {
  readonly #options: PoliciesOptions;
  #store: ConfigStore | undefined;
  #secrets: Promise<Secrets> | undefined;
  #unwatch: (() => void) | undefined;
  #unwatchSecrets: (() => void) | undefined;

  constructor(options: PoliciesOptions) {
    this.#options = options;
  }

  /**
   * The policy for an app with a profile. Throws `profile-unknown`, `rule-invalid`, `proxy-url-invalid` and what
   * reading the configuration may throw.
   */
  async make({ apps, profile: choice }: Subject): Promise<LanePolicy> {
    const { ways } = this.#options;
    if (choice.kind === 'given') {
      return LanePolicy.make({ profile: choice.profile, apps, isAdHoc: true }, givenSource(choice), ways);
    }
    const config = this.#readConfig();
    const profile = findProfile(config, choice.id);
    if (profile === undefined) throw new CulvertError('profile-unknown', { detail: choice.id });
    const passwordOf: PolicySource['passwordOf'] = async (id, server) =>
      (await this.secrets()).get(id, server);
    return LanePolicy.make({ profile, apps, isAdHoc: false }, { config, passwordOf }, ways);
  }

  /** Opened with the first call, and watched from then on. Throws `secrets-unavailable`. */
  secrets(): Promise<Secrets> {
    this.#secrets ??= this.#openSecrets();
    return this.#secrets;
  }

  close(): void {
    this.#unwatch?.();
    this.#unwatchSecrets?.();
  }

  async #openSecrets(): Promise<Secrets> {
    try {
      const secrets = await Secrets.open({ productDir: this.#options.productDir });
      this.#unwatchSecrets = secrets.watch(this.#options.onChange);
      return secrets;
    } catch (error) {
      this.#secrets = undefined;
      throw new CulvertError('secrets-unavailable', { detail: failureOf(error).detail ?? '', cause: error });
    }
  }

  /** As it is now: whoever has just saved it and switches a lane means what was saved. */
  #readConfig(): Config {
    this.#store ??= ConfigStore.open();
    this.#unwatch ??= this.#store.watch(this.#options.onChange, this.#options.onProblem);
    return this.#store.read();
  }
}

/** Passwords that came with the profile; there is no other one that it could name. */
function givenSource({ passwords, rules }: Extract<ProfileChoice, { kind: 'given' }>): PolicySource {
  return {
    config: {
      version: 1,
      profiles: [],
      rules: [...rules],
      apps: {},
      probe: {},
      history: { keep: 'off', hosts: false },
    },
    passwordOf: (_profile, server) => Promise.resolve(passwords.get(server)),
  };
}
