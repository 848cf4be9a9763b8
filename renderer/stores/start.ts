/** Connects the stores to main: what there is now, then whatever is told. */
import { call, listen } from '../bridge.ts';
import { useApps } from './apps.ts';
import { useFlows } from './flows.ts';
import { useLaneActions } from './lane-actions.ts';
import { useNotices } from './notices.ts';
import { useOverview } from './overview.ts';
import { usePreferences } from './preferences.ts';
import { useTaking } from './taking.ts';
import { useProfileTests } from './profile-tests.ts';
import { useTraffic } from './traffic.ts';

/** Asks for the first picture and listens from before the question, so that nothing falls between. */
export async function startStores(): Promise<void> {
  const overview = useOverview();
  const traffic = useTraffic();
  const flows = useFlows();
  const actions = useLaneActions();
  const apps = useApps();
  listen('overview', (value) => {
    overview.mirror(value);
    const lanes = value.lanes.map(({ id }) => id);
    for (const store of [traffic, flows]) store.keepOnly(lanes);
    actions.follow(value.lanes);
  });
  listen('preferences', (value) => {
    usePreferences().mirror(value);
  });
  listen('traffic', (value) => {
    traffic.add(value);
  });
  listen('pastTraffic', (value) => {
    traffic.addAll(value);
  });
  listen('config', (value) => {
    apps.mirrorConfig(value);
  });
  listen('testLine', (value) => {
    useProfileTests().take(value);
  });
  listen('notice', ({ failure: { code, detail, phrase } }) => {
    useNotices().fail({
      code,
      ...(detail === undefined ? {} : { detail }),
      ...(phrase === undefined ? {} : { phrase }),
    });
  });
  listen('openApp', ({ app, profile }) => {
    void useTaking().openApp(app, profile);
  });
  const answer = await call('window.start', {});
  if (!answer.ok) {
    overview.fail(answer.failure);
    return;
  }
  const { version, preferences, systemLanguages } = answer.value;
  usePreferences().start(preferences, systemLanguages);
  overview.start(answer.value.overview, version);
}
