/** The page of the window: wires its parts together and nothing else. */
import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { i18n } from './i18n.ts';
import { makeRouter } from './router.ts';
import { startStores } from './stores/start.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';

async function main(): Promise<void> {
  const app = createApp(App);
  app.use(createPinia());
  app.use(i18n);
  // The first picture is in the right language and colours, and shows what runs.
  await startStores();
  app.use(makeRouter());
  app.mount('#app');
}

void main();
