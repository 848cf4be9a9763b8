/**
 * electron/shared/identity.ts for the scripts that make packages: read from there, so that nothing is called by two
 * names. It is plain constants, which is all that this can load.
 */
import { readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';

const source = new URL('../electron/shared/identity.ts', import.meta.url);
const { code } = transformSync(readFileSync(source, 'utf8'), { loader: 'ts', format: 'esm' });

/**
 * @typedef {object} Identity
 * @property {string} appId
 * @property {string} productName
 * @property {string} polkitNamespace
 * @property {string} policyName
 * @property {string} polkitAction
 * @property {string} installDir
 * @property {string} windowProgram
 * @property {string} productPath
 * @property {string} installedHelper
 */

/** @type {Identity} */
export const identity = await import(`data:text/javascript,${encodeURIComponent(code)}`);
