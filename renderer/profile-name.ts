/** What profiles are called: by the names that their users gave, and those that are built in by the language's. */
import type { ProfileHead } from '#shared/model.ts';
import { builtInProfiles, type BuiltInProfile } from '#shared/profile.ts';

/** Whether a profile is always there and cannot be changed. */
export function isBuiltIn(id: string | undefined): id is BuiltInProfile {
  return builtInProfiles.some((known) => known === id);
}

/** The name to show. `t` is the one of the component that shows it, so that it follows the language. */
export function profileName(t: (key: string) => string, { id, name }: ProfileHead): string {
  return isBuiltIn(id) ? t(`builtIn.${id}`) : name;
}
