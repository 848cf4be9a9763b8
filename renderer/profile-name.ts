/** What profiles are called: by the names that their users gave, and those that are built in by the language's. */
import type { ProfileHead } from '#shared/model.ts';
import { builtInProfiles } from '#shared/profile.ts';

/** The name to show. `t` is the one of the component that shows it, so that it follows the language. */
export function profileName(t: (key: string) => string, { id, name }: ProfileHead): string {
  const builtIn = builtInProfiles.find((known) => known === id);
  return builtIn === undefined ? name : t(`builtIn.${builtIn}`);
}
