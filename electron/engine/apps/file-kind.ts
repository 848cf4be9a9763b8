/**
 * What a file is by its first bytes and its name, as far as starting it goes. Plain functions.
 *
 * Does: tell programs from what only looks like one. Must not: judge by the name where the bytes say something.
 */
import { extname } from 'node:path';

/** As many bytes of a file as are looked at. */
export const headBytes = 4096;

/** What is no app, each with the sentence that says so. */
export const refusals = {
  missing: 'there is no such file',
  unreadable: 'you may not read it',
  folder: 'it is a folder; choose the program inside of it',
  special: 'it is no ordinary file',
  remote: 'it is on another computer; copy it to this one first',
  empty: 'the file is empty',
  library: 'it is a library, which programs use; it does not start by itself',
  object: 'it is a part of a program that has not been linked',
  core: 'it is what was left of a program that crashed',
  'other-processor': 'it is a program for another kind of processor',
  windows: 'it is a Windows program; open it with Wine, and that through Culvert',
  mac: 'it is a program for macOS',
  archive: 'it is an archive; unpack it and choose the program inside',
  package: 'it is a package; install it, and then open the app',
  java: 'it is a Java program; open it with `culvert run -- java -jar FILE`',
  'no-app': 'it is a desktop entry of something else than an app, such as a link',
  document: 'it is a document; open the program that shows it',
} as const;
export type RefusedKind = keyof typeof refusals;

export type FileKind =
  | { readonly kind: 'entry' | 'elf' | 'import' }
  | { readonly kind: 'appimage'; readonly type: 1 | 2 }
  | { readonly kind: 'script'; readonly interpreter: string }
  | { readonly kind: 'refused'; readonly reason: RefusedKind };

/** What Culvert imports profiles and rules from; dropped, it opens Import. */
const importExtensions = ['.ppx', '.yaml', '.yml', '.conf', '.txt', '.json'];

const magics: readonly [offset: number, bytes: string, reason: RefusedKind][] = [
  [0, '213c617263683e0a64656269616e', 'package'],
  [0, 'edabeedb', 'package'],
  [0, '68737173', 'package'],
  [0, '213c617263683e0a', 'library'],
  [0, '1f8b', 'archive'],
  [0, '425a68', 'archive'],
  [0, 'fd377a585a00', 'archive'],
  [0, '28b52ffd', 'archive'],
  [0, '377abcaf271c', 'archive'],
  [0, '526172211a07', 'archive'],
  [257, '7573746172', 'archive'],
  [0, '4d5a', 'windows'],
  [0, 'cffaedfe', 'mac'],
  [0, 'cefaedfe', 'mac'],
  [0, 'cafebabe', 'mac'],
];

/** Decides by the first `headBytes` of the file. `isExecutable` is its x bit. */
export function fileKind(path: string, head: Buffer, isExecutable: boolean): FileKind {
  const extension = extname(path).toLowerCase();
  if (head.length === 0) return refused('empty');
  if (startsWith(head, 0, '7f454c46')) return elfKind(path, head, isExecutable);
  if (extension === '.desktop') return { kind: 'entry' };
  if (startsWith(head, 0, '2321')) return scriptKind(head);
  if (startsWith(head, 0, '504b0304')) return refused(extension === '.jar' ? 'java' : 'archive');
  if (extension === '.class') return refused('java');
  const known = magics.find(([offset, bytes]) => startsWith(head, offset, bytes));
  if (known !== undefined) return refused(known[2]);
  if (['.flatpakref', '.flatpak', '.snap'].includes(extension)) return refused('package');
  return importExtensions.includes(extension) && isText(head) ? { kind: 'import' } : refused('document');
}

/** Offsets and numbers of elf(5). An AppImage is an ELF program with `AI` and its type in the padding of the ident. */
function elfKind(path: string, head: Buffer, isExecutable: boolean): FileKind {
  const type = head[8] === 0x41 && head[9] === 0x49 ? head[10] : undefined;
  if (type === 1 || type === 2) return { kind: 'appimage', type };
  const isLittle = head[5] === 1;
  const is64 = head[4] === 2;
  if (head.length < 64) return refused('document');
  const half = (at: number) => (isLittle ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const word = (at: number) => (isLittle ? head.readUInt32LE(at) : head.readUInt32BE(at));
  const kind = half(16);
  if (kind === 1) return refused('object');
  if (kind === 4) return refused('core');
  if (kind !== 2 && kind !== 3) return refused('document');
  if (!isForThisProcessor(half(18), isLittle)) return refused('other-processor');
  // A program that may lie anywhere has the type of a library: the name, and whether it names an interpreter, decide.
  const isNamedLibrary = /\.so(?:\.[0-9]+)*$/.test(path);
  const start = is64 ? word(24) + word(28) : word(24);
  const isProgram = kind === 2 || hasInterpreter(head, { is64, half, word }) || (isExecutable && start !== 0);
  return isProgram && !isNamedLibrary ? { kind: 'elf' } : refused('library');
}

function hasInterpreter(
  head: Buffer,
  { is64, half, word }: { is64: boolean; half: (at: number) => number; word: (at: number) => number },
): boolean {
  const interpreter = 3;
  const at = is64 ? word(32) : word(28);
  const [size, count] = [half(is64 ? 54 : 42), half(is64 ? 56 : 44)];
  for (let index = 0; index < count; index += 1) {
    const header = at + index * size;
    if (header + 4 > head.length) return false;
    if (word(header) === interpreter) return true;
  }
  return false;
}

const machines: Readonly<Record<string, readonly number[]>> = {
  // EM_X86_64, EM_386; EM_AARCH64, EM_ARM.
  x64: [62, 3],
  arm64: [183, 40],
};

function isForThisProcessor(machine: number, isLittle: boolean): boolean {
  const own = machines[process.arch];
  return own === undefined || (isLittle && own.includes(machine));
}

/** The line behind `#!` is read by the kernel: 255 bytes at most, the program first (execve(2)). */
function scriptKind(head: Buffer): FileKind {
  const line = head.subarray(2, 257).toString('utf8').split('\n')[0]?.trim() ?? '';
  const interpreter = line.split(/[ \t]/)[0] ?? '';
  return interpreter.startsWith('/') ? { kind: 'script', interpreter: line } : refused('document');
}

/** UTF-16 with its mark is a text too: programs of Windows write so. */
function isText(head: Buffer): boolean {
  return !head.includes(0) || startsWith(head, 0, 'fffe') || startsWith(head, 0, 'feff');
}

function startsWith(head: Buffer, offset: number, bytes: string): boolean {
  const wanted = Buffer.from(bytes, 'hex');
  return head.subarray(offset, offset + wanted.length).equals(wanted);
}

function refused(reason: RefusedKind): FileKind {
  return { kind: 'refused', reason };
}
