/**
 * The law between the rooms, as the tree is to be read: every room may import shared, no room imports another,
 * shared imports nobody, and each dangerous thing has one door. test/build/rooms.test.ts feeds forbidden samples
 * to this file and expects refusal of each by the name of its rule.
 */

const rooms = '^(electron/(?:engine|helper|main|preload|shared)|renderer)/';
const product = '^(electron|renderer)/';
/** The parts of shared that run in Node only. */
const nodeInShared = '^electron/shared/(paths\\.ts$|control/)';
const entries =
  '^electron/(cli|helper|main)/index\\.ts$|^electron/engine/(host|secrets/keyring-program)\\.ts$|' +
  '^electron/preload/preload\\.ts$|^renderer/main\\.ts$';

/** What a module that comes from npm is called once it is resolved. */
const npm = (...names) => `(^|/)node_modules/(${names.join('|')})/`;
const builtin = (...names) => `^(node:)?(${names.join('|')})(/|$)`;

/** A module that only the named files may import. */
function door(name, comment, to, files) {
  return {
    name: `one-door-${name}`,
    comment,
    severity: 'error',
    from: { path: product, pathNot: files },
    to: { path: to },
  };
}

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-room-imports-another',
      comment: 'A room imports its own files and electron/shared; what two rooms need belongs into shared.',
      severity: 'error',
      from: { path: rooms },
      to: { path: '^(electron|renderer|test|build)/', pathNot: '^($1|electron/shared)/' },
    },
    {
      name: 'cli-hosts-engine-by-its-index',
      comment:
        'The command line may host an engine, through its index.ts, those of import/ and profiles/, and helper-ahead.ts.',
      severity: 'error',
      from: { path: '^electron/cli/' },
      to: {
        path: '^(electron|renderer|test|build)/',
        pathNot: '^electron/(cli|shared)/|^electron/engine/(((import|profiles)/)?index|helper-ahead)\\.ts$',
      },
    },
    {
      name: 'build-imports-no-room',
      comment: 'What makes the product does not run it.',
      severity: 'error',
      from: { path: '^build/' },
      to: { path: '^(electron|renderer|test)/' },
    },
    {
      name: 'shared-imports-nobody',
      comment: 'electron/shared is read by every room, so it may need nothing but the schema library.',
      severity: 'error',
      from: { path: '^electron/shared/' },
      to: { path: npm('.+'), pathNot: npm('valibot', '@types') },
    },
    {
      name: 'shared-runs-anywhere',
      comment:
        'The renderer has no Node: only shared/paths.ts and shared/control/ may use it, and the renderer must not ' +
        'load those.',
      severity: 'error',
      from: { path: '^electron/shared/', pathNot: nodeInShared },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'renderer-has-no-node',
      comment: 'The window runs sandboxed: it asks through renderer/bridge.ts.',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'renderer-reaches-no-node',
      comment: 'The window runs sandboxed: not even by way of shared may it load Node.',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { path: nodeInShared, reachable: true },
    },
    {
      name: 'helper-is-small',
      comment: 'What runs as root is made of Node, koffi, the schema library and shared, nothing else.',
      severity: 'error',
      from: { path: '^electron/helper/' },
      to: { path: npm('.+'), pathNot: npm('koffi', '@koromix', 'valibot', '@types') },
    },
    {
      name: 'helper-has-no-network',
      comment:
        'The helper never sees a proxy: its one connection is the link that native code opens (node:net is there to ' +
        'read a pipe: the linter lets nothing but Socket through).',
      severity: 'error',
      from: { path: '^electron/helper/' },
      to: { path: builtin('dgram', 'dns', 'http', 'https', 'http2', 'tls', 'inspector', 'cluster') },
    },
    door(
      'koffi',
      'Native code is called in native.ts of the engine and of the helper.',
      npm('koffi', '@koromix'),
      ['^electron/(engine|helper)/native\\.ts$'],
    ),
    door(
      'child-process',
      'Other programs are started in helper/run.ts, engine/elevate.ts, for the keyring, by the doctor, by the window (its own engine) and by the command line.',
      builtin('child_process', 'cluster'),
      [
        '^electron/helper/run\\.ts$',
        '^electron/engine/(elevate|secrets/keyring|doctor/trials)\\.ts$',
        '^electron/main/own-engine\\.ts$',
        '^electron/cli/',
      ],
    ),
    door(
      'keyring',
      'A call into the keyring cannot be called off: it is made in a process of its own.',
      npm('@napi-rs'),
      ['^electron/engine/secrets/keyring-program\\.ts$'],
    ),
    door(
      'sudo-prompt',
      'Root is asked for in engine/elevate.ts.',
      npm('sudo-prompt', '@vscode/sudo-prompt'),
      ['^electron/engine/elevate\\.ts$'],
    ),
    door('electron', 'Electron is the business of main and preload.', npm('electron'), [
      '^electron/(main|preload)/',
    ]),
    {
      name: 'not-to-dev-dependency',
      comment: 'What the product runs with is a dependency; Electron is there when the product runs.',
      severity: 'error',
      from: { path: product },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: npm('electron', '@types') },
    },
    {
      name: 'not-to-unresolvable',
      comment: 'The import names nothing: a misspelt path, or a package that package.json does not have.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-cycles',
      comment: 'Two modules that need each other are one module, or hide a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      comment: 'No program of the product reaches this module, so nothing needs it.',
      severity: 'error',
      from: { path: entries },
      to: { path: product, pathNot: `${entries}|\\.d\\.ts$`, reachable: false },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // build/bin is copied to dist/, where its import is.
    exclude: { path: '^(dist|build/bin)/' },
    tsPreCompilationDeps: true,
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.vue', '.js', '.cjs', '.d.ts'],
    },
    progress: { type: 'none' },
  },
};
