/** What the functions of libculvert answer: 0 or a positive result, or a negative errno value. */
import { getSystemErrorName } from 'node:util';
import { CulvertError, type FailureCode } from '#shared/failure.ts';

/** The result, unless it is an error: then throws `code` with the system's name for it. */
export function check(result: number, code: FailureCode, step: string): number {
  if (result < 0) throw new CulvertError(code, { step, detail: getSystemErrorName(result) });
  return result;
}
