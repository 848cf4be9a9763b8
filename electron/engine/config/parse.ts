/** From the text of culvert.json to a configuration that holds, or to all that is wrong with it. Pure. */
import { CulvertError } from '#shared/failure.ts';
import { phrase } from '#shared/phrase.ts';
import { configVersion, type Config } from '#shared/profile.ts';
import { crossProblems } from './cross-checks.ts';
import { parseDocument } from './document.ts';
import { butFound } from './expectation.ts';
import { invalidConfig, schemaProblems, type Path, type Place, type Problem } from './problems.ts';

export type Raw = Readonly<Record<string, unknown>>;
/** From a version to the one behind it, by the version it starts from; each sets `version` itself. */
export type Migrations = Readonly<Record<number, (raw: Raw) => Raw>>;

/** Empty as long as there is but one version. */
const migrations: Migrations = {};

export interface Parsed {
  readonly config: Config;
  /** The version in the text, where it was an older one. */
  readonly migratedFrom?: number;
}

/**
 * Reads a text. Throws `config-newer`, or `config-invalid` with the place of each problem in `file`, which is
 * only a name for people.
 */
export function parseConfig(text: string, file = 'culvert.json', steps: Migrations = migrations): Parsed {
  const parsed = parseDocument(text.startsWith('\ufeff') ? text.slice(1) : text);
  if ('problems' in parsed) throw invalidConfig(parsed.problems, file);
  const { value, placeOf } = parsed.document;
  const { raw, migratedFrom } = migrate(value, file, placeOf, steps);
  const locate = (problems: readonly Problem[]) => {
    if (migratedFrom !== undefined) return problems;
    return problems.map((problem) => ({ ...problem, place: placeOf(problem.path) }));
  };
  const checked = schemaProblems(raw);
  if ('problems' in checked) throw invalidConfig(locate(checked.problems), file);
  const problems = crossProblems(checked.config);
  if (problems.length > 0) throw invalidConfig(locate(problems), file);
  return { config: checked.config, ...(migratedFrom === undefined ? {} : { migratedFrom }) };
}

/** Checks a configuration that was not read from a file. Throws `config-invalid` with the fields. */
export function checkConfig(value: unknown): Config {
  const checked = schemaProblems(value);
  if ('problems' in checked) throw invalidConfig(checked.problems);
  const problems = crossProblems(checked.config);
  if (problems.length > 0) throw invalidConfig(problems);
  return checked.config;
}

function migrate(
  value: unknown,
  file: string,
  placeOf: (path: Path) => Place,
  steps: Migrations,
): { raw: unknown; migratedFrom?: number } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { raw: value };
  let raw = value as Raw;
  const given = raw['version'];
  if (typeof given !== 'number' || !Number.isInteger(given) || given === configVersion) return { raw };
  if (given > configVersion)
    throw new CulvertError('config-newer', {
      detail: phrase('config.newer', { file, version: given, known: configVersion }),
    });
  for (let version = given; version < configVersion; version += 1) {
    const step = steps[version];
    if (step === undefined) {
      const message = butFound(phrase('config.literal', { value: configVersion }), given);
      throw invalidConfig([{ path: ['version'], place: placeOf(['version']), message }], file);
    }
    raw = step(raw);
  }
  return { raw, migratedFrom: given };
}
