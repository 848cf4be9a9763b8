/** Tests and checks, for those who ask for them; loaded only then. */
export { latencyOf } from '#shared/latency.ts';
export { testProfile } from './profile-test.ts';
export type { ProfileTest, ProfileTestOptions } from './profile-test.ts';
export { ownAddress } from './own-address.ts';
export { probeOf } from './probe.ts';
export type { Probe, ProbeChoice } from './probe.ts';
export { worstOf } from './findings.ts';
