/**
 * The first lines that Node reads: written so that a Node of any age can, to say that it is too old where the
 * program itself would be a syntax error. Keeps what V8 has compiled for the next start, where Node can (22.8):
 * in the user's own cache, and never as root, who may have another's.
 */
var version = process.versions.node.split('.');
if (version[0] > 20 || (version[0] == 20 && version[1] >= 19)) {
  keepCompiled(require('node:module'), require('node:path'), process.env);
  require('./cli.cjs');
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

function keepCompiled(modules, path, env) {
  var cache = env.XDG_CACHE_HOME;
  if (modules.enableCompileCache === undefined || process.geteuid() === 0) return;
  if (cache === undefined || !path.isAbsolute(cache)) cache = env.HOME && path.join(env.HOME, '.cache');
  if (cache && path.isAbsolute(cache)) modules.enableCompileCache(path.join(cache, 'culvert', 'code'));
}
