/**
 * What it takes to list the apps of a computer that has 400 of them, each with its icon. Cold is a new engine and files
 * that are not in the computer's memory; warm is the same engine asked again.
 */
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { repository } from '../../world/artefact.ts';
import { Product } from '../../world/product.ts';
import { until } from '../../world/until.ts';
import { World } from '../../world/world.ts';
import { put } from '../../system/app-stage.ts';
import { atMost, median, type Single } from './goals.ts';

const count = 400;
const user = 'culvert-a';
const theme = '.local/share/icons/hicolor';

interface Round {
  readonly apps: number;
  readonly icons: number;
  readonly listMs: number;
  readonly allMs: number;
}
interface Measured {
  readonly cold: Round;
  readonly warm: Round;
}

/** Medians of `runs`, each with an engine of its own. */
export async function listingApps(runs: number): Promise<Single[]> {
  await using world = await World.create();
  const product = Product.install(world);
  installApps(world);
  const found: Measured[] = [];
  for (let run = 0; run < runs; run += 1) {
    await forgetFiles(world);
    found.push(await measureOnce(world, product));
  }
  const of = (which: keyof Measured, what: 'listMs' | 'allMs'): number =>
    median(found.map((measured) => measured[which][what]));
  return [
    atMost(`${count} apps listed, cold`, of('cold', 'listMs'), 'ms', 600),
    atMost(`${count} apps listed with all icons, cold`, of('cold', 'allMs'), 'ms', 600),
    atMost(`${count} apps listed, warm`, of('warm', 'listMs'), 'ms', 150),
    atMost(`${count} apps listed with all icons, warm`, of('warm', 'allMs'), 'ms', 150),
  ];
}

async function measureOnce(world: World, product: Product): Promise<Measured> {
  await using engine = product.spawn(['sleep', '1000'], { proxy: 'socks5://127.0.0.1:1' });
  const socket = `/run/user/${world.users[user].uid}/culvert/engine-${engine.pid}.sock`;
  await until('the engine to be there', async () => {
    const { code } = await world.run(['test', '-S', socket], { user });
    return code === 0;
  });
  const probe = world.share(join(repository, 'test/bench/measure/apps-probe.cjs'));
  const measured = JSON.parse(await world.must([process.execPath, probe, socket], { user })) as Measured;
  const { apps, icons } = measured.cold;
  if (apps < count || icons < count) throw new Error(`${apps} apps and ${icons} icons were found`);
  return measured;
}

/** Entries as they are in use: with names in many languages, and icons in a theme, of which every fourth is a drawing. */
function installApps(world: World): void {
  put(
    world,
    `${theme}/index.theme`,
    `[Icon Theme]\nName=Hicolor\nDirectories=48x48/apps,scalable/apps\n[48x48/apps]\nSize=48\nType=Fixed\n[scalable/apps]\nSize=128\nMinSize=8\nMaxSize=512\nType=Scalable\n`,
  );
  const languages = Array.from(
    { length: 40 },
    (_, index) => `l${String.fromCharCode(97 + (index % 26))}_X${index}`,
  );
  for (let number = 0; number < count; number += 1) {
    const name = `bench-app-${number}`;
    const names = languages.map(
      (language) => `Name[${language}]=App ${number}\nComment[${language}]=Does ${number}\n`,
    );
    put(
      world,
      `.local/share/applications/${name}.desktop`,
      `[Desktop Entry]\nType=Application\nName=App ${number}\n${names.join('')}Exec=true %U\nTryExec=true\nIcon=${name}\nCategories=Utility;\n`,
    );
    if (number % 4 === 0) put(world, `${theme}/scalable/apps/${name}.svg`, drawing(number));
    else put(world, `${theme}/48x48/apps/${name}.png`, picture(number));
  }
}

function drawing(number: number): string {
  const dots = Array.from({ length: 40 }, (_, index) => {
    const [x, y] = [(index * 7 + number) % 48, (index * 13) % 48];
    return `<circle cx="${x}" cy="${y}" r="3" fill="#${(number * 997 + index).toString(16).padStart(6, '0').slice(-6)}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">${dots.join('')}</svg>`;
}

/** A PNG (ISO/IEC 15948) of 48 × 48 pixels. */
function picture(number: number): Buffer {
  const [side, channels] = [48, 4];
  const rows = Buffer.alloc(side * (1 + side * channels));
  for (let at = 0; at < rows.length; at += 1)
    rows[at] = at % (1 + side * channels) === 0 ? 0 : (at * at + number * 31) % 251;
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
}

/** Lets the kernel forget the content of the entries and icons (posix_fadvise(2), POSIX_FADV_DONTNEED). */
async function forgetFiles(world: World): Promise<void> {
  const script = `
import os, sys
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        file = os.open(os.path.join(folder, name), os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)
`;
  await world.must(['python3', '-c', script, join(world.users[user].home, '.local/share')], {
    timeoutMs: 120_000,
  });
}
