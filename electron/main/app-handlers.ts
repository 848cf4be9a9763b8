/**
 * What main answers about apps: it hands the questions on to the window's own engine, and lets the user choose a
 * file. Must not: open or run anything itself.
 */
import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import { dialog } from 'electron';
import type { WindowHandlers } from '#shared/contract.ts';
import type { EngineCall, EngineParams, EngineValue } from '#shared/engine-protocol.ts';
import { CulvertError } from '#shared/failure.ts';
import type { Parts } from './handlers.ts';

type Forwarded =
  | 'app.list'
  | 'app.open'
  | 'app.instance'
  | 'app.close'
  | 'app.bind'
  | 'app.unbind'
  | 'launcher.list'
  | 'launcher.create'
  | 'launcher.remove'
  | 'profile.setDefault'
  | 'config.read';
type OfPaths = 'app.target' | 'app.trust' | 'app.makeExecutable';
type AppHandlers = Pick<WindowHandlers, Forwarded | OfPaths | 'file.choose'>;

/** The answers, over the engine that the window started. */
export function appHandlersFor(parts: Pick<Parts, 'engines' | 'own'>): AppHandlers {
  const asking = <C extends EngineCall>(name: C) => {
    return (params: EngineParams<C>): Promise<EngineValue<C>> => askOwn(parts, name, params);
  };
  /** The page is told paths by the desktop: what is none is not looked for anywhere. */
  const askingOfPath = <C extends OfPaths>(name: C) => {
    return (params: EngineParams<C>): Promise<EngineValue<C>> => {
      if (!isPath(params.path)) throw new CulvertError('bad-message', { step: name });
      return askOwn(parts, name, params);
    };
  };
  return {
    'app.list': asking('app.list'),
    'app.open': asking('app.open'),
    'app.instance': asking('app.instance'),
    'app.close': asking('app.close'),
    'app.bind': asking('app.bind'),
    'app.unbind': asking('app.unbind'),
    'launcher.list': asking('launcher.list'),
    'launcher.create': asking('launcher.create'),
    'launcher.remove': asking('launcher.remove'),
    'profile.setDefault': asking('profile.setDefault'),
    'config.read': asking('config.read'),
    'app.target': askingOfPath('app.target'),
    'app.trust': askingOfPath('app.trust'),
    'app.makeExecutable': askingOfPath('app.makeExecutable'),
    'file.choose': chooseFile,
  };
}

/** Asks the window's own engine. Throws its failure, or `engine-unreachable`. */
export async function askOwn<C extends EngineCall>(
  { engines, own }: Pick<Parts, 'engines' | 'own'>,
  name: C,
  params: EngineParams<C>,
): Promise<EngineValue<C>> {
  return (await engines.of(own.pid)).call(name, params);
}

/** An absolute path, or the address of something dropped; the engine says what is not on this computer. */
function isPath(text: string): boolean {
  return !text.includes('\0') && (isAbsolute(text) || /^[a-z][a-z0-9+.-]*:\/\//i.test(text));
}

async function chooseFile(): Promise<string | null> {
  const { filePaths } = await dialog.showOpenDialog({
    defaultPath: homedir(),
    properties: ['openFile'],
  });
  return filePaths[0] ?? null;
}
