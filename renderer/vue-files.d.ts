/** For tools that read TypeScript only: what a .vue file exports. vue-tsc reads the file itself. */
declare module '*.vue' {
  import type { DefineComponent } from 'vue';

  const component: DefineComponent;
  export default component;
}
declare module '*.css';
