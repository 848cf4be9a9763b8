/** What was dropped on the page, as paths and addresses. Nothing is read here: main and the engine look at it. */

/** Whether a drag may bring files: only their kinds can be seen before they are dropped. */
export function bringsFiles(transfer: DataTransfer | null): boolean {
  return transfer?.types.some((type) => type === 'Files' || type === 'text/uri-list') ?? false;
}

/**
 * The paths of dropped files, else the addresses of a `text/uri-list` (RFC 2483: lines that begin with # are
 * comments), as menus and file managers hand them over.
 */
export function droppedPaths(transfer: DataTransfer | null, pathOf: (file: File) => string): string[] {
  if (transfer === null) return [];
  const paths = [...transfer.files].map(pathOf).filter((path) => path !== '');
  if (paths.length > 0) return paths;
  return transfer
    .getData('text/uri-list')
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#'));
}

/** The path of a file:// address of this computer, or of what is a path already; undefined for anything else. */
export function pathOfAddress(text: string): string | undefined {
  if (text.startsWith('/')) return text;
  try {
    const { protocol, host, pathname } = new URL(text);
    const isHere = protocol === 'file:' && (host === '' || host === 'localhost');
    return isHere ? decodeURIComponent(pathname) : undefined;
  } catch {
    // No address at all, or one with a percent sign that stands for nothing.
    return undefined;
  }
}
