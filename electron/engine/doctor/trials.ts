/** Programs that the doctor runs to see whether they work, each in namespaces that end with it. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { phrase, type Said, type Whole } from '#shared/phrase.ts';

const run = promisify(execFile);

/** Ours, the system's, or a whole failure. */
export type Words = Said | Whole;

/** How something that was really tried went. `words`: what the system said when it did not work. */
export interface Trial {
  readonly works: boolean;
  readonly words: Words;
}

export interface Tool {
  readonly path: string;
  /** False for a program that is there and cannot be run. */
  readonly works: boolean;
  /** Or why it does not run. */
  readonly version: Said;
}

export const toolNames = ['ip', 'nft', 'unshare'] as const;
export type ToolName = (typeof toolNames)[number];
export type Tools = Readonly<Record<ToolName, Tool | undefined>>;

/** Where the helper looks for its tools; PATH does not count for it. */
const toolDirs = ['/usr/sbin', '/sbin', '/usr/bin', '/bin', '/run/current-system/sw/bin'];
const versionFlags: Readonly<Record<ToolName, string>> = { ip: '-V', nft: '--version', unshare: '--version' };
const trialMs = 10_000;
const toRoot = ['--user', '--map-current-user', '--keep-caps'];

/** The programs that the helper needs, with their versions. */
export async function findTools(): Promise<Tools> {
  const found = await Promise.all(toolNames.map(async (name) => [name, await findTool(name)] as const));
  return Object.fromEntries(found) as Record<ToolName, Tool | undefined>;
}

async function findTool(name: ToolName): Promise<Tool | undefined> {
  const path = toolDirs.map((dir) => join(dir, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) return undefined;
  try {
    const { stdout } = await run(path, [versionFlags[name]], { env: { LC_ALL: 'C' }, timeout: trialMs });
    return { path, works: true, version: versionIn(stdout) };
  } catch (error) {
    const [words = ''] = (error as Error).message.split('\n');
    return { path, works: false, version: phrase('doctor.tool-does-not-run', { words }) };
  }
}

/** The first thing in a program's words that looks like a version. */
export function versionIn(text: string): string {
  return /\d+(?:\.\d+)+/.exec(text)?.[0] ?? text.trim().split('\n')[0] ?? '';
}

/** Whether this user may make user namespaces, and others in one. */
export function tryUserNamespace(unshare: Tool | undefined): Promise<Trial> {
  if (unshare === undefined) return Promise.resolve(missing('unshare'));
  return trial(unshare.path, [...toRoot, '--mount', '--net', '--', '/bin/true'], '');
}

/** Loads one chain in a network namespace that nobody else uses. */
export function tryNft(tools: Tools, uid: number, rules: string): Promise<Trial> {
  const { unshare, nft } = tools;
  if (unshare === undefined || nft === undefined) {
    return Promise.resolve(missing(nft === undefined ? 'nft' : 'unshare'));
  }
  const namespaces = uid === 0 ? ['--net'] : [...toRoot, '--net'];
  return trial(
    unshare.path,
    [...namespaces, '--', nft.path, '-f', '-'],
    `table inet culvert_doctor {\n  chain c {\n    ${rules}\n  }\n}\n`,
  );
}

function missing(program: ToolName): Trial {
  return { works: false, words: phrase('doctor.is-missing', { program }) };
}

function trial(program: string, args: readonly string[], input: string): Promise<Trial> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: '/',
      env: { PATH: toolDirs.join(':'), LC_ALL: 'C' },
      stdio: ['pipe', 'ignore', 'pipe'],
      timeout: trialMs,
    });
    let words = '';
    child.stderr.on('data', (bytes: Buffer) => {
      words += bytes.toString();
    });
    child.stdin.on('error', () => {
      // It ended without reading; its exit status tells.
    });
    child.stdin.end(input);
    child.on('error', (error) => {
      resolve({ works: false, words: error.message });
    });
    child.on('close', (code) => {
      resolve({ works: code === 0, words: words.trim().split('\n')[0] ?? '' });
    });
  });
}
