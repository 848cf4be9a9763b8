/** What the window's program was started with, for the first time or once more. Pure. */

export interface StartWords {
  /** Starts, or stays, without a window to be seen: at log-in, say. */
  readonly isInBackground: boolean;
  /** The app that is to be shown, by its id or its path, as launchers name it. */
  readonly app: string | undefined;
}

/** Reads them from a command line; what is not for Culvert is passed over. */
export function startWords(argv: readonly string[]): StartWords {
  const named = argv.find((word) => word.startsWith('--app='))?.slice('--app='.length);
  const app = named?.startsWith('/') === true ? named : named?.replace(/\.desktop$/, '');
  return { isInBackground: argv.includes('--background'), app: app === '' ? undefined : app };
}
