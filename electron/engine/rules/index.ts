/** What others may use of the rules: editing their list, their form on a command line, sentences, warnings, reasons. */
export { addRule, disableRule, enableRule, moveRule, nextRuleId, removeRule } from './edit.ts';
export { parseRule, ruleOfForm, type RuleForm } from './command-rule.ts';
export { ruleSentence, type SentenceOptions } from './sentence.ts';
export { shadows, type Shadow } from './shadow.ts';
export { leavesProxy } from './warnings.ts';
export { Rulebook } from './rulebook.ts';
export type { Explanation, Finding, NearMiss } from './explanation.ts';
