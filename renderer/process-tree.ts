/** Processes in the order of their tree. */

export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  readonly command: string;
}

export type TreeNode = Process & { readonly depth: number };

/** Each process after its parent and below it; those whose parent is not among them are roots. */
export function asTree(processes: readonly Process[]): TreeNode[] {
  const pids = new Set(processes.map(({ pid }) => pid));
  const sorted = processes.toSorted((a, b) => a.pid - b.pid);
  const below = (parent: number, depth: number): TreeNode[] =>
    sorted
      .filter((process) => process.parent === parent && process.pid !== parent)
      .flatMap((process) => [{ ...process, depth }, ...below(process.pid, depth + 1)]);
  const roots = sorted.filter(({ pid, parent }) => !pids.has(parent) || pid === parent);
  return roots.flatMap((root) => [{ ...root, depth: 0 }, ...below(root.pid, 1)]);
}
