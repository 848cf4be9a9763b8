/** What others may use of the apps: finding them, opening what was dropped, starting them, making launchers. */
export { localesOf } from './desktop-entry.ts';
export type { App, AppAction } from './app.ts';
export { Catalogue, type SkippedEntry } from './catalogue.ts';
export { search } from './search.ts';
export { chosenTheme } from './chosen-theme.ts';
export { IconThemes, type IconFile, type IconOptions } from './icons.ts';
export { makeExecutable, targetOf, type AppTarget, type TargetOptions } from './app-target.ts';
export { refusals, type RefusedKind } from './file-kind.ts';
export { trustEntry } from './trust.ts';
export { appWithId, resolveApp, type Resolved } from './resolve.ts';
export { planApp, planProgram, type StartOptions, type StartPlan } from './start-plan.ts';
export {
  closeInstance,
  describeInstance,
  runningInstance,
  wasHandedOver,
  type EndFacts,
  type InstanceKind,
  type RunningInstance,
  type Way,
} from './single-instance.ts';
export { quoteExec } from './exec.ts';
export { programWords } from './program.ts';
export { familyOf, type Family } from './browser-family.ts';
export { canSeparate, separateDirectory, withSeparateProfile } from './separate-profile.ts';
export {
  createLauncher,
  hasAutostart,
  listLaunchers,
  removeLauncher,
  setAutostart,
  type Launcher,
  type NewLauncher,
} from './launchers.ts';
