/**
 * One copy of each text that many connections have: of 10,000 most have the same app, profile and proxy, and what has
 * come over a border is a copy of its own each time. Less memory, and less for the garbage collection to go through.
 */
import type { FlowView } from '#shared/model.ts';

type Profile = NonNullable<FlowView['profile']>;
type Shared = {
  -readonly [Name in keyof Pick<FlowView, (typeof shared)[number] | 'profile'>]: FlowView[Name];
};

const shared = ['lane', 'app', 'name', 'host', 'address', 'via', 'rule', 'process'] as const;
/** Texts that are held at most: with more, there are hardly two alike. */
const most = 5_000;

export class SharedTexts {
  readonly #texts = new Map<string, string>();
  readonly #profiles = new Map<string | undefined, Profile>();

  /** Replaces the texts of a connection by those that are alike. */
  share(flow: Shared): void {
    for (const name of shared) {
      const text = flow[name];
      if (text !== undefined) flow[name] = this.#text(text);
    }
    if (flow.profile !== undefined) flow.profile = this.#profile(flow.profile);
  }

  #text(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= most) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }

  #profile(profile: Profile): Profile {
    const known = this.#profiles.get(profile.id);
    const isSame =
      known?.name === profile.name && known.colour === profile.colour && known.letter === profile.letter;
    if (known !== undefined && isSame) return known;
    this.#profiles.set(profile.id, profile);
    return profile;
  }
}
