/** What the user of a running app should know. */
import type { Templates } from './template.ts';

export const lanes = {
  'lane.no-tproxy': 'this kernel has no nft tproxy: TCP is carried, UDP is refused',
  'lane.udp-refused': 'UDP refused: the proxy does not offer it',
  'lane.launcher-ended': 'it ended early',
  'lane.supervisor-killed': 'it was killed',
  'lane.failed': '{sentence}',
} as const satisfies Templates;
