/** The screens, in the order of the sidebar, which is the order of Ctrl+1, Ctrl+2 and so on. */
import { Activity, ChartArea, LayoutGrid, ListChecks, Network, Server, Settings } from '@lucide/vue';
import type { Component } from 'vue';
import { createRouter, createWebHashHistory, type Router } from 'vue-router';
import AppsView from './views/AppsView.vue';
import ConnectionsView from './views/ConnectionsView.vue';
import FirstRunView from './views/FirstRunView.vue';
import ProfilesView from './views/ProfilesView.vue';
import RulesView from './views/RulesView.vue';
import RunningView from './views/RunningView.vue';
import SettingsView from './views/SettingsView.vue';
import TrafficView from './views/TrafficView.vue';

export const screenNames = [
  'apps',
  'running',
  'connections',
  'traffic',
  'profiles',
  'rules',
  'settings',
] as const;
export type ScreenName = (typeof screenNames)[number];

export interface Screen {
  readonly name: ScreenName;
  readonly icon: Component;
  readonly view: Component;
  /** The sidebar has a line above it. */
  readonly isFirstOfGroup?: boolean;
}

export const screens: readonly Screen[] = [
  { name: 'apps', icon: LayoutGrid, view: AppsView },
  { name: 'running', icon: Activity, view: RunningView },
  { name: 'connections', icon: Network, view: ConnectionsView },
  { name: 'traffic', icon: ChartArea, view: TrafficView },
  { name: 'profiles', icon: Server, view: ProfilesView, isFirstOfGroup: true },
  { name: 'rules', icon: ListChecks, view: RulesView },
  { name: 'settings', icon: Settings, view: SettingsView, isFirstOfGroup: true },
];

/** A router over the screens; the first is where an address leads that is none. */
export function makeRouter(): Router {
  return createRouter({
    history: createWebHashHistory(),
    routes: [
      ...screens.map(({ name, view }) => ({ path: `/${name}`, name, component: view })),
      { path: '/first-run', name: 'first-run', component: FirstRunView },
      { path: '/:rest(.*)*', redirect: '/apps' },
    ],
  });
}
