/** What the window's program was started with, for the first time or once more. Pure. */

export interface StartWords {
  /** Starts, or stays, without a window to be seen: at log-in, say. */
  readonly isInBackground: boolean;
  /** The app that is to be shown, by its id or its path, as launchers name it. */
  readonly app: string | undefined;
  /** The app that is to be opened, and through which profile, because something had to be asked about it. */
  readonly open: { readonly app: string; readonly profile: string | undefined } | undefined;
}

/** Reads them from a command line; what is not for Culvert is passed over. */
export function startWords(argv: readonly string[]): StartWords {
  const open = appOf(valueOf(argv, '--open='));
  return {
    isInBackground: argv.includes('--background'),
    app: appOf(valueOf(argv, '--app=')),
    open: open === undefined ? undefined : { app: open, profile: valueOf(argv, '--profile=') },
  };
}

function valueOf(argv: readonly string[], option: string): string | undefined {
  const value = argv.find((word) => word.startsWith(option))?.slice(option.length);
  return value === '' ? undefined : value;
}

/** An app's entry is named with its extension, a program by its path. */
function appOf(named: string | undefined): string | undefined {
  return named?.startsWith('/') === true ? named : named?.replace(/\.desktop$/, '');
}
