/** What the README shows as a configuration is there to be copied. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../electron/engine/config/parse.ts';
import { repository } from '../../world/artefact.ts';

test('the configuration in the README is one', () => {
  const text = readFileSync(join(repository, 'README.md'), 'utf8');
  const [, shown = ''] = /```jsonc\n([^]*?)```/.exec(text) ?? [];
  const { config } = parseConfig(shown, 'README.md');
  expect(config.profiles.map(({ id }) => id)).toEqual(['work', 'abroad']);
  expect(config.rules).toHaveLength(3);
});
