/**
 * `culvert manual`, from which packages make their man pages: the verbs and options are those of the program, the fields
 * of culvert.json those that it is read with, so the pages cannot say anything else.
 */
import type { EventEmitter } from 'node:events';
import type { Command } from 'commander';
import { CulvertError } from '#shared/failure.ts';
import { version } from '#shared/version.ts';
import { jsonSchema } from '#engine';
import { runExit, verbExit } from './exit-codes.ts';
import { fieldsOf } from './manual-fields.ts';
import {
  bold,
  entry,
  heading,
  italic,
  paragraph,
  part,
  plain,
  section,
  syntax,
  verbatim,
} from './manual-roff.ts';
import { write } from './output.ts';

const pages: Readonly<Record<string, (program: Command) => string>> = {
  culvert: culvertPage,
  'culvert-run': runPage,
  'culvert-profile': profilePage,
};

/** Prints a page. Throws `option-invalid` for one that there is not. */
export function manual(page: string, program: Command): void {
  const made = Object.hasOwn(pages, page) ? pages[page] : undefined;
  if (made === undefined)
    throw new CulvertError('option-invalid', { detail: `the pages are ${Object.keys(pages).join(', ')}` });
  write(1, made(program));
}

const meanings: Readonly<Record<keyof typeof verbExit, string>> = {
  ok: 'Done.',
  failed: 'It failed, and says why.',
  usage: 'The command line was wrong.',
  unknown: 'There is no such profile, app, rule or lane.',
  proxyUnreachable: 'The proxy cannot be reached, or refuses.',
  isolationUnavailable: 'Isolated networks cannot be made here, or permission was not given.',
  engineNotRunning: 'Nothing runs that could answer.',
  leakFound: 'A check found a leak.',
  runningOutside: 'The app runs outside of Culvert already.',
};

const environment: readonly (readonly [string, string])[] = [
  ['CULVERT_PASSWORD', 'The password of the proxy; apps do not see it.'],
  [
    'CULVERT_LOG',
    'What is written down: off, warning (the usual), info or debug, which has each connection.',
  ],
  ['CULVERT_NODE', 'Another Node.js than the one in PATH, for Culvert as it is built from its sources.'],
  ['NODE_EXTRA_CA_CERTS', 'A file of certificates that are trusted besides, for https proxies.'],
  ['XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR', 'Where files and sockets are.'],
];

const files: readonly (readonly [string, string])[] = [
  ['~/.config/culvert/culvert.json', 'Profiles and rules, see culvert-profile(5).'],
  ['~/.local/state/culvert/', 'Logs.'],
  ['$XDG_RUNTIME_DIR/culvert/', 'Sockets, for their user only.'],
];

function culvertPage(program: Command): string {
  const verbs = visible(program).filter((verb) => verb.name() !== 'help');
  return [
    heading('culvert', 1, version),
    nameLine('culvert', 'start any app on its own isolated network'),
    section('SYNOPSIS'),
    paragraph(`${bold('culvert')} ${italic('verb')} [${italic('option')}...] [${italic('argument')}...]`),
    section('DESCRIPTION'),
    paragraph(plain(program.description())),
    paragraph(
      plain(
        'TCP, UDP and DNS of the app all go through the proxy. If anything fails, the app has no network: nothing ' +
          'goes out past the proxy. It is no anonymity: the proxy sees what is sent through it.',
      ),
    ),
    section('OPTIONS'),
    ...optionLines(program),
    section('VERBS'),
    ...verbs.flatMap((verb) => verbLines(verb, [])),
    section('EXIT STATUS'),
    paragraph(plain('Of culvert run: see culvert-run(1). Of all other verbs:')),
    ...Object.entries(verbExit).map(([name, code]) =>
      entry(bold(String(code)), plain(meanings[name as keyof typeof verbExit])),
    ),
    ...surroundings(),
    seeAlso('culvert-run(1), culvert-profile(5), ip-netns(8), unshare(1), pkexec(1)'),
  ].join('');
}

function runPage(program: Command): string {
  const run = visible(program).find((verb) => verb.name() === 'run');
  if (run === undefined) throw new Error('there is no verb run');
  return [
    heading('culvert-run', 1, version),
    nameLine('culvert-run', run.summary()),
    section('SYNOPSIS'),
    paragraph(`${bold('culvert run')} ${plain(run.usage())}`),
    section('DESCRIPTION'),
    paragraph(plain(run.description())),
    section('OPTIONS'),
    ...optionLines(run),
    section('NOTES'),
    verbatim(after(run)),
    section('EXIT STATUS'),
    paragraph(plain('That of the command, by its signal too; or')),
    entry(bold(String(runExit.culvertFailed)), plain('Culvert failed, and nothing was started.')),
    entry(bold(String(runExit.notExecutable)), plain('The command cannot be executed.')),
    entry(bold(String(runExit.notFound)), plain('The command was not found.')),
    entry(bold(String(verbExit.usage)), plain('The options were wrong.')),
    ...surroundings(),
    seeAlso('culvert(1), culvert-profile(5)'),
  ].join('');
}

function profilePage(): string {
  return [
    heading('culvert-profile', 5, version),
    nameLine('culvert-profile', 'profiles, chains and rules of culvert'),
    section('DESCRIPTION'),
    paragraph(
      plain(
        '~/.config/culvert/culvert.json is a JSON file that may have comments and a comma behind the last value. It is ' +
          'written by culvert(1) and its window, or by hand: comments stay, and what runs follows each change. A ' +
          'mistake is told with its line, and the last good content goes on counting. Passwords are not in it.',
      ),
    ),
    verbatim(`{
  "version": 1,
  "defaultProfile": "work",
  "profiles": [
    {
      "id": "work",
      "name": "Work",
      "chain": {
        "servers": [{ "id": "s1", "kind": "socks5", "host": "proxy.example", "port": 1080, "user": "me" }]
      }
    }
  ],
  "rules": [{ "id": "no-trackers", "match": { "to": [".tracker.example"] }, "action": "block" }],
  "apps": { "firefox": "work" }
}`),
    section('FIELDS'),
    paragraph(plain('[] is each place of a list, {} each value of a table. What must be there is marked.')),
    ...fieldsOf(jsonSchema()).map(({ path, kind, isRequired, description }) =>
      entry(`${bold(path)} ${plain(kind)}${isRequired ? italic(', must be there') : ''}`, plain(description)),
    ),
    section('FILES'),
    entry(italic('~/.config/culvert/culvert.schema.json'), plain('The same as a JSON schema, for editors.')),
    seeAlso('culvert(1), culvert-run(1)'),
  ].join('');
}

function verbLines(verb: Command, before: readonly string[]): string[] {
  const path = [...before, verb.name()];
  const below = visible(verb).filter((one) => one.name() !== 'help');
  const usage = below.length > 0 ? '' : ` ${verb.usage()}`;
  const help =
    verb.name() === 'run' ? plain('See culvert-run(1).') : plain(verb.description() || `${verb.summary()}.`);
  const own = [
    part(`culvert ${path.join(' ')}${usage}`),
    paragraph(help),
    ...(verb.name() === 'run' ? [] : [...optionLines(verb), afterLines(verb)]),
  ];
  return [...own, ...below.flatMap((one) => verbLines(one, path))];
}

function visible(command: Command): readonly Command[] {
  return command.createHelp().visibleCommands(command);
}

function optionLines(command: Command): string[] {
  const options = command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help' || command.parent === null);
  return options.map(({ flags, description }) => entry(syntax(flags), plain(description)));
}

function afterLines(command: Command): string {
  const text = after(command);
  return text === '' ? '' : verbatim(text);
}

/** What stands below the options in a verb's help (commander tells it to whoever prints help). */
function after(command: Command): string {
  let text = '';
  const context = {
    error: false,
    command,
    write: (more: string) => {
      text += more;
    },
  };
  (command as unknown as EventEmitter).emit('afterHelp', context);
  return text.trim();
}

const nameLine = (name: string, what: string): string =>
  `${section('NAME')}${plain(name)} ${String.raw`\-`} ${plain(what)}\n`;

const surroundings = (): string[] => [
  section('ENVIRONMENT'),
  ...environment.map(([name, meaning]) => entry(bold(name), plain(meaning))),
  section('FILES'),
  ...files.map(([name, meaning]) => entry(italic(name), plain(meaning))),
];

const seeAlso = (names: string): string =>
  `${section('SEE ALSO')}${names
    .split(', ')
    .map((name) =>
      name.replace(/^([^(]+)(.*)$/, (_all, word: string, rest: string) => `${bold(word)}${rest}`),
    )
    .join(', ')}\n`;
