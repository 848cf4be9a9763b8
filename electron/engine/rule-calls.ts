/** The answers to the calls of shared/rule-protocol.ts, over the configuration file and the rooms that know. */
import { isIP } from 'node:net';
import type { EngineParams, EngineValue } from '#shared/engine-protocol.ts';
import type { Config, Rule } from '#shared/profile.ts';
import type { ruleCalls } from '#shared/rule-protocol.ts';
import { profileFor } from './app-choice.ts';
import { appEnvironment } from './app-environment.ts';
import { namesOfText } from './app-names.ts';
import { Catalogue } from './apps/index.ts';
import type { CallParts, RoomHandlers } from './call-parts.ts';
import { freeId } from './config/free-id.ts';
import { ConfigStore } from './config/store.ts';
import { parseDestination, testDestination } from './destination-test.ts';
import { RulePreviews, withRule } from './rule-preview.ts';
import { expectRule, ruleOfDraft } from './rules/draft.ts';
import { moveRule, nextRuleId, removeRules } from './rules/edit.ts';
import { Rulebook } from './rules/rulebook.ts';
import { RuleEdits } from './rules/undo.ts';
import { ruleWarnings } from './rules/warnings.ts';

export class RuleCalls {
  readonly #parts: CallParts;
  readonly #edits = new RuleEdits();
  readonly #previews = new RulePreviews();
  #opened: ConfigStore | undefined;

  constructor(parts: CallParts) {
    this.#parts = parts;
  }

  readonly handlers: RoomHandlers<typeof ruleCalls> = {
    'rule.warnings': () => Object.fromEntries(ruleWarnings(this.#store.read())),
    'rule.save': ({ rule, at }) =>
      this.#edit((config) => {
        // One that is off may be wrong: it decides nothing.
        if (rule.isOff !== true) expectRule(config, rule);
        return withRule(config.rules, rule, at);
      }),
    'rule.remove': ({ rules }) => this.#edit((config) => removeRules(config.rules, rules)),
    'rule.move': ({ rule, to }) => this.#edit((config) => moveRule(config.rules, rule, to + 1)),
    'rule.restore': async ({ undo }) => {
      await this.#store.update((config) => ({ ...config, rules: this.#edits.before(undo, config.rules) }));
      this.#edits.forget(undo);
      return {};
    },
    'rule.freeId': ({ text }) => ({ id: this.#freeId(text) }),
    'rule.preview': ({ rule, at, subjects }) => {
      const config = this.#store.read();
      const read = ruleOfDraft(config, rule);
      if ('problems' in read) return { ...read, matches: [], decides: [], warnings: [] };
      return { problems: [], ...this.#previews.preview(config, read.rule, subjects, at) };
    },
    'rule.test': (params) => this.#test(params),
    'rule.hits': () => this.#parts.engine.ruleHits.views(),
  };

  get #store(): ConfigStore {
    this.#opened ??= ConfigStore.open();
    return this.#opened;
  }

  async #edit(change: (config: Config) => Rule[]): Promise<{ undo: number }> {
    let before: readonly Rule[] = [];
    const { rules } = await this.#store.update((config) => {
      before = config.rules;
      const after = change(config);
      // What no single rule shows: that together they have too many regular expressions.
      Rulebook.compile(after);
      return { ...config, rules: after };
    });
    return { undo: this.#edits.keep(before, rules) };
  }

  /** What was counted for a rule that is gone is not to be another one's. */
  #freeId(text: string): string {
    const { rules } = this.#store.read();
    const hits = this.#parts.engine.ruleHits.views();
    const taken = [...rules, ...Object.keys(hits).map((id) => ({ id }))];
    const ids = new Set(taken.map(({ id }) => id));
    return freeId(text, (id) => ids.has(id)) ?? nextRuleId(taken);
  }

  async #test({
    app,
    destination,
    profile: wanted,
    protocol = 'tcp',
    process,
  }: EngineParams<'rule.test'>): Promise<EngineValue<'rule.test'>> {
    const { host, port } = parseDestination(destination);
    const config = this.#store.read();
    const catalogue = new Catalogue(appEnvironment(globalThis.process.env));
    const apps = app === undefined ? [] : await namesOfText(app, catalogue);
    const profile = profileFor(config, wanted, apps);
    const tested = await testDestination(config, {
      ...{ apps, profile },
      facts: {
        ...{ protocol, port },
        ...(isIP(host) === 0 ? { host } : { address: host }),
        ...(process === undefined ? {} : { process }),
      },
    });
    const { via, failure, rule, explanation, isProcessWanted } = tested;
    const { findings, near, off, rule: open } = explanation;
    return {
      profile: profile.id,
      ...(via === undefined ? {} : { via }),
      ...(failure === undefined ? {} : { failure: { ...failure } }),
      ...(rule === undefined ? {} : { rule }),
      met:
        rule === open ? findings.flatMap(({ field, by }) => (by === undefined ? [] : [{ field, by }])) : [],
      ...(isProcessWanted && open !== undefined ? { processRule: open } : {}),
      near: near.map((miss) => ({ ...miss })),
      off: [...off],
    };
  }
}
