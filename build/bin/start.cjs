/**
 * The first lines that Node reads: written so that a Node of any age can, to say that it is too old where the
 * program itself would be a syntax error.
 */
var version = process.versions.node.split('.');
if (version[0] > 20 || (version[0] == 20 && version[1] >= 19)) {
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
