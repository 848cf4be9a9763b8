/** A command as one would type it. */

const needsNoQuotes = /^[\w@%+=:,./-]+$/;

/** The arguments as a line for a POSIX shell, quoted where they have to be. */
export function asShellLine(command: readonly string[]): string {
  return command
    .map((word) => (needsNoQuotes.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
