/** Hostile SOCKS4 and SOCKS4a servers. */
import { type Behaviour, named } from './behaviour.ts';
import type { Conversation } from './conversation.ts';

/** Version, command, port, address, a user ended by zero, and for 4a a name ended by zero. */
async function readRequest(client: Conversation): Promise<void> {
  const head = await client.read(8);
  await client.readTo('\0');
  const hasName = head.readUInt32BE(4) < 256 && head.readUInt32BE(4) !== 0;
  if (hasName) await client.readTo('\0');
}

function reply(name: string, expected: Behaviour['expected'], bytes: Uint8Array): Behaviour {
  return {
    name,
    scheme: 'socks4',
    expected,
    act: async (client) => {
      await readRequest(client);
      await client.write(bytes);
      if (bytes.length < 8) client.end();
      else await client.servePage();
    },
  };
}

function refusal(code: number, expected: Behaviour['expected']): Behaviour {
  return reply(`refuses with code ${code}`, expected, Uint8Array.of(0, code, 0, 0, 0, 0, 0, 0));
}

const granted = Uint8Array.of(0, 90, 0, 0, 0, 0, 0, 0);

export const socks4: readonly Behaviour[] = named('SOCKS4', [
  reply('grants', 'works', granted),
  refusal(91, 'proxy-refused'),
  // Both are about who the user is (identd).
  refusal(92, 'proxy-sign-in-refused'),
  refusal(93, 'proxy-sign-in-refused'),
  refusal(0, 'proxy-protocol-error'),
  refusal(255, 'proxy-protocol-error'),
  reply('replies in version 5', 'proxy-protocol-error', Uint8Array.of(5, 90, 0, 0, 0, 0, 0, 0)),
  ...[1, 2, 3, 4, 5, 6, 7].map((length) =>
    reply(`closes after ${length} bytes of its reply`, 'proxy-closed', granted.subarray(0, length)),
  ),
]);
