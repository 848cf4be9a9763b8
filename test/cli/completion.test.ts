/** What real shells offer when a command is being typed. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../world/artefact.ts';

let dir: string;
let env: Record<string, string>;

beforeAll(() => {
  const script = bundle('electron/cli/index.ts');
  dir = mkdtempSync(join(tmpdir(), 'culvert-completion-'));
  const made = (path: string, text: string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true, mode: 0o700 });
    writeFileSync(join(dir, path), text);
  };
  made('bin/culvert', `#!/bin/sh\nexec ${process.execPath} ${script} "$@"\n`);
  chmodSync(join(dir, 'bin/culvert'), 0o755);
  const rules = [{ id: 'no-ads', match: { to: ['.ads.test'] }, action: 'block' }];
  const profiles = ['work', 'home'].map((id) => ({ id, name: `At ${id}`, action: 'direct' }));
  made('config/culvert/culvert.json', JSON.stringify({ version: 1, profiles, rules }));
  made(
    'data/applications/org.example.Maps.desktop',
    '[Desktop Entry]\nType=Application\nName=Maps\nExec=/bin/true\n',
  );
  made('empty/list.conf', '');
  mkdirSync(join(dir, 'runtime'), { mode: 0o700 });
  env = {
    PATH: `${join(dir, 'bin')}:/usr/bin:/bin`,
    HOME: dir,
    LANG: 'C.UTF-8',
    TERM: 'xterm',
    XDG_CONFIG_HOME: join(dir, 'config'),
    XDG_STATE_HOME: join(dir, 'state'),
    XDG_DATA_HOME: join(dir, 'data'),
    XDG_DATA_DIRS: join(dir, 'none'),
    XDG_RUNTIME_DIR: join(dir, 'runtime'),
  };
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(join(dir, shell), run('culvert', ['completion', shell]));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

function run(program: string, args: readonly string[], more: Record<string, string> = {}): string {
  const cwd = join(dir, 'empty');
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    env: { ...env, ...more },
    encoding: 'utf8',
  });
  expect({ program, status, stderr }).toEqual({ program, status: 0, stderr: '' });
  return stdout;
}

/** The candidates of bash, as its completion function leaves them. */
function bash(line: string): string[] {
  const script = `
    source "$DIR/bash"
    shopt -s extglob
    COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:' COMP_POINT=\${#COMP_LINE}
    _culvert
    [ \${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run('bash', ['-c', script], { DIR: dir, COMP_LINE: line }).split('\n').filter(Boolean);
}

function fish(line: string): string[] {
  return run('fish', ['--no-config', '-c', 'source $DIR/fish; complete -C $LINE'], { DIR: dir, LINE: line })
    .split('\n')
    .filter(Boolean)
    .map((candidate) => candidate.split('\t')[0] ?? '');
}

/** A zsh in a terminal of its own: waits for its prompt, types, and prints what comes up to a mark. */
const typist = `
import os, pty, select, sys, time
pid, fd = pty.fork()
if pid == 0: os.execvp("zsh", ["zsh", "-f", "-i"])
def until(mark):
    seen, end = b"", time.time() + 20
    while mark not in seen:
        if time.time() > end: sys.exit(f"no {mark} in {seen}")
        if select.select([fd], [], [], 0.1)[0]: seen += os.read(fd, 65536)
    return seen
os.write(fd, b'stty cols 300 rows 200; LISTMAX=1000; autoload -Uz compinit; compinit -D -u; source $DIR/zsh; PROMPT="RE""ADY"\\n')
until(b"READY")
os.write(fd, os.environ["LINE"].encode() + b'\\x04\\x15print DO""NE\\n')
sys.stdout.buffer.write(until(b"DONE"))
os.close(fd)
os.waitpid(pid, 0)
`;

/** What zsh lists under the line at Ctrl+D. */
function zsh(line: string): string[] {
  return stripVTControlCharacters(run('python3', ['-c', typist], { DIR: dir, LINE: line }))
    .split(/[\r\n]+|\s{2,}/)
    .map((text) => text.trim())
    .filter((text) => text !== '' && !text.startsWith('culvert'));
}

const shells = [
  ['bash', bash],
  ['zsh', zsh],
  ['fish', fish],
] as const;

describe.each(shells)('%s offers', (name, complete) => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['culvert ', ['run', 'connections', 'completion', 'help'], ['complete', 'demo-probe', '--version']],
    ['culvert con', ['connections'], ['run']],
    ['culvert profile ', ['add', 'ls', 'test'], ['run']],
    ['culvert profile add --', ['--name', '--isolation'], ['--follow']],
    ['culvert profile add --isolation ', ['auto', 'helper', 'rootless'], ['work']],
    ['culvert run --isolation=r', ['rootless'], ['auto']],
    ['culvert run -p ', ['work', 'home', 'none', 'direct'], ['no-ads']],
    ['culvert open --profile=wo', ['work'], ['home']],
    ['culvert app bind ', ['org.example.Maps'], ['work']],
    ['culvert app bind org.example.Maps ', ['work', 'home'], ['org.example.Maps']],
    ['culvert rule disable ', ['no-ads'], ['work']],
    ['culvert rule disable no-ads no', ['no-ads'], ['work']],
    ['culvert profile import ', ['list.conf'], ['work']],
    ['culvert run -- hea', ['head'], ['--help']],
    ['culvert run -p work cat lis', ['list.conf'], ['--help']],
    ['culvert completion ', ['bash', 'zsh', 'fish'], ['run']],
    ['culvert traffic --by ', ['lane', 'app', 'profile'], ['bash']],
    ['culvert connections po', ['port:'], ['app:']],
    ['culvert connections -po', ['-port:'], ['--json']],
    ['culvert connections --', ['--json', '--follow'], ['port:']],
  ])('at “%s” what fits', (line, wanted, unwanted) => {
    const found = complete(line);
    // fish has whole words, and bash those that it does not cut at the “=”.
    const bare = name === 'fish' ? found.map((text) => text.replace(/^--?[a-z]+=/, '')) : found;
    // zsh tells what a candidate means behind it.
    const values = bare.flatMap((text) => [text, text.split(' -- ')[0]?.trim() ?? '']);
    expect(values).toEqual(expect.arrayContaining([...wanted]));
    for (const candidate of unwanted) expect(values).not.toContain(candidate);
  });
});

test('bash gets what it cuts off at colons without it', () => {
  expect(bash('culvert connections state:')).toEqual(['dialling', 'open', 'closed', 'refused']);
  expect(bash('culvert close -profile:wo')).toEqual(['work']);
});

describe('the verb behind it', () => {
  test('says what a candidate means', () => {
    expect(run('culvert', ['complete', 'profile', 'wo'])).toBe('work\tAt work\n');
    expect(run('culvert', ['complete', 'query', '--', '-proto:'])).toBe('-proto:tcp\t\n-proto:udp\t\n');
    expect(run('culvert', ['complete', 'lane'])).toBe('');
  });

  test('is silent where there is nothing, whatever is wrong', () => {
    writeFileSync(join(dir, 'broken'), '{');
    const broken = { XDG_CONFIG_HOME: join(dir, 'bin/culvert'), XDG_RUNTIME_DIR: '/dev/null' };
    for (const what of ['lane', 'rule', 'nonsense'])
      expect(run('culvert', ['complete', what], broken)).toBe('');
  });

  test('is quick', () => {
    const from = performance.now();
    run('culvert', ['complete', 'profile']);
    expect(performance.now() - from).toBeLessThan(1000);
  });
});

test('a shell that is none is refused', () => {
  const { status, stderr } = spawnSync('culvert', ['completion', 'tcsh'], { env, encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toMatch(/bash, zsh, fish/);
});
