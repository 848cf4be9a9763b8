/** What this computer can do for Culvert: facts that are found out, and what follows from them. */
export { checks, installCommand, judgeAll, waysOf } from './checks.ts';
export type { Check, Finding, Judged, State } from './checks.ts';
export { gatherFacts, type Consulting, type Facts, type LaneTrial } from './facts.ts';
export { versionIn, type Trial } from './trials.ts';
