/**
 * What an engine answers about the profiles themselves: making, changing, testing, importing and exporting them, and
 * finding proxies. Part of the calls in engine-protocol.ts.
 */
import * as v from 'valibot';
import { checkLine, checkReport, profileHead, upstreamKinds } from './model.ts';
import { phraseView } from './phrase-view.ts';
import { slug, type Profile } from './profile.ts';

const none = v.strictObject({});
const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
/** A whole import: see engine/import for its limits. */
const importText = text(900_000);

/**
 * A profile as somebody is still writing it: whoever answers checks it as a part of the configuration, and names the
 * fields that do not hold.
 */
const profileDraft = v.custom<Profile>((value) => typeof value === 'object' && value !== null);

/** Where a password is kept. */
export const passwordPlaces = ['keyring', 'file', 'memory'] as const;

/** The password of one server of a profile; null forgets it. */
const password = v.strictObject({ server: slug, password: v.nullable(text(4096)) });

/** One proxy server as somebody typed it, understood; never with its password. */
export const proxyView = v.object({
  kind: v.picklist(upstreamKinds),
  host: v.string(),
  port: v.number(),
  user: v.optional(v.string()),
  hasPassword: v.boolean(),
  name: v.optional(v.string()),
});
export type ProxyView = v.InferOutput<typeof proxyView>;

export const foundSources = ['environment', 'desktop', 'tor', 'port', 'proxychains'] as const;
/** A proxy that this computer already uses or has. */
export const foundProxy = v.object({
  source: v.picklist(foundSources),
  /** A variable, a file, or the process that listens, where that is known. */
  where: v.optional(v.string()),
  /** To be saved or tested as it is; without a password. */
  link: v.string(),
  proxy: proxyView,
});
export type FoundProxy = v.InferOutput<typeof foundProxy>;

/** What refers to a profile. */
export const profileUses = v.object({
  isDefault: v.boolean(),
  apps: v.array(v.string()),
  rules: v.array(v.string()),
  failovers: v.array(v.string()),
  launchers: v.array(v.string()),
});
export type ProfileUses = v.InferOutput<typeof profileUses>;

export const importLine = v.object({
  /** From 1; 0 for the text as a whole. */
  line: v.number(),
  status: v.picklist(['taken', 'skipped', 'invalid', 'note']),
  /** Both also as phrases, where they are ours to say. */
  text: v.string(),
  textPhrase: phraseView,
  reason: v.optional(v.string()),
  reasonPhrase: phraseView,
});
export type ImportLineView = v.InferOutput<typeof importLine>;

/** A test is given a name by who asks for it, so that its lines can be told apart. */
const testId = v.pipe(v.string(), v.nonEmpty(), v.maxLength(40));

export const profileCalls = {
  /** What was typed or pasted: links, `host:port`, `host:port:user:pass`. Throws `proxy-url-invalid`. */
  'proxy.read': { params: v.strictObject({ text: text(4096) }), value: v.array(proxyView) },
  /** What is found on this computer: variables, the desktop's settings, Tor, known ports, proxychains.conf. */
  'proxy.found': { params: none, value: v.array(foundProxy) },
  /**
   * Makes a profile out of links, with their passwords; several are a chain, in their order. The first profile of all
   * is the default one. Throws `proxy-url-invalid` and as `profile.save`.
   */
  'profile.add': {
    params: v.strictObject({
      links: text(65_536),
      name: v.optional(text(60)),
      isDefault: v.optional(v.boolean()),
    }),
    value: profileHead,
  },
  /**
   * Saves a profile whole: the one with its id, or with `isNew` a new one whose id is made of its name. Servers of it
   * that go, go with their passwords; a password that is not named stays. Running apps follow. Throws
   * `config-invalid` with the fields of the profile (`field chain.servers[0].host: …`), and `option-invalid`.
   */
  'profile.save': {
    params: v.strictObject({
      profile: profileDraft,
      isNew: v.optional(v.boolean()),
      passwords: v.array(password),
    }),
    value: profileHead,
  },
  /** A copy with its passwords. */
  'profile.duplicate': { params: v.strictObject({ profile: slug }), value: profileHead },
  'profile.uses': { params: v.strictObject({ profile: slug }), value: profileUses },
  /** Throws `profile-in-use` unless forced; then what used it is taken back as `removeProfile` says. */
  'profile.remove': {
    params: v.strictObject({ profile: slug, force: v.optional(v.boolean()) }),
    value: none,
  },
  /** Which servers have a password, and where it is kept. */
  'profile.passwords': {
    params: v.strictObject({ profile: slug }),
    value: v.array(v.object({ server: slug, place: v.picklist(passwordPlaces) })),
  },
  /**
   * Tests a saved profile, links that are not saved, or a draft, whose passwords are the kept ones where it names no
   * others; its lines come as `testLine` events before the answer, which is about the chain. Ends with
   * `profile.endTest`, or with its connection: the answer then has the lines until then, and is `unknown`.
   */
  'profile.test': {
    params: v.strictObject({
      test: testId,
      of: v.variant('kind', [
        v.strictObject({ kind: v.literal('profile'), profile: slug }),
        v.strictObject({ kind: v.literal('links'), links: text(65_536) }),
        v.strictObject({ kind: v.literal('draft'), profile: profileDraft, passwords: v.array(password) }),
      ]),
    }),
    value: checkReport,
  },
  'profile.endTest': { params: v.strictObject({ test: testId }), value: none },
  /**
   * Reads a text or a file of any known kind; changes nothing while `isTrial`. Throws `import-invalid` for a text as a
   * whole that is none of them, and, unless it is a trial, where nothing in it can be taken.
   */
  'profile.import': {
    params: v.strictObject({
      from: v.variant('kind', [
        v.strictObject({ kind: v.literal('text'), text: importText }),
        v.strictObject({ kind: v.literal('file'), path: text(4096) }),
      ]),
      isTrial: v.boolean(),
    }),
    value: v.object({
      kind: v.string(),
      profiles: v.array(profileHead),
      rules: v.number(),
      passwords: v.number(),
      lines: v.array(importLine),
      /** Where passwords were put that are not in the keyring, as a sentence. */
      notice: v.optional(v.string()),
      noticePhrase: phraseView,
    }),
  },
  /** All own profiles, or some, as text. */
  'profile.export': {
    params: v.strictObject({
      profiles: v.optional(v.array(slug)),
      format: v.picklist(['links', 'json']),
      withPasswords: v.boolean(),
    }),
    value: v.object({
      text: v.string(),
      /** Names of profiles that no link can say, for they have no proxy. */
      leftOut: v.array(v.string()),
    }),
  },
} as const;

export const profileEvents = {
  /** `server` where the line is about that one alone, missing for the chain as a whole. */
  testLine: v.object({ test: v.string(), server: v.optional(v.string()), line: checkLine }),
} as const;
