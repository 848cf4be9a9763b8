/** What it takes in a world to open Culvert's window: the product with its page, Electron, and a screen. */
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { repository } from './artefact.ts';
import { Product } from './product.ts';
import type { World } from './world.ts';

/** Where the world sees Electron: its own place may be one where only root can go. */
const electronDir = '/run/electron';
export const electron = join(electronDir, 'electron');

export interface WindowParts {
  readonly product: Product;
  /** What an app finds its screen by. */
  readonly display: string;
}

/** Installs the product with its window, and starts a screen; all of it goes when the world does. */
export async function installWindow(world: World): Promise<WindowParts> {
  const product = Product.install(world);
  cpSync(join(repository, 'dist/renderer'), join(product.dir, 'renderer'), { recursive: true });
  await world.shell(`mkdir ${electronDir} && mount --bind ${dirname(electronProgram())} ${electronDir}`);
  return { product, display: await startScreen(world) };
}

/** A screen without a monitor, with a place for sockets of its own; the answer is its name. */
async function startScreen(world: World): Promise<string> {
  const sockets = '/tmp/.X11-unix';
  await world.shell(`mkdir -p ${sockets} && mount -t tmpfs -o mode=1777 culvert-world ${sockets}`);
  // Without a client it would else begin anew, and lose the one that connects meanwhile.
  const options = ['-screen', '0', '1400x900x24', '-nolisten', 'tcp', '-ac', '-noreset'];
  const screen = world.spawn(['Xvfb', '-displayfd', '1', ...options]);
  const [, number] = await screen.says(/^([0-9]+)\n/);
  return `:${number}`;
}

function electronProgram(): string {
  const find = join(repository, 'build/electron-runtime.js');
  return execFileSync(process.execPath, [find], { encoding: 'utf8' }).trim();
}
