/**
 * The test of a profile: every server that may be the first one of a path by itself, then the chain.
 *
 * Must not: dial a server of a strict chain by itself but the first: the others never see this computer's address,
 * and the test of the chain tells of each of them.
 */
import type { CheckLine, CheckReport } from '#shared/model.ts';
import type { Profile } from '#shared/profile.ts';
import { chainSpecOf, type PolicySource } from '../lane-policy.ts';
import { Native } from '../native.ts';
import { testChain, type ChainTestOptions, type TestSurroundings } from './chain-test.ts';

export interface ProfileTestOptions extends Pick<ChainTestOptions, 'probe' | 'signal' | 'compare'> {
  readonly passwordOf: PolicySource['passwordOf'];
  /** Where the native part is; for profiles with an egress only. */
  readonly productDir: string;
  /** Hears of each line when it is found; `server` is missing for the chain's own. */
  readonly onLine?: (line: CheckLine, server?: string) => void;
}

export interface ProfileTest {
  /** Empty where the chain is all there is to test. */
  readonly servers: readonly { readonly id: string; readonly report: CheckReport }[];
  readonly chain: CheckReport;
}

/** Rejects with `chain-empty`, with what asking for passwords may, or with the reason of the signal. */
export async function testProfile(profile: Profile, options: ProfileTestOptions): Promise<ProfileTest> {
  const { passwordOf, productDir, onLine = () => {}, ...rest } = options;
  const spec = await chainSpecOf(profile, passwordOf);
  const surroundings = profile.egress === undefined ? {} : boundSockets(productDir);
  const ids = profile.chain.servers.filter(({ isOff }) => isOff !== true).map(({ id }) => id);
  const servers: { id: string; report: CheckReport }[] = [];
  for (const [at, id] of spec.mode === 'strict' ? [] : ids.entries()) {
    const { length: _length, ...alone } = {
      ...spec,
      mode: 'strict',
      upstreams: spec.upstreams.slice(at, at + 1),
    } as const;
    const report = await testChain(alone, { ...rest, surroundings, onLine: (line) => onLine(line, id) });
    servers.push({ id, report });
  }
  const chain = await testChain(spec, { ...rest, surroundings, onLine: (line) => onLine(line) });
  return { servers, chain };
}

function boundSockets(productDir: string): TestSurroundings {
  const native = new Native(productDir);
  return {
    tcpSocketOn: (family, device) => native.tcpSocketOn(family, device),
    udpSocketOn: (family, device) => native.udpSocket(family, device),
  };
}
