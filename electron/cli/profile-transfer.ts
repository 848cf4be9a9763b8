/** `culvert profile import` and `culvert profile export`. Must not: print a password that was not asked for. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { isatty } from 'node:tty';
import { CulvertError } from '#shared/failure.ts';
import type { Config, Profile, Rule } from '#shared/profile.ts';
import { ConfigStore } from '#engine';
import {
  exportJson,
  exportLinks,
  importKinds,
  importText,
  mergeImport,
  type ImportKind,
  type ImportLine,
  type MergedImport,
} from '#engine/import';
import { keepPasswords, openSecrets, passwordsOf, type ServerPassword } from './kept-passwords.ts';
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
  await store.update((current) => {
    merged = mergeImport(current, result);
    return merged.config;
  });
  show(result.kind, merged, options);
  using secrets = await openSecrets(productDir);
  await keepPasswords(secrets, merged.secrets);
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
      lines,
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

function whyNothing(file: string, lines: readonly ImportLine[]): string {
  const first = lines.find(({ status }) => status === 'invalid' || status === 'skipped');
  if (first === undefined) return `${file}: there is nothing in it`;
  const where = first.line === 0 ? '' : `line ${first.line}: `;
  return `${file}: ${where}${first.reason ?? first.text}`;
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
    const rules = names.length === 0 ? config.rules : rulesFor(config, profiles);
    write(1, exportJson({ profiles, rules }, options.withPasswords === true ? passwords : undefined));
    return;
  }
  for (const profile of profiles) {
    if (profile.chain.servers.length > 0) write(1, exportLinks(profile, passwords));
    else complain(`“${profile.name}” is left out — it has no proxy, so there is no link for it — use --json`);
  }
}

/** The rules that are for these profiles alone and lead to no other. */
export function rulesFor({ rules }: Pick<Config, 'rules'>, profiles: readonly Profile[]): Rule[] {
  const ids = new Set(profiles.map(({ id }) => id));
  return rules.filter(
    ({ match, profile }) =>
      match.profiles !== undefined &&
      match.profiles.every((id) => ids.has(id)) &&
      (profile === undefined || ids.has(profile)),
  );
}

function invalid(detail: string): CulvertError {
  return new CulvertError('option-invalid', { detail });
}
