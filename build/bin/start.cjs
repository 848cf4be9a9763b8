/**
 * The first lines that Node reads: written so that a Node of any age can, to say that it is too old where the
 * program itself would be a syntax error. What V8 compiled when the product was built is taken where it is for this
 * Node and this program (build/keep-code.js); else what it compiles now is kept for the next start, where Node can
 * (22.8): in the user's own cache, and never as root, who may have another's.
 */
var version = process.versions.node.split('.');
if (version[0] > 20 || (version[0] == 20 && version[1] >= 19)) {
  if (!runCompiled(require.resolve('./cli.cjs'), require('node:path'))) {
    keepCompiled(require('node:module'), require('node:path'), process.env);
    require('./cli.cjs');
  }
} else {
  process.stderr.write(
    'culvert: Node.js is too old — ' +
      process.execPath +
      ' is version ' +
      process.versions.node +
      ' — install Node.js 20.19 or newer, or set CULVERT_NODE to its path\n',
  );
  process.exitCode = 125;
}

function runCompiled(file, path) {
  var fs = require('node:fs');
  var vm = require('node:vm');
  var modules = require('node:module');
  var kept = file.replace(/cjs$/, 'code');
  if (!fs.existsSync(kept)) return false;
  kept = fs.readFileSync(kept);
  // It is ASCII (build/build.js), and read so in a third of the time.
  var text = fs.readFileSync(file, 'latin1');
  // V8 looks at the length of a program only; its last line is a hash of what stands before.
  var mark = process.version + ' ' + process.arch + text.slice(text.lastIndexOf('\n', text.length - 2));
  if (kept.toString('latin1', 0, mark.length) !== mark) return false;
  var script = new vm.Script(modules.wrap(text), { filename: file, cachedData: kept.subarray(mark.length) });
  if (script.cachedDataRejected) return false;
  var module = { exports: {} };
  script
    .runInThisContext()
    .call(module.exports, module.exports, modules.createRequire(file), module, file, path.dirname(file));
  return true;
}

function keepCompiled(modules, path, env) {
  var cache = env.XDG_CACHE_HOME;
  if (modules.enableCompileCache === undefined || process.geteuid() === 0) return;
  if (cache === undefined || !path.isAbsolute(cache)) cache = env.HOME && path.join(env.HOME, '.cache');
  if (cache && path.isAbsolute(cache)) modules.enableCompileCache(path.join(cache, 'culvert', 'code'));
}
