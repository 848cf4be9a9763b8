/** How the word that is said of a lane is coloured; its word and its shape say the same. */
import type { Standing } from '#shared/standing.ts';

export { standings, standingOf, type Standing } from '#shared/standing.ts';

export const tones: Record<Standing, 'ok' | 'warn' | 'bad' | 'calm'> = {
  starting: 'calm',
  protected: 'ok',
  direct: 'warn',
  'no-network': 'calm',
  blocked: 'bad',
  silent: 'warn',
  stopping: 'calm',
  ended: 'calm',
  failed: 'bad',
};
