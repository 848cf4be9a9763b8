import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chosenTheme } from '../../../electron/engine/apps/chosen-theme.ts';
import { IconThemes, maxIconBytes } from '../../../electron/engine/apps/icons.ts';
import { parseTheme, sizeDistance } from '../../../electron/engine/apps/icon-theme.ts';
import { Home } from './home.ts';

const png = Buffer.from('89504e470d0a1a0a0000', 'hex');
const svg = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>';

let home: Home;
beforeEach(() => {
  home = new Home();
});
afterEach(() => {
  home[Symbol.dispose]();
});

const picture = (path: string) =>
  home.write(path, path.endsWith('.svg') ? svg : path.endsWith('.xpm') ? '/* XPM */' : png);

/** A theme in the system's data directory with directories `path: keys`. */
function theme(name: string, directories: Record<string, string>, keys = ''): void {
  const groups = Object.entries(directories).map(([path, group]) => `[${path}]\n${group}\n`);
  const list = Object.keys(directories).join(',');
  home.write(
    `system/icons/${name}/index.theme`,
    `[Icon Theme]\nName=${name}\nDirectories=${list}\n${keys}\n${groups.join('')}`,
  );
}

async function find(icon: string, options = {}): Promise<string | undefined> {
  const file = await new IconThemes(home.env).find(icon, options);
  return file?.path.replace(`${home.dir}/`, '');
}

const sizes = {
  '16/apps': 'Size=16\nType=Fixed',
  '48/apps': 'Size=48\nType=Fixed',
  '48@2/apps': 'Size=48\nScale=2\nType=Fixed',
  'scalable/apps': 'Size=128\nMinSize=64\nMaxSize=512\nType=Scalable',
};

describe('an icon', () => {
  it('is the one of the wanted size and scale, else the nearest', async () => {
    theme('T', sizes);
    picture('system/icons/T/16/apps/a.png');
    picture('system/icons/T/48/apps/a.png');
    picture('system/icons/T/48@2/apps/a.png');
    picture('system/icons/T/scalable/apps/a.svg');
    expect(await find('a', { theme: 'T', size: 48 })).toBe('system/icons/T/48/apps/a.png');
    expect(await find('a', { theme: 'T', size: 48, scale: 2 })).toBe('system/icons/T/48@2/apps/a.png');
    expect(await find('a', { theme: 'T', size: 20 })).toBe('system/icons/T/16/apps/a.png');
    expect(await find('a', { theme: 'T', size: 300 })).toBe('system/icons/T/scalable/apps/a.svg');
    expect(await find('a', { theme: 'T', size: 60 })).toBe('system/icons/T/scalable/apps/a.svg');
  });

  it('is of the user’s theme before those that it inherits, of these in order, and of hicolor last', async () => {
    theme('T', sizes, 'Inherits=P,Q');
    theme('P', sizes, 'Inherits=T');
    theme('Q', sizes);
    theme('hicolor', sizes);
    for (const place of ['T/16', 'P/48', 'Q/48', 'hicolor/48']) picture(`system/icons/${place}/apps/a.png`);
    for (const place of ['P/48', 'Q/48', 'hicolor/48']) picture(`system/icons/${place}/apps/b.png`);
    for (const place of ['hicolor/48', 'Q/48']) picture(`system/icons/${place}/apps/c.png`);
    picture('system/icons/hicolor/48/apps/d.png');
    // The first theme that has the name counts, also where another has a better size.
    expect(await find('a', { theme: 'T' })).toBe('system/icons/T/16/apps/a.png');
    expect(await find('b', { theme: 'T' })).toBe('system/icons/P/48/apps/b.png');
    expect(await find('c', { theme: 'T' })).toBe('system/icons/Q/48/apps/c.png');
    expect(await find('d', { theme: 'T' })).toBe('system/icons/hicolor/48/apps/d.png');
    expect(await find('d', { theme: 'no-such' })).toBe('system/icons/hicolor/48/apps/d.png');
    expect(await find('e', { theme: 'T' })).toBeUndefined();
  });

  it('is the user’s own, where there is one in any of the places', async () => {
    theme('hicolor', sizes);
    picture('system/icons/hicolor/48/apps/a.png');
    picture('.icons/hicolor/48/apps/a.png');
    picture('data/icons/hicolor/48/apps/b.png');
    expect(await find('a')).toBe('.icons/hicolor/48/apps/a.png');
    expect(await find('b')).toBe('data/icons/hicolor/48/apps/b.png');
  });

  it('is SVG before PNG before XPM in one directory, and outside of themes in the pixmaps', async () => {
    for (const name of ['a.xpm', 'a.png', 'a.svg', 'b.xpm', 'b.png', 'c.xpm'])
      picture(`system/pixmaps/${name}`);
    expect(await find('a')).toBe('system/pixmaps/a.svg');
    expect(await find('b')).toBe('system/pixmaps/b.png');
    expect(await find('c.xpm')).toBe('system/pixmaps/c.xpm');
    expect((await new IconThemes(home.env).find('c'))?.mime).toBe('image/x-xpixmap');
  });

  it('may be a path, of a picture in a place for pictures, whatever it is called', async () => {
    const inside = picture('Apps/thing.png');
    expect(await new IconThemes(home.env).find(inside)).toEqual({ path: inside, mime: 'image/png' });
    const misnamed = home.write('Apps/misnamed.png', svg);
    expect((await new IconThemes(home.env).find(misnamed))?.mime).toBe('image/svg+xml');
  });

  it('is never what is no picture, no regular file, too large, or elsewhere', async () => {
    const secret = home.write('secret.png', 'root:x:0:0\n');
    execFileSync('mkfifo', [home.path('pipe.png')]);
    mkdirSync(home.path('folder.png'));
    const large = home.write('large.png', Buffer.concat([png, Buffer.alloc(maxIconBytes)]));
    mkdirSync(home.path('system/pixmaps'));
    symlinkSync('/etc/passwd', home.path('system/pixmaps/passwd.png'));
    symlinkSync('/dev/zero', home.path('system/pixmaps/zero.png'));
    const paths = [
      secret,
      home.path('pipe.png'),
      home.path('folder.png'),
      large,
      '/etc/passwd',
      '/proc/self/environ',
    ];
    for (const icon of [...paths, 'passwd', 'zero', '../secret', '', '..', '/']) {
      expect(await find(icon), icon).toBeUndefined();
    }
  });
});

describe('the theme that the user has chosen', () => {
  const chosen = (desktop: string) => chosenTheme({ ...home.env, XDG_CURRENT_DESKTOP: desktop });

  it('is the one in the files of the desktop', async () => {
    expect(await Promise.all(['KDE', 'XFCE', 'ubuntu:GNOME', ''].map(chosen))).toEqual([
      ...['breeze', 'Adwaita', 'Adwaita', 'Adwaita'],
    ]);
    home.write('config/kdeglobals', '[Icons]\nTheme=Papirus\n');
    home.write('config/gtk-3.0/settings.ini', '[Settings]\ngtk-icon-theme-name="Numix"\n');
    home.write(
      'config/xfce4/xfconf/xfce-perchannel-xml/xsettings.xml',
      '<channel><property name="IconThemeName" type="string" value="elementary"/></channel>',
    );
    expect(await Promise.all(['KDE', 'XFCE', 'ubuntu:GNOME'].map(chosen))).toEqual([
      'Papirus',
      'elementary',
      'Numix',
    ]);
    home.write('config/kdeglobals', '[Icons]\nTheme=../../etc\n');
    expect(await chosen('KDE')).toBe('breeze');
  });
});

describe('the index of a theme', () => {
  it('has its directories with the sizes that they are good for', () => {
    const index = parseTheme(
      '[Icon Theme]\nDirectories=a,b,c,../up,/etc,none\nScaledDirectories=d,a\nInherits=X, Y\n' +
        '[a]\nSize=48\n[b]\nSize=48\nType=Fixed\n[c]\nSize=64\nType=Scalable\nMinSize=8\nMaxSize=512\n' +
        '[d]\nSize=24\nScale=2\nThreshold=4\n[../up]\nSize=1\n[/etc]\nSize=1\n[none]\nSize=x\n',
    );
    expect(index).toEqual({
      inherits: ['X', 'Y'],
      directories: [
        { path: 'a', size: 48, scale: 1, min: 46, max: 50 },
        { path: 'b', size: 48, scale: 1, min: 48, max: 48 },
        { path: 'c', size: 64, scale: 1, min: 8, max: 512 },
        { path: 'd', size: 24, scale: 2, min: 20, max: 28 },
      ],
    });
  });

  it('tells how far a directory is from what is wanted', () => {
    const directory = { path: 'a', size: 48, scale: 1, min: 46, max: 50 };
    const distance = (size: number, scale = 1) => sizeDistance(directory, { size, scale });
    expect([distance(48), distance(46), distance(40), distance(64), distance(24, 2)]).toEqual([
      0, 0, 6, 14, 0.5,
    ]);
  });

  it('is read whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (noise) => {
        for (const { min, max } of parseTheme(`[Icon Theme]\nDirectories=${noise}\n${noise}`).directories) {
          expect(Number.isFinite(min + max)).toBe(true);
        }
      }),
    );
  });
});
