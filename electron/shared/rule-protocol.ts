/**
 * What an engine answers about rules: changing them, what they would do to connections, and what decides about a
 * destination. Part of the calls in engine-protocol.ts.
 */
import * as v from 'valibot';
import { failureCodes } from './failure.ts';
import { rule, slug } from './profile.ts';

const none = v.strictObject({});
const text = (most: number) => v.pipe(v.string(), v.maxLength(most));

const failure = v.object({
  code: v.picklist(failureCodes),
  step: v.optional(v.string()),
  detail: v.optional(v.string()),
});

/** A connection as rules see it. */
export const ruleSubject = v.strictObject({
  /** What rules may call the app: its id, the name of its program. */
  apps: v.array(text(4096)),
  /** Id of the profile that its app runs with; missing for one that was given on the command line. */
  profile: v.optional(slug),
  process: v.optional(text(64)),
  /** The name that the app asked for, else the address. */
  host: text(255),
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
});
export type RuleWarning = v.InferOutput<typeof ruleWarning>;

export const ruleCalls = {
  /** What is to be said of each rule of the configuration, by its id; rules with nothing to be said are left out. */
  'rule.warnings': { params: none, value: v.record(v.string(), v.array(ruleWarning)) },
  /** Saves one rule: in the place of the one with its id, else at `at` (0 is first), else as the last one. */
  'rule.save': {
    params: v.strictObject({ rule, at: v.optional(v.number()) }),
    value: none,
  },
  'rule.remove': { params: v.strictObject({ rules: v.pipe(v.array(slug), v.minLength(1)) }), value: none },
  /** Puts a rule at another place, counted without it. */
  'rule.move': { params: v.strictObject({ rule: slug, to: v.number() }), value: none },
  /** Puts back what an edit took away: the rules as they were, if they are still as that edit left them. */
  'rule.restore': {
    params: v.strictObject({ rules: v.array(rule), unless: v.optional(v.array(rule)) }),
    value: none,
  },
  /** An id that no rule has, made of a text. */
  'rule.freeId': { params: v.strictObject({ text: text(200) }), value: v.object({ id: slug }) },
  /**
   * What a rule that is being written would do, put in at `at` or in the place of the one with its id: for each
   * connection whether it matches and whether it decides; and what is to be said of it. Throws `rule-invalid`.
   */
  'rule.preview': {
    params: v.strictObject({
      rule,
      at: v.optional(v.number()),
      subjects: v.pipe(v.array(ruleSubject), v.maxLength(5000)),
    }),
    value: v.object({
      /** By the place in `subjects`. */
      matches: v.array(v.number()),
      decides: v.array(v.number()),
      warnings: v.array(ruleWarning),
    }),
  },
  /** What would happen to a connection, and why. */
  'rule.test': {
    params: v.strictObject({ subject: ruleSubject }),
    value: v.object({
      /** Upstreams, or `direct`; missing where it is refused. */
      via: v.optional(v.string()),
      failure: v.optional(failure),
      /** Id of the rule that decides; missing where the profile's own action does. */
      rule: v.optional(v.string()),
      /** A rule asks for the process, which was not said. */
      isProcessWanted: v.boolean(),
      /** Rules that were near, and the field by which each does not match. */
      near: v.array(v.object({ rule: v.string(), failed: v.string() })),
    }),
  },
  /** How often each rule has decided since the engine started, and when last (milliseconds since the epoch). */
  'rule.hits': {
    params: none,
    value: v.record(v.string(), v.object({ hits: v.number(), lastAt: v.number() })),
  },
} as const;

export const ruleEvents = {} as const;
