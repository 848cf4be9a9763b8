import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { CulvertError } from '#shared/failure.ts';
import { execArgvs, quoteExec, takenBy, type ExecFacts } from '../../../electron/engine/apps/exec.ts';

const facts: ExecFacts = { name: 'My App', icon: 'my-icon', source: '/usr/share/applications/a.desktop' };
const argvs = (exec: string, targets: readonly string[] = []) => execArgvs(exec, { ...facts, targets });
const argv = (exec: string, targets: readonly string[] = []) => argvs(exec, targets)[0];

function reasonOf(exec: string, targets: readonly string[] = []): string {
  try {
    argvs(exec, targets);
  } catch (error) {
    expect((error as CulvertError).failure.code).toBe('entry-invalid');
    return (error as CulvertError).failure.detail ?? '';
  }
  throw new Error(`${exec} was accepted`);
}

describe('the command of a desktop entry', () => {
  it.each([
    ['firefox', ['firefox']],
    ['  a \t b  ', ['a', 'b']],
    ['"/opt/My App/run" x', ['/opt/My App/run', 'x']],
    ['a ""', ['a', '']],
    ['a --x="b c"d', ['a', '--x=b cd']],
    ['sh -c \'echo "$HOME"; true\'', ['sh', '-c', 'echo "$HOME"; true']],
    [
      'a $HOME `id` ; rm * > /x | y & # z',
      ['a', '$HOME', '`id`', ';', 'rm', '*', '>', '/x', '|', 'y', '&', '#', 'z'],
    ],
    // The escapes of strings go first, those of quotes after.
    [String.raw`a "\\\\ \\$x \\" \\` + '`"', ['a', '\\ $x " `']],
    [String.raw`a "b\sc"`, ['a', 'b c']],
    [String.raw`a\sb`, ['a', 'b']],
    [
      String.raw`env WINEPREFIX="/home/u/.wine" wine C:\\\\users\\\\Public\\\\App\\ One.lnk`,
      ['env', 'WINEPREFIX=/home/u/.wine', 'wine', String.raw`C:\users\Public\App One.lnk`],
    ],
  ])('%s is parted and unquoted without a shell', (exec, expected) => {
    expect(argv(exec)).toEqual(expected);
  });

  it.each([
    ['a %%', ['a', '%']],
    ['a 100%%u', ['a', '100%u']],
    ['a %i', ['a', '--icon', 'my-icon']],
    ['a %c %k', ['a', 'My App', '/usr/share/applications/a.desktop']],
    ['a --name=%c', ['a', '--name=My App']],
    ['a %d %D %n %N %v %m b', ['a', 'b']],
    ['a %f %u %F %U b', ['a', 'b']],
    ['a --url=%u', ['a', '--url=']],
  ])('%s has its field codes expanded after that, each within its argument', (exec, expected) => {
    expect(argv(exec)).toEqual(expected);
  });

  it('leaves the icon out where there is none', () => {
    expect(execArgvs('a %i b', { name: 'A' })).toEqual([['a', 'b']]);
  });

  it.each([
    ['a %U', [['a', '/x y', 'https://example.test/']]],
    [
      'a %u',
      [
        ['a', '/x y'],
        ['a', 'https://example.test/'],
      ],
    ],
    [
      'a --url=%u',
      [
        ['a', '--url=/x y'],
        ['a', '--url=https://example.test/'],
      ],
    ],
    [
      'a --url=%U',
      [
        ['a', '--url=/x y'],
        ['a', '--url=https://example.test/'],
      ],
    ],
  ])('%s gets the targets, in one process or one each', (exec, expected) => {
    expect(argvs(exec, ['/x y', 'https://example.test/'])).toEqual(expected);
  });

  it('gives programs that take files paths for file:// URLs', () => {
    const targets = ['file:///tmp/a%20b', 'file://localhost/c', '/d'];
    expect(argvs('a %F', targets)).toEqual([['a', '/tmp/a b', '/c', '/d']]);
    expect(argvs('a %f', targets)).toEqual([
      ['a', '/tmp/a b'],
      ['a', '/c'],
      ['a', '/d'],
    ]);
    expect(argvs('a %U', targets)).toEqual([['a', ...targets]]);
    expect(argvs('a', ['/d'])).toEqual([['a', '/d']]);
  });

  it.each(['https://example.test/', 'file://elsewhere/x', 'file:///%00', 'file:///a%2Fb'])(
    'refuses %s for a program that takes files of this computer',
    (target) => {
      expect(reasonOf('a %F', [target])).toMatch(/files of this computer/);
    },
  );

  it('never puts a target into a quoted argument that has more in it, where a shell might read it', () => {
    expect(argv('sh -c "app %u"')).toEqual(['sh', '-c', 'app ']);
    expect(reasonOf('sh -c "app %u"', ['https://example.test/;reboot'])).toMatch(/quoted/);
    expect(argv('app "%u"', ['https://example.test/;x'])).toEqual(['app', 'https://example.test/;x']);
  });

  const flatpak = '/usr/bin/flatpak run --command=x --file-forwarding org.example.App';
  const flatpakArgv = flatpak.split(' ');
  it.each([
    [`${flatpak} @@u %U @@`, [], [...flatpakArgv]],
    [`${flatpak} @@ %F @@`, [], [...flatpakArgv]],
    [`${flatpak} -- @@u %u @@ -x`, [], [...flatpakArgv, '--', '-x']],
    [`${flatpak} @@u %U @@`, ['/a', '/b'], [...flatpakArgv, '@@u', '/a', '/b', '@@']],
    [`${flatpak} @@ x @@`, [], [...flatpakArgv, '@@', 'x', '@@']],
  ])(
    '%s with %j drops the markers of Flatpak only where nothing is between them',
    (exec, targets, expected) => {
      expect(argv(exec, targets)).toEqual(expected);
    },
  );

  it.each([
    ['', /session bus/],
    ['  ', /session bus/],
    ['""', /no command/],
    ['%u', /no command/],
    ['a "b', /no end/],
    ["a 'b", /no end/],
    ['a %z', /%z is not/],
    ['a b%', /% is not/],
    ['a %20b', /%2 is not/],
  ])('%j is refused with the reason', (exec, reason) => {
    expect(reasonOf(exec)).toMatch(reason);
  });

  it('is refused where a single-file app would be started too often', () => {
    expect(
      argvs(
        'a %f',
        Array.from({ length: 64 }, (_, index) => `/${index}`),
      ),
    ).toHaveLength(64);
    expect(
      reasonOf(
        'a %f',
        Array.from({ length: 65 }, (_, index) => `/${index}`),
      ),
    ).toMatch(/65 times/);
  });

  it('is answered or refused, never anything else, whatever it is', () => {
    const letters = fc.constantFrom(...'ab %"\'\\`$;@fFuUick\t\n=-/'.split(''));
    fc.assert(
      fc.property(
        fc.string({ unit: letters, maxLength: 40 }),
        fc.array(fc.constantFrom('/x', 'h1:y')),
        (exec, targets) => {
          try {
            for (const found of argvs(exec, targets)) expect(found[0]).not.toBe('');
          } catch (error) {
            expect(error).toBeInstanceOf(CulvertError);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });
});

test.each([
  ['a %U', 'urls'],
  ['a --x=%u', 'urls'],
  ['a %F', 'files'],
  ['a %%u', 'none'],
  ['a', 'none'],
])('%s takes %s', (exec, taken) => {
  expect(takenBy(exec)).toBe(taken);
});

describe('arguments that are written as a command', () => {
  it('are quoted as the specification wants it', () => {
    expect(quoteExec(['/usr/bin/culvert', 'open', '--app=a b', '100%', '$x', 'a"b', 'c\\d', ''])).toBe(
      String.raw`/usr/bin/culvert open "--app=a b" 100%% "\\$x" "a\\"b" "c\\\\d" ""`,
    );
  });

  it('are read back, whatever they are', () => {
    const argument = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(argument), (args) => {
        expect(argv(quoteExec(['program', ...args]))).toEqual(['program', ...args]);
      }),
      { numRuns: 2000 },
    );
  });
});
