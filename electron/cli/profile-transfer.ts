/** `culvert profile import` and `culvert profile export`. Must not: print a password that was not asked for. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isatty } from 'node:tty';
import { CulvertError } from '#shared/failure.ts';
import { ConfigStore } from '#engine';
import {
  importKinds,
  importText,
  mergeImport,
  type ImportKind,
  type ImportLine,
  type MergedImport,
} from '#engine/import';
import {
  passwordsOf,
  ProfileKeeper,
  profilesAsJson,
  profilesAsLinks,
  whyNothing,
  type ServerPassword,
} from '#engine/profiles';
import { openSecrets, tellPlace } from './kept-passwords.ts';
import { type Column, complain, count, print, styleFor, table, write } from './output.ts';
import { wordOf } from './run-request.ts';
import { namedProfile } from './stored-profile.ts';

export interface ImportVerbOptions {
  readonly as?: string | undefined;
  readonly for?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const schema = 1;
/** The descriptor that `-` stands for. */
const stdin = 0;

const columns: readonly Column[] = [
  { title: 'LINE', align: 'right' },
  { title: 'STATUS' },
  { title: 'WHAT' },
  { title: 'WHY' },
];

/**
 * Prints what became of each line, and keeps what could be taken. Throws `import-invalid` where that is nothing,
 * `option-invalid`, `profile-unknown`, `config-invalid` and what writing may; then nothing is kept.
 */
export async function importProfiles(
  file: string,
  options: ImportVerbOptions,
  productDir: string,
): Promise<void> {
  const store = ConfigStore.open();
  const config = store.read();
  const profile = options.for === undefined ? undefined : namedProfile(config, options.for).id;
  const kind = kindOf(options, profile);
  const result = importText(readInput(file), {
    ...(file === '-' ? {} : { name: basename(file) }),
    ...(kind === undefined ? {} : { kind }),
    ...(profile === undefined ? {} : { profile }),
  });
  let merged = mergeImport(config, result);
  const isNothing = merged.profiles.length + merged.rules.length === 0;
  if (isNothing || options.dryRun === true) {
    show(result.kind, merged, options);
    if (isNothing) throw new CulvertError('import-invalid', { detail: whyNothing(file, merged.lines) });
    complain(`nothing was changed — this is what ${file} would bring: ${summaryOf(merged)}`);
    return;
  }
  using secrets = await openSecrets(productDir);
  merged = await new ProfileKeeper({ store, secrets, mayBeLost: false }).import(result);
  show(result.kind, merged, options);
  tellPlace(secrets, merged.secrets.length);
  complain(`imported ${summaryOf(merged)} — see \`culvert profile ls\``);
}

function kindOf({ as }: ImportVerbOptions, profile: string | undefined): ImportKind | undefined {
  const kind = as === undefined ? undefined : wordOf('--as', as, importKinds);
  const isList = kind === 'direct-list' || kind === 'proxy-list';
  if (isList && profile === undefined) throw invalid(`--as ${kind} needs --for PROFILE`);
  if (!isList && profile !== undefined) throw invalid('--for goes with --as direct-list or proxy-list');
  return kind;
}

function readInput(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? stdin : file);
  } catch (error) {
    throw invalid(`${file}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
}

/** The lines of an import as rows of the table; 0 is the text as a whole. */
export function rowsOf(lines: readonly ImportLine[]): string[][] {
  return lines.map(({ line, status, text, reason }) => [
    line === 0 ? '-' : String(line),
    status,
    text,
    reason ?? '',
  ]);
}

function show(kind: ImportKind, merged: MergedImport, { json, dryRun }: ImportVerbOptions): void {
  const { profiles, rules, secrets, lines } = merged;
  if (json !== true) {
    write(1, table(columns, rowsOf(lines), { isTerminal: isatty(1), style: styleFor(1) }));
    return;
  }
  print(
    JSON.stringify({
      schema,
      kind,
      isDryRun: dryRun === true,
      profiles: profiles.map(({ id, name }) => ({ id, name })),
      rules: rules.map(({ id }) => id),
      passwords: secrets.length,
      // Phrases are for windows: here all is said in English.
      lines: lines.map(({ textPhrase: _, reasonPhrase: __, ...line }) => line),
    }),
  );
}

function summaryOf({ profiles, rules, lines }: MergedImport): string {
  const bad = lines.filter(({ status }) => status === 'invalid').length;
  return [
    ...(profiles.length === 0
      ? []
      : [`${count(profiles.length, 'profile')} (${listed(profiles.map(({ id }) => id))})`]),
    ...(rules.length === 0 ? [] : [count(rules.length, 'rule')]),
    ...(bad === 0 ? [] : [`${count(bad, 'line was', 'lines were')} not understood`]),
  ].join(', ');
}

function listed(ids: readonly string[]): string {
  return ids.length <= 6 ? ids.join(', ') : `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more`;
}

export interface ExportVerbOptions {
  readonly json?: boolean | undefined;
  readonly withPasswords?: boolean | undefined;
}

/** Prints all own profiles, or the named ones. Throws `profile-unknown`, `secret-unreadable`. */
export async function exportProfiles(
  names: readonly string[],
  options: ExportVerbOptions,
  productDir: string,
): Promise<void> {
  const config = ConfigStore.open().read();
  const profiles = names.length === 0 ? config.profiles : names.map((name) => namedProfile(config, name));
  const passwords: ServerPassword[] = [];
  if (options.withPasswords === true) {
    using secrets = await openSecrets(productDir);
    for (const profile of profiles) passwords.push(...(await passwordsOf(secrets, profile)));
  }
  if (options.json === true) {
    write(1, profilesAsJson(config, profiles, options.withPasswords === true ? passwords : undefined));
    return;
  }
  const { text, leftOut } = profilesAsLinks(profiles, passwords);
  write(1, text);
  for (const { name } of leftOut)
    complain(`“${name}” is left out — it has no proxy, so there is no link for it — use --json`);
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
