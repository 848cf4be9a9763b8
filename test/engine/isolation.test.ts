/** What is said of isolation where the way without a password is not there. */
import { expect, test } from 'vitest';
import { viewOfRefusal } from '../../electron/engine/isolation.ts';

const forbidden = { code: 'userns-forbidden', detail: 'a switch' } as const;
const open = () => undefined;
const closed = () => ({ name: 'kernel.some_switch', value: '0', allows: '1' });

test('a closed switch is told with what opens it for good, and who could be asked instead', () => {
  expect(viewOfRefusal(forbidden, { canAsk: true, closedSwitch: closed })).toEqual({
    mode: 'privileged',
    isProven: false,
    failure: forbidden,
    command:
      "echo 'kernel.some_switch = 1' | sudo tee /etc/sysctl.d/60-culvert.conf && sudo sysctl -p /etc/sysctl.d/60-culvert.conf",
  });
});

test('where nobody can be asked there is no way, and where no switch is closed no command', () => {
  expect(viewOfRefusal(forbidden, { canAsk: false, closedSwitch: open })).toEqual({
    isProven: false,
    failure: forbidden,
  });
});

test('what permission would not mend is told as it is', () => {
  const failure = { code: 'tool-missing', detail: 'nft' } as const;
  expect(viewOfRefusal(failure, { canAsk: true, closedSwitch: closed })).toEqual({
    isProven: false,
    failure,
  });
});
