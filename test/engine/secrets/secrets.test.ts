import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inEnglish } from '#shared/phrase.ts';
import { failureIn } from '../config/sandbox.ts';
import { until } from '../../world/until.ts';
import { Session } from './session.ts';

const canary = 'canary-7f3a91c2e5-Ünïcode';

function file(session: Session): string {
  return readFileSync(join(session.config, 'secrets.json'), 'utf8');
}

/** Processes that have a text in their arguments or environment. */
function processesWith(text: string): string[] {
  const found = [];
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    for (const part of ['cmdline', 'environ']) {
      try {
        if (readFileSync(`/proc/${pid}/${part}`, 'utf8').includes(text)) found.push(`${pid}/${part}`);
      } catch {
        // Gone by now.
      }
    }
  }
  return found;
}

function filesWith(dir: string, text: string): string[] {
  const all = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return all
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}

describe('passwords where there is no keyring', () => {
  it('are kept in a file for the owner only, which is told', async () => {
    await using session = new Session();
    using secrets = await session.secrets();
    await secrets.set('work', 'office', canary);
    expect(secrets.kind).toBe('file');
    expect(inEnglish(secrets.notices)).toContain('the password cannot be stored safely');
    expect(JSON.stringify(secrets.notices)).not.toContain(canary);
    expect(statSync(join(session.config, 'secrets.json')).mode & 0o777).toBe(0o600);
    using later = await session.secrets();
    expect(await later.get('work', 'office')).toBe(canary);
    expect(await later.get('work', 'other')).toBeUndefined();
    await later.remove('work', 'office');
    expect(file(session)).not.toContain(canary);
  });

  it('are in no other file and in no process', async () => {
    await using session = new Session();
    using secrets = await session.secrets();
    const seen: string[] = [];
    const setting = secrets.set('work', 'office', canary);
    let isSet = false;
    void setting.then(() => (isSet = true));
    await until('the password to be set', () => {
      seen.push(...processesWith(canary));
      return isSet;
    });
    await setting;
    expect(seen).toEqual([]);
    // The search finds what there is to find.
    const careless = spawn('/bin/sleep', ['30'], { env: { PASSWORD: canary } });
    await until('the careless process to be found', () => processesWith(canary).length > 0);
    careless.kill('SIGKILL');
    expect(filesWith(session.dir, canary)).toEqual([join(session.config, 'secrets.json')]);
  });

  it('are remembered until the end of the process where nothing can be written', async () => {
    await using session = new Session();
    const blocked = join(session.dir, 'blocked');
    writeFileSync(blocked, '');
    using secrets = await session.secrets({ dir: join(blocked, 'below') });
    await secrets.set('work', 'office', canary);
    expect([secrets.kind, await secrets.get('work', 'office')]).toEqual(['memory', canary]);
    expect(inEnglish(secrets.notices)).toContain('kept until this process ends');
    await secrets.removeProfile('work');
    expect(await secrets.get('work', 'office')).toBeUndefined();
  });

  it('of a profile go with it, and those of the others stay', async () => {
    await using session = new Session();
    using secrets = await session.secrets();
    for (const [profile, server] of [
      ['work', 'a'],
      ['work', 'b'],
      ['work2', 'a'],
    ] as const)
      await secrets.set(profile, server, `${profile}-${server}`);
    await secrets.removeProfile('work');
    expect(await secrets.get('work', 'b')).toBeUndefined();
    expect(await secrets.get('work2', 'a')).toBe('work2-a');
  });

  it('set by several at once are all kept', async () => {
    await using session = new Session();
    using one = await session.secrets();
    using other = await session.secrets();
    const numbers = Array.from({ length: 10 }, (_, number) => `s${number}`);
    await Promise.all(numbers.flatMap((id) => [one.set('p', id, id), other.set('q', id, id)]));
    for (const id of numbers) expect([await other.get('p', id), await one.get('q', id)]).toEqual([id, id]);
  });
});

describe('the file of passwords', () => {
  it('that others can read is repaired, and this is told', async () => {
    await using session = new Session();
    using first = await session.secrets();
    await first.set('work', 'office', canary);
    const path = join(session.config, 'secrets.json');
    chmodSync(path, 0o644);
    using secrets = await session.secrets();
    expect(await secrets.get('work', 'office')).toBe(canary);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(inEnglish(secrets.notices)).toContain('others on this computer could read secrets.json');
  });

  it('that is damaged is told without any of its text', async () => {
    await using session = new Session();
    using secrets = await session.secrets();
    for (const text of [
      `{"version":1,"secrets":{"work/office":{"password":"${canary}"`,
      `"${canary}"`,
      `{"${canary}":1}`,
    ]) {
      writeFileSync(join(session.config, 'secrets.json'), text, { mode: 0o600 });
      const failure = await failureIn(() => secrets.get('work', 'office'));
      expect(failure.code).toBe('secret-unreadable');
      expect(JSON.stringify(failure)).not.toContain('canary');
    }
  });

  it('holds no more than what is asked for: neither ids nor passwords of any shape', async () => {
    await using session = new Session();
    using secrets = await session.secrets();
    expect(await failureIn(() => secrets.set('a/b', 'c', canary))).toMatchObject({ code: 'option-invalid' });
    const long = canary.repeat(400);
    const failure = await failureIn(() => secrets.set('a', 'c', long));
    expect(JSON.stringify(failure)).not.toContain('canary');
    await secrets.set('constructor', 'prototype', canary);
    expect(await secrets.get('constructor', 'prototype')).toBe(canary);
  });
});

describe('passwords where there is a keyring', () => {
  it('are kept in it and in no file of ours', async () => {
    await using session = new Session();
    await session.startBus();
    await session.startKeyring('sesame');
    using secrets = await session.secrets();
    expect(await secrets.probe()).toBe('keyring');
    await secrets.set('work', 'office', canary);
    expect([secrets.kind, secrets.notices]).toEqual(['keyring', []]);
    using later = await session.secrets();
    expect(await later.get('work', 'office')).toBe(canary);
    expect(filesWith(session.config, canary)).toEqual([]);
    expect(processesWith(canary)).toEqual([]);
    await later.remove('work', 'office');
    expect(await later.get('work', 'office')).toBeUndefined();
    expect(file(session)).not.toContain('work/office');
  });

  it('are found again in the file where they were set before it was there, and move when they are set anew', async () => {
    await using session = new Session();
    using before = await session.secrets();
    await before.set('work', 'office', canary);
    await session.startBus();
    await session.startKeyring('sesame');
    using secrets = await session.secrets();
    expect(await secrets.get('work', 'office')).toBe(canary);
    await secrets.set('work', 'office', `${canary}-2`);
    expect(file(session)).not.toContain('canary');
    expect(await secrets.get('work', 'office')).toBe(`${canary}-2`);
  });

  it('cannot be read when it is gone, which is told, and a new one goes into the file', async () => {
    await using session = new Session();
    await session.startBus();
    const keyring = await session.startKeyring('sesame');
    using first = await session.secrets();
    await first.set('work', 'office', canary);
    await session.stop(keyring);
    using secrets = await session.secrets();
    expect(await failureIn(() => secrets.get('work', 'office'))).toMatchObject({ code: 'secret-unreadable' });
    await secrets.set('work', 'office', 'new');
    expect([secrets.kind, await secrets.get('work', 'office')]).toEqual(['file', 'new']);
    // The keyring still has the old one: that is remembered, and both go together.
    expect(await failureIn(() => secrets.remove('work', 'office'))).toMatchObject({ step: 'remove' });
    expect(file(session)).not.toContain('new');
    await session.startKeyring('sesame');
    using last = await session.secrets();
    await last.removeProfile('work');
    expect(await last.get('work', 'office')).toBeUndefined();
  });

  it('are waited for no longer than two seconds when it stands still', async () => {
    await using session = new Session();
    await session.startBus();
    const keyring = await session.startKeyring('sesame');
    keyring.kill('SIGSTOP');
    using secrets = await session.secrets();
    const start = performance.now();
    await secrets.set('work', 'office', canary);
    expect(performance.now() - start).toBeLessThan(5000);
    expect(secrets.kind).toBe('file');
  });

  it('are not waited for without end when its question is not answered, and nothing is left running', async () => {
    await using session = new Session();
    await session.startBus();
    const unlocked = await session.startKeyring('sesame');
    using first = await session.secrets();
    await first.set('work', 'office', canary);
    await session.stop(unlocked);
    await session.startKeyring();
    using secrets = await session.secrets({ patience: { answerMs: 1500 } });
    const start = performance.now();
    expect(await failureIn(() => secrets.get('work', 'office'))).toMatchObject({
      code: 'secret-unreadable',
      detail: 'the keyring: it did not answer within 1.5 s',
    });
    expect(performance.now() - start).toBeGreaterThan(1400);
    await until('the program to end', () => !programRuns(session));
  });

  it('are no reason to start anything for a server that has none', async () => {
    await using session = new Session();
    await session.startBus();
    await session.startKeyring('sesame');
    using secrets = await session.secrets();
    expect(await secrets.get('work', 'office')).toBeUndefined();
    expect(programRuns(session)).toBe(false);
  });
});

/** Whether the program for the keyring runs for this session. */
function programRuns({ env }: Session): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return (
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('keyring.cjs') &&
        readFileSync(`/proc/${pid}/environ`, 'utf8').includes(String(env['DBUS_SESSION_BUS_ADDRESS']))
      );
    } catch {
      // No process, or gone by now.
      return false;
    }
  });
}
