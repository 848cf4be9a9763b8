/**
 * What an engine answers about rules: changing them, what they would do to connections, and what decides about a
 * destination. Part of the calls in engine-protocol.ts.
 */
import * as v from 'valibot';
import { failureView, phraseView } from './phrase-view.ts';
import { actions, rule, slug } from './profile.ts';

const none = v.strictObject({});
const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const place = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(20_000));

/** Most connections that a rule is tried on at once. */
export const maxSubjects = 2000;

/** A connection as rules see it. */
export const ruleSubject = v.strictObject({
  /** What rules may call the app: its id, the name of its program. */
  apps: v.pipe(v.array(text(4096)), v.maxLength(10)),
  /** Id of the profile that its app runs with; missing for one that was given on the command line. */
  profile: v.optional(slug),
  /** Missing where it is not known: rules on processes do not match then. */
  process: v.optional(text(64)),
  /** The name that the app asked for, or sent as the server name of a TLS connection. */
  host: v.optional(text(255)),
  /** The address that it went to, where that is not just a stand-in for a name. */
  address: v.optional(text(64)),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  protocol: v.picklist(['tcp', 'udp']),
});
export type RuleSubject = v.InferOutput<typeof ruleSubject>;

export const ruleWarning = v.object({
  /** `shadowed`: rules before it match all that it matches. `direct`: it lets connections out beside the proxy. */
  kind: v.picklist(['shadowed', 'direct', 'invalid']),
  /** Ids of the rules that shadow it. */
  by: v.optional(v.array(v.string())),
  detail: v.optional(v.string()),
  /** The detail, where it is ours to say. */
  phrase: phraseView,
});
export type RuleWarning = v.InferOutput<typeof ruleWarning>;

const draftList = v.optional(v.array(text(600)));

/** A rule while it is being written: what is in it may not be right yet. */
export const ruleDraft = v.strictObject({
  /** Of the rule that it is to take the place of. */
  id: v.optional(slug),
  note: v.optional(text(600)),
  isOff: v.optional(v.boolean()),
  match: v.strictObject({
    apps: draftList,
    processes: draftList,
    to: draftList,
    ports: draftList,
    protocol: v.optional(v.picklist(['tcp', 'udp'])),
    profiles: draftList,
  }),
  action: v.picklist(actions),
  profile: v.optional(text(60)),
});
export type RuleDraft = v.InferOutput<typeof ruleDraft>;

/** Something in a draft that keeps it from being a rule. */
export const ruleProblem = v.object({
  /** Of the draft or of its `match`. */
  field: v.string(),
  /** Its place in that list. */
  entry: v.optional(v.number()),
  /** The rest of a sentence that begins with the entry. */
  detail: v.string(),
  phrase: phraseView,
});
export type RuleProblem = v.InferOutput<typeof ruleProblem>;

/** `undo` is for `rule.restore`. */
const edited = v.object({ undo: v.number() });

export const ruleCalls = {
  /** What is to be said of each rule of the configuration, by its id; rules with nothing to be said are left out. */
  'rule.warnings': { params: none, value: v.record(v.string(), v.array(ruleWarning)) },
  /**
   * Saves one rule: in the place of the one with its id, else at `at` (0 is first), else as the last one. Throws
   * `rule-invalid`.
   */
  'rule.save': { params: v.strictObject({ rule, at: v.optional(place) }), value: edited },
  'rule.remove': { params: v.strictObject({ rules: v.pipe(v.array(slug), v.minLength(1)) }), value: edited },
  /** Puts a rule at another place, counted without it. */
  'rule.move': { params: v.strictObject({ rule: slug, to: place }), value: edited },
  /**
   * Puts back what one of the last edits changed, as long as the rules are still as that edit left them; else
   * throws `undo-outdated`.
   */
  'rule.restore': { params: v.strictObject({ undo: v.number() }), value: none },
  /** An id that no rule has, made of a text; `r1`, `r2` … for one without letters. */
  'rule.freeId': { params: v.strictObject({ text: text(200) }), value: v.object({ id: slug }) },
  /**
   * What a rule that is being written would do, put in at `at`, in the place of the one with its id or as the last
   * one: for each connection whether it matches and whether it decides; and what is to be said of it.
   */
  'rule.preview': {
    params: v.strictObject({
      rule: ruleDraft,
      at: v.optional(place),
      subjects: v.pipe(v.array(ruleSubject), v.maxLength(maxSubjects)),
    }),
    value: v.object({
      /** What is wrong with it; then nothing else is said. */
      problems: v.array(ruleProblem),
      /** By the place in `subjects`. */
      matches: v.array(v.number()),
      decides: v.array(v.number()),
      warnings: v.array(ruleWarning),
    }),
  },
  /** What would happen to a connection, and why. Sends nothing. Throws `option-invalid` for what is no destination. */
  'rule.test': {
    params: v.strictObject({
      /** Id, name or program; missing for one that no rule and no binding names. */
      app: v.optional(v.pipe(v.string(), v.nonEmpty(), v.maxLength(4096))),
      /** `host:port`, `[IPv6]:port`. */
      destination: text(300),
      /** tcp by default. */
      protocol: v.optional(v.picklist(['tcp', 'udp'])),
      process: v.optional(text(64)),
      /** Else the one that the app is bound to, else the default one. */
      profile: v.optional(slug),
    }),
    value: v.object({
      /** The profile that was taken. */
      profile: v.string(),
      /** Upstreams, or `direct`; missing where it is refused. */
      via: v.optional(v.string()),
      failure: v.optional(failureView),
      /** Id of the rule that decides; missing where the profile's own action does. */
      rule: v.optional(v.string()),
      /** What of that rule matched, by its fields. */
      met: v.array(v.object({ field: v.string(), by: v.string() })),
      /** A rule asks for the process, which was not said: its id. */
      processRule: v.optional(v.string()),
      /** Rules that were near, and the field by which each does not match. */
      near: v.array(v.object({ rule: v.string(), failed: v.string() })),
      /** Rules that would match, but are off. */
      off: v.array(v.string()),
    }),
  },
  /** How often each rule has decided since the engine started, and when last (milliseconds since the epoch). */
  'rule.hits': {
    params: none,
    value: v.record(v.string(), v.object({ hits: v.number(), lastAt: v.number() })),
  },
} as const;

export type RuleHitViews = v.InferOutput<(typeof ruleCalls)['rule.hits']['value']>;

export const ruleEvents = {} as const;
