/**
 * What the window and the command line do with an app, as a program that a user of a world can run:
 * `instance ID`, `plan ID TARGET [PROFILE]`, `close PID TICKS`. Answers one JSON value.
 */
import {
  appWithId,
  Catalogue,
  closeInstance,
  familyOf,
  planApp,
  runningInstance,
  separateDirectory,
  withSeparateProfile,
} from '../../electron/engine/apps/index.ts';

const [verb = '', id = '', target = '', profile] = process.argv.slice(2);

async function answer(): Promise<unknown> {
  if (verb === 'close') return closeInstance({ pid: Number(id), startTicks: target }, 20_000);
  const app = await appWithId(id, new Catalogue());
  if (verb === 'instance') return (await runningInstance(app)) ?? null;
  const family = familyOf(app);
  const directory = profile === undefined ? undefined : separateDirectory(app.id, profile);
  const options = { targets: [target], cwd: process.cwd(), env: process.env };
  if (directory === undefined || family === undefined) return planApp(app, options);
  return planApp(app, { ...options, adapt: (argv) => withSeparateProfile(argv, family, directory) });
}

void answer().then((value) => {
  console.log(JSON.stringify(value));
});
