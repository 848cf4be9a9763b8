/**
 * The rules of the configuration with what is said of them, and their edits, each of which can be taken back.
 *
 * Must not: change the list itself: what it shows is what the engine has.
 */
import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import type { Failure } from '#shared/failure.ts';
import type { Rule } from '#shared/profile.ts';
import type { RuleHitViews, RuleWarning } from '#shared/rule-protocol.ts';
import type { Answer } from '#shared/failure.ts';
import { call } from '../bridge.ts';
import { useNotices } from './notices.ts';
import { useProfiles } from './profiles.ts';

const none: readonly Rule[] = [];

export const useRules = defineStore('rules', () => {
  const profiles = useProfiles();
  const notices = useNotices();
  const all = computed(() => profiles.config?.config.rules ?? none);
  const warnings = shallowRef<Readonly<Record<string, readonly RuleWarning[]>>>({});
  const hits = shallowRef<RuleHitViews>({});
  const failure = shallowRef<Failure>();
  /** Edits that can be taken back, the last one at the end. */
  const undos = shallowRef<readonly number[]>([]);
  let turn = 0;

  async function loadWarnings(): Promise<void> {
    turn += 1;
    const mine = turn;
    const answer = await call('rule.warnings', {});
    if (mine !== turn) return;
    if (answer.ok) warnings.value = answer.value;
    failure.value = answer.ok ? undefined : answer.failure;
  }

  async function loadHits(): Promise<void> {
    const answer = await call('rule.hits', {});
    if (answer.ok) hits.value = answer.value;
  }

  /** Saves a rule; the answer is why not. */
  async function save(rule: Rule, at?: number): Promise<Failure | undefined> {
    return edited(await call('rule.save', at === undefined ? { rule } : { rule, at }));
  }

  /** Switches a rule on or off, and says so if that could not be. */
  async function setOn(rule: Rule, isOn: boolean): Promise<void> {
    const { isOff: _, ...rest } = rule;
    told(await save(isOn ? rest : { ...rest, isOff: true }));
  }

  /** Whether it was done; else that is told. */
  async function remove(ids: readonly string[]): Promise<boolean> {
    return told(await edited(await call('rule.remove', { rules: [...ids] })));
  }

  async function move(rule: string, to: number): Promise<boolean> {
    return told(await edited(await call('rule.move', { rule, to })));
  }

  /** Takes back the last edit; false where there is none or it could not be, which is told. */
  async function undo(): Promise<boolean> {
    const number = undos.value.at(-1);
    if (number === undefined) return false;
    undos.value = undos.value.slice(0, -1);
    const answer = await call('rule.restore', { undo: number });
    if (!answer.ok) undos.value = [];
    await profiles.load();
    return told(answer.ok ? undefined : answer.failure);
  }

  async function edited(answer: Answer<{ readonly undo: number }>): Promise<Failure | undefined> {
    if (answer.ok) undos.value = [...undos.value.slice(-19), answer.value.undo];
    // The event that tells of a change comes up to a second later.
    await profiles.load();
    return answer.ok ? undefined : answer.failure;
  }

  function told(why: Failure | undefined): boolean {
    if (why !== undefined) notices.fail(why);
    return why === undefined;
  }

  return {
    ...{ all, warnings, hits, failure, undos },
    ...{ loadWarnings, loadHits, save, setOn, remove, move, undo },
  };
});
