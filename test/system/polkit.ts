/** The real polkit of a world, and what it answers when it is asked for pkexec. */
import { chmodSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { until } from '../world/until.ts';
import type { UserName, World } from '../world/world.ts';

/** Starts the system bus and polkit; both end with the world. */
export async function startPolkit(world: World): Promise<void> {
  await world.shell('mkdir -p /run/dbus');
  const bus = world.spawn(['dbus-daemon', '--system', '--nofork', '--nopidfile']);
  const isOn = async (command: string[]) => (await world.run(command)).stdout.includes('true');
  const owner = 'string:org.freedesktop.PolicyKit1';
  const ask = ['dbus-send', '--system', '--print-reply=literal', '--dest=org.freedesktop.DBus', '/'];
  await until(
    'the system bus',
    async () => (await world.run([...ask, 'org.freedesktop.DBus.GetId'])).code === 0,
  );
  expect(bus.hasEnded).toBe(false);
  const polkit = world.spawn(['/usr/lib/polkit-1/polkitd', '--no-debug']);
  // Not by calling it: the bus would start another one.
  await until('polkit', () => isOn([...ask, 'org.freedesktop.DBus.NameHasOwner', owner]));
  expect(polkit.hasEnded).toBe(false);
}

/** What polkit answers for a user from now on, such as `polkit.Result.NO`; for all that pkexec has no action for, unless told. */
export function polkitAnswers(
  world: World,
  user: UserName,
  answer: string,
  action = 'org.freedesktop.policykit.exec',
): void {
  const rules = world.path('/etc/polkit-1/rules.d/49-culvert.rules');
  writeFileSync(
    rules,
    `polkit.addRule(function (action, subject) {
  if (action.id == '${action}' && subject.user == '${user}') return ${answer};
});
`,
  );
  chmodSync(rules, 0o644);
}
