/**
 * `node build/keep-code.js PROGRAM.cjs PROGRAM.code [ARGUMENT...]`: runs a bundled program once, with the arguments,
 * and keeps what V8 has compiled of it, for bin/start.cjs: ten times a second, since `culvert run` ends as its command
 * did and no line of JavaScript comes after that. A start of the command line takes a quarter less time with it.
 *
 * The file begins with the version of Node, the machine and the program's last line, which is a hash of it: V8 itself
 * looks at the length of a program only (script.createCachedData).
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { setInterval } from 'node:timers';
import { Script } from 'node:vm';

const [node = '', , program = '', kept = '', ...args] = process.argv;
// ASCII only (build.js), as start.cjs reads it.
const text = readFileSync(program, 'latin1');
const script = new Script(Module.wrap(text), { filename: program });
const mark = `${process.version} ${process.arch}${text.slice(text.lastIndexOf('\n', text.length - 2))}`;

process.once('exit', () => {
  keep();
  process.exitCode = 0;
});
setInterval(keep, 100).unref();

const module = { exports: {} };
process.argv = [node, program, ...args];
script
  .runInThisContext()
  .call(module.exports, module.exports, createRequire(program), module, program, dirname(program));

function keep() {
  const beside = `${kept}.${process.pid}`;
  writeFileSync(beside, Buffer.concat([Buffer.from(mark, 'latin1'), script.createCachedData()]));
  renameSync(beside, kept);
}
