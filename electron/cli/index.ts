/**
 * `culvert`, the command line. Wiring only: the describe-….ts files have the verbs, their options and their help, and
 * what a verb needs is loaded when it is called, because `culvert run` starts often and has to start fast.
 */
import { Command, CommanderError } from 'commander';
import { failureOf } from '#shared/failure.ts';
import { version } from '#shared/version.ts';
import { restoreCaller } from './caller.ts';
import { describeApps } from './describe-apps.ts';
import { describeCheck } from './describe-checks.ts';
import { describeCompletion } from './describe-completion.ts';
import { describeComputer } from './describe-computer.ts';
import { describeConnections } from './describe-connections.ts';
import { describeLanes } from './describe-lanes.ts';
import { describeProfiles } from './describe-profiles.ts';
import { describeRules } from './describe-rules.ts';
import { describeRun } from './describe-run.ts';
import { exitOfRun, exitOfVerb, verbExit } from './exit-codes.ts';
import { complain, complainOf, write } from './output.ts';

/** Where bin/, native/ and the other programs are: beside this bundle. */
const productDir = import.meta.dirname;

function culvert(): Command {
  const program = new Command('culvert')
    .description('Start any app on its own isolated network whose only way out is the proxy you chose.')
    .version(version, '-V, --version')
    .enablePositionalOptions()
    .helpCommand('help [verb]', 'explain a verb')
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => {
        write(1, text);
      },
      writeErr: (text) => {
        write(2, text);
      },
      outputError: (text) => {
        complain(`${text.replace(/^error: /, '').trim()} — see \`culvert help\``);
      },
    })
    .exitOverride();
  describeRun(program, productDir);
  describeApps(program, productDir);
  describeLanes(program);
  describeConnections(program);
  describeProfiles(program, productDir);
  describeRules(program);
  describeCheck(program, productDir);
  describeComputer(program, productDir);
  describeCompletion(program);
  return program;
}

async function main(): Promise<void> {
  restoreCaller(process.env, process.versions['electron'] !== undefined);
  process.on('uncaughtException', fail);
  try {
    // It would take Electron's program for an app of its own, which has no script among its words.
    await culvert().parseAsync(process.argv, { from: 'node' });
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): void {
  if (error instanceof CommanderError) {
    if (error.code === 'culvert.twice') complain(error.message);
    process.exit(error.exitCode === 0 ? verbExit.ok : verbExit.usage);
  }
  // The reader of a pipe has gone, as `head` does: nothing is wrong.
  if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(verbExit.ok);
  const failure = failureOf(error);
  complainOf(failure);
  process.exit(process.argv[2] === 'run' ? exitOfRun(failure.code) : exitOfVerb(failure.code));
}

void main();
