/**
 * How Vite makes the window's page: one script, one style sheet, messages compiled (the page's policy forbids
 * making code of strings while it runs).
 */
import { join } from 'node:path';
import vueI18n from '@intlify/unplugin-vue-i18n/vite';
import vue from '@vitejs/plugin-vue';

/**
 * The plugins that the page needs, for its tests as well.
 * @param {string} root
 */
export function rendererPlugins(root) {
  return [
    vue(),
    vueI18n({
      include: [join(root, 'renderer/locales/*/*.json')],
      runtimeOnly: true,
      compositionOnly: true,
      fullInstall: false,
      dropMessageCompiler: true,
      strictMessage: true,
    }),
  ];
}

/**
 * @param {string} root
 * @param {string} outDir
 * @returns {import('vite').InlineConfig}
 */
export function rendererConfig(root, outDir) {
  return {
    configFile: false,
    root: join(root, 'renderer'),
    base: './',
    logLevel: 'warn',
    plugins: rendererPlugins(root),
    define: {
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'chrome140',
      modulePreload: false,
      cssCodeSplit: false,
      // Nothing of the page is worth an address of data:.
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      chunkSizeWarningLimit: 2000,
    },
  };
}
