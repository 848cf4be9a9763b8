/** The two programs in dist/bin, with a cli.cjs and a helper.cjs beside them that show what reached them. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import Module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { repository } from './sample-tree.ts';

let dist: string;
const show = 'process.stdout.write(JSON.stringify({ args: process.argv.slice(2), env: process.env }));\n';

beforeAll(() => {
  dist = mkdtempSync(join(tmpdir(), 'culvert-starters-'));
  mkdirSync(join(dist, 'bin'));
  const from = join(repository, 'build/bin');
  cpSync(join(from, 'start.cjs'), join(dist, 'start.cjs'));
  cpSync(join(from, 'culvert'), join(dist, 'bin/culvert'));
  const helper = readFileSync(join(from, 'culvert-helper'), 'utf8').replaceAll('@NODE@', process.execPath);
  writeFileSync(join(dist, 'bin/culvert-helper'), helper);
  chmodSync(join(dist, 'bin/culvert-helper'), 0o755);
  for (const name of ['cli.cjs', 'helper.cjs']) writeFileSync(join(dist, name), show);
});

afterAll(() => {
  rmSync(dist, { recursive: true, force: true });
});

interface Shown {
  readonly args: string[];
  readonly env: Record<string, string>;
}

function start(command: string, args: string[], env: Record<string, string> = {}, cwd = '/') {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    encoding: 'utf8',
  });
  return { status, stderr, shown: stdout === '' ? undefined : (JSON.parse(stdout) as Shown) };
}

describe('culvert', () => {
  test('becomes Node with every argument as it was', () => {
    const args = ['run', '--', 'a b', '', '--x=$y', '*'];
    expect(start(join(dist, 'bin/culvert'), args).shown?.args).toEqual(args);
  });

  test('finds itself through links, relative ones and links to links', () => {
    mkdirSync(join(dist, 'links'));
    symlinkSync('../bin/culvert', join(dist, 'links/first'));
    symlinkSync(join(dist, 'links/first'), join(dist, 'links/second'));
    expect(start('./links/second', ['x'], {}, dist).shown?.args).toEqual(['x']);
  });

  test("keeps the caller's soft limit of open files, which Node raises", () => {
    const { stdout } = spawnSync('/bin/sh', ['-c', `ulimit -Sn 77; exec "${dist}/bin/culvert"`], {
      encoding: 'utf8',
    });
    expect((JSON.parse(stdout) as Shown).env['CULVERT_NOFILE']).toBe('77');
  });

  test('keeps which signals the caller ignores, which Node forgets', () => {
    const recorded = (before: string) => {
      const script = `${before} "${dist}/bin/culvert"`;
      const { stdout } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
      return BigInt(`0x${(JSON.parse(stdout) as Shown).env['CULVERT_SIGIGN'] ?? ''}`);
    };
    const usual = recorded('exec');
    expect(recorded("trap '' INT USR2; exec") & ~usual).toBe(0x802n);
    expect(recorded('exec nohup')).toBe(usual | 0x1n);
  });

  test('takes the Node of CULVERT_NODE, and says so when there is none', () => {
    expect(start(join(dist, 'bin/culvert'), ['x'], { CULVERT_NODE: process.execPath }).status).toBe(0);
    const { status, stderr } = start(join(dist, 'bin/culvert'), [], { CULVERT_NODE: '/nowhere/node' });
    expect(status).toBe(125);
    expect(stderr).toMatch(
      /^culvert: Node\.js was not found — \/nowhere\/node .* — install Node\.js 20\.19 or newer/,
    );
  });

  test.for(['0.12.18', '12.22.9', '18.20.1', '20.9.0', '20.18.3'])(
    'Node %s is told that it is too old',
    (version) => {
      const pretend = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`;
      const { status, stderr } = start(process.execPath, ['-e', `${pretend} require('${dist}/start.cjs')`]);
      expect(status).toBe(125);
      expect(stderr).toMatch(new RegExp(`^culvert: Node\\.js is too old — .* version ${version} — install`));
    },
  );

  test.for(['20.19.0', '22.0.0', '24.1.0'])('Node %s is taken', (version) => {
    const pretend = `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`;
    expect(start(process.execPath, ['-e', `${pretend} require('${dist}/start.cjs')`]).status).toBe(0);
  });

  test('the first lines are read by a Node of any age: nothing newer than ECMAScript 3', () => {
    const text = readFileSync(join(repository, 'build/bin/start.cjs'), 'utf8').replace(/\/\*[^]*?\*\//, '');
    expect(text).not.toMatch(/\b(const|let|class|async|await)\b|=>|\?\.|\?\?|`|\.\.\./);
  });
});

describe('what was compiled when the product was built', () => {
  const program = (word: string) =>
    `${show}process.stderr.write('${word}');\n//# hash=${createHash('sha256').update(word).digest('hex')}\n`;
  const keep = (text: string) => {
    writeFileSync(join(dist, 'cli.cjs'), text);
    const kept = [join(repository, 'build/keep-code.js'), join(dist, 'cli.cjs'), join(dist, 'cli.code')];
    expect(spawnSync(process.execPath, kept, { stdio: 'ignore' }).status).toBe(0);
  };

  afterEach(() => {
    rmSync(join(dist, 'cli.code'), { force: true });
    writeFileSync(join(dist, 'cli.cjs'), show);
  });

  test('is taken by V8, and the program runs as without it', () => {
    const text = program('one');
    keep(text);
    const code = readFileSync(join(dist, 'cli.code'));
    const mark = `${process.version} ${process.arch}\n${text.split('\n').at(-2) ?? ''}\n`;
    expect(code.toString('latin1', 0, mark.length)).toBe(mark);
    const taken = new Script(Module.wrap(text), { cachedData: code.subarray(mark.length) });
    expect(taken.cachedDataRejected).toBe(false);
    const { status, stderr, shown } = start(join(dist, 'bin/culvert'), ['a b']);
    expect([status, stderr, shown?.args]).toEqual([0, 'one', ['a b']]);
  });

  test('is left alone when the program is another one, though as long', () => {
    keep(program('one'));
    writeFileSync(join(dist, 'cli.cjs'), program('two'));
    expect(start(join(dist, 'bin/culvert'), []).stderr).toBe('two');
  });

  test.for(['', 'v1.2.3 x64\n', 'nonsense'])('is left alone when it is %j', (code) => {
    keep(program('one'));
    writeFileSync(join(dist, 'cli.code'), code);
    expect(start(join(dist, 'bin/culvert'), []).stderr).toBe('one');
  });

  test('is left alone when it is cut off', () => {
    keep(program('one'));
    const code = readFileSync(join(dist, 'cli.code'));
    for (const length of [code.length - 1, 80]) {
      writeFileSync(join(dist, 'cli.code'), code.subarray(0, length));
      expect(start(join(dist, 'bin/culvert'), []).stderr).toBe('one');
    }
  });
});

describe('culvert-helper', () => {
  const hostile = {
    NODE_OPTIONS: '--require /nowhere/evil.cjs',
    NODE_PATH: '/nowhere',
    LD_LIBRARY_PATH: '/nowhere',
    ENV: '/nowhere/profile',
    BASH_ENV: '/nowhere/profile',
    'BASH_FUNC_exec%%': '() { echo evil; }',
    HOME: '/nowhere',
    CULVERT_NODE: '/nowhere/node',
  };

  test('gives root nothing of the environment but who asked', () => {
    const { shown, stderr } = start(join(dist, 'bin/culvert-helper'), ['x y', ''], {
      ...hostile,
      PKEXEC_UID: '1000',
    });
    expect(stderr).toBe('');
    expect(shown).toEqual({
      args: ['x y', ''],
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ELECTRON_RUN_AS_NODE: '1', PKEXEC_UID: '1000' },
    });
  });

  test('says of sudo what sudo said, as one word, and invents nobody', () => {
    expect(start(join(dist, 'bin/culvert-helper'), [], { SUDO_UID: '7 A=1' }).shown?.env).toEqual({
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      ELECTRON_RUN_AS_NODE: '1',
      SUDO_UID: '7 A=1',
    });
    expect(Object.keys(start(join(dist, 'bin/culvert-helper'), []).shown?.env ?? {})).toEqual([
      'PATH',
      'ELECTRON_RUN_AS_NODE',
    ]);
  });

  test('refuses to be found by chance', () => {
    const { status, stderr } = start('./bin/culvert-helper', [], {}, dist);
    expect([status, stderr]).toEqual([125, 'culvert-helper: it was not started by its absolute path\n']);
  });
});
