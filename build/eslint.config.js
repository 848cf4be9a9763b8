/**
 * What the linter holds the code to: typescript-eslint's strict, type-checked set, the sizes of STYLE, and the
 * doors that a rule about whole modules cannot see (.dependency-cruiser.cjs has the others).
 */
import eslint from '@eslint/js';
import vue from 'eslint-plugin-vue';
import tseslint from 'typescript-eslint';

const typescript = ['**/*.ts', '**/*.vue'];

/** One import of one module, with the door to take instead. */
const doors = {
  ipcMain: { name: 'electron', importNames: ['ipcMain'], message: 'The door is electron/main/ipc.ts.' },
  window: {
    name: 'electron',
    importNames: ['BrowserWindow', 'BaseWindow', 'WebContentsView'],
    message: 'The door is electron/main/window.ts.',
  },
  preload: {
    name: 'electron',
    importNames: ['ipcRenderer', 'contextBridge'],
    message: 'The door is electron/preload/preload.ts.',
  },
  engine: { regex: '^#engine$', message: 'Only electron/cli hosts an engine.' },
  socket: {
    name: 'node:net',
    allowImportNames: ['Socket'],
    message: 'The helper reads a pipe with Socket and has no other use for the network.',
  },
};

/**
 * @param {...(keyof typeof doors)} closed
 * @returns {import('eslint').Linter.RulesRecord}
 */
function closeDoors(...closed) {
  const rules = closed.map((name) => doors[name]);
  return {
    'no-restricted-imports': [
      'error',
      {
        paths: rules.filter((rule) => 'name' in rule),
        patterns: rules.filter((rule) => 'regex' in rule),
      },
    ],
  };
}

const noDefaultExport = {
  selector: 'ExportDefaultDeclaration',
  message: 'Named exports only: a thing has one name everywhere.',
};
const bridge = {
  selector: "MemberExpression[object.name='window'][property.name='culvert']",
  message: 'The door is renderer/bridge.ts.',
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: typescript,
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, extraFileExtensions: ['.vue'] } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      // Doing nothing is now and then what is meant, and says so by its name.
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidOperator: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      // It asks for the ! that the strict set forbids.
      '@typescript-eslint/non-nullable-type-assertion-style': 'off',
      '@typescript-eslint/consistent-type-definitions': 'off',
      // noPropertyAccessFromIndexSignature wants the brackets that this rule would take away.
      '@typescript-eslint/dot-notation': 'off',
      'no-restricted-syntax': ['error', noDefaultExport],
    },
  },
  {
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'prefer-const': 'error',
      'max-lines': ['error', { max: 350 }],
      'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['electron/**/*.ts'], rules: closeDoors('ipcMain', 'window', 'preload', 'engine') },
  { files: ['electron/cli/**/*.ts'], rules: { 'no-console': 'off', ...closeDoors() } },
  { files: ['electron/helper/**/*.ts'], rules: closeDoors('engine', 'socket') },
  { files: ['electron/main/ipc.ts'], rules: closeDoors('window', 'preload', 'engine') },
  { files: ['electron/main/window.ts'], rules: closeDoors('ipcMain', 'preload', 'engine') },
  { files: ['electron/preload/preload.ts'], rules: closeDoors('ipcMain', 'window', 'engine') },
  {
    files: ['renderer/**/*.ts', 'renderer/**/*.vue'],
    rules: { ...closeDoors('engine'), 'no-restricted-syntax': ['error', noDefaultExport, bridge] },
  },
  { files: ['renderer/bridge.ts'], rules: { 'no-restricted-syntax': ['error', noDefaultExport] } },
  {
    files: ['**/*.vue'],
    extends: [vue.configs['flat/recommended']],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      'vue/multi-word-component-names': ['error', { ignores: ['App'] }],
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      // A string from outside is never markup, and the page's policy would refuse it.
      'vue/no-v-html': 'error',
      // How it is laid out is Prettier's business.
      'vue/first-attribute-linebreak': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/html-indent': 'off',
      'vue/html-self-closing': 'off',
      'vue/max-attributes-per-line': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'no-undef': 'off',
    },
  },
  // For tools that do not read .vue files: what those export, which is by default.
  { files: ['renderer/vue-files.d.ts'], rules: { 'no-restricted-syntax': 'off' } },
  {
    // A suite is one long function, and a tool of the tests speaks to whoever runs it.
    files: ['test/**/*.ts'],
    rules: { 'max-lines-per-function': 'off', 'no-console': 'off' },
  },
  {
    // Tools insist on the default export of their configuration.
    files: ['build/*.config.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: { process: 'readonly', Buffer: 'readonly', console: 'readonly', URL: 'readonly' },
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { require: 'readonly', module: 'writable' } },
  },
  // Read by a Node of any age.
  { files: ['build/bin/start.cjs'], rules: { eqeqeq: 'off' } },
);
