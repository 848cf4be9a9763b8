/** What the command line, which hosts every engine, also the desktop app's, may use of it. */
export { Engine } from './engine.ts';
export type { Lane } from './lane.ts';
export type { AppExit, DnsChoice, EngineOptions, HelperInfo, LaneSpec, ProfileChoice } from './lane-spec.ts';
export { givenProfile } from './given-profile.ts';
export { userNamespaceSwitch, hasNoNewPrivs } from './refusals.ts';
export { upstreamOf } from './lane-policy.ts';
export { addressAndPort } from './upstream/destination.ts';
export { directWord, formatUpstream, lacksPassword, parseProxyUrl } from './upstream/url.ts';
export { Secrets } from './secrets/secrets.ts';
export type { SecretsKind, SecretsOptions } from './secrets/secrets.ts';
export { terminal } from './terminal.ts';
export { ConfigStore } from './config/store.ts';
export { jsonSchema } from './config/json-schema.ts';
export {
  addProfile,
  bindApp,
  duplicateProfile,
  freeProfileId,
  removeProfile,
  renameProfile,
  replaceProfile,
  sayUses,
  setDefault,
  unbindApp,
  usesOfProfile,
} from './config/edit.ts';
export type { Added, ProfileFields, ProfileUses } from './config/edit.ts';
export * from './apps/index.ts';
export * from './rules/index.ts';
export {
  parseDestination,
  testDestination,
  type DestinationTest,
  type TestedConnection,
  type TestedOutcome,
} from './destination-test.ts';
/** Tests of profiles, which most programs never make; loaded when somebody does. */
export const loadHealth = () => import('./health/index.ts');
export type { Probe, ProbeChoice, ProfileTest, ProfileTestOptions } from './health/index.ts';
export { namesOfText, typedApp } from './app-names.ts';
export { boundProfile, startableTarget, namesOfApp, type AppNames, type Startable } from './app-choice.ts';
export { instanceOf, separateProfile, type Found } from './app-instance.ts';
export { AppLog } from './app-log.ts';
export { installedWindow } from './installed.ts';
export { ownProgram } from './own-program.ts';
/** What this computer can do for Culvert, which only the doctor asks. */
export const loadDoctor = () => import('./doctor/index.ts');
export type { Facts, Judged, State } from './doctor/index.ts';
