/** What the user of a running app should know, in Chinese. */
import type { lanes as english } from '../phrases/lanes.ts';
import type { Translation } from '../phrases/template.ts';

export const lanes: Translation<typeof english> = {
  'lane.no-tproxy': '此内核没有 nft tproxy：TCP 可用，UDP 会被拒绝',
  'lane.udp-refused': '已拒绝 UDP：代理不提供',
  'lane.launcher-ended': '它过早结束',
  'lane.supervisor-killed': '它被强行结束',
  'lane.failed': '{sentence}',
};
