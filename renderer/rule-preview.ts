/** What a rule that is being written would do to what is open now: asked of the engine while the editor is shown. */
import { computed, ref, shallowRef, watch } from 'vue';
import type { WindowValue } from '#shared/contract.ts';
import type { Failure } from '#shared/failure.ts';
import type { FlowView } from '#shared/model.ts';
import type { RuleDraft } from '#shared/rule-protocol.ts';
import { call } from './bridge.ts';
import { subjectsOf, type Subjects } from './rule-subjects.ts';
import { useFlows } from './stores/flows.ts';
import { useOverview } from './stores/overview.ts';
import { useWhileSeen } from './while-seen.ts';

/** Nobody types faster than that for long, in milliseconds. */
const typingMs = 150;
/** Connections come and go. */
const againMs = 2000;

export interface PreviewedFlow {
  readonly flow: FlowView;
  readonly isDecided: boolean;
}

/** Asks at once, when what is asked about changes, and every two seconds while the window is seen. */
export function useRulePreview(asked: () => { readonly rule: RuleDraft; readonly at?: number }) {
  const flows = useFlows();
  const overview = useOverview();
  const subjects = shallowRef<Subjects>(subjectsOf([], []));
  const answer = shallowRef<WindowValue<'rule.preview'>>();
  const failure = shallowRef<Failure>();
  const isOld = ref(true);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let turn = 0;

  /** Of several questions only the last one's answer counts. */
  async function ask(): Promise<void> {
    clearTimeout(timer);
    turn += 1;
    const mine = turn;
    const now = subjectsOf(
      Array.from(flows.rows(), ({ flow }) => flow),
      overview.lanes,
    );
    const got = await call('rule.preview', { ...asked(), subjects: [...now.subjects] });
    if (mine !== turn) return;
    subjects.value = now;
    if (got.ok) answer.value = got.value;
    failure.value = got.ok ? undefined : got.failure;
    isOld.value = false;
    timer = setTimeout(() => void ask(), againMs);
  }

  const problems = computed(() => answer.value?.problems ?? []);
  const warnings = computed(() => answer.value?.warnings ?? []);
  const matching = computed<readonly PreviewedFlow[]>(() => {
    const decided = new Set(answer.value?.decides);
    return (answer.value?.matches ?? []).flatMap((place) =>
      (subjects.value.flows[place] ?? []).map((flow) => ({ flow, isDecided: decided.has(place) })),
    );
  });
  const decidedCount = computed(() => matching.value.filter(({ isDecided }) => isDecided).length);

  watch(
    asked,
    () => {
      isOld.value = true;
      clearTimeout(timer);
      timer = setTimeout(() => void ask(), typingMs);
    },
    { deep: true },
  );
  useWhileSeen(
    () => void flows.watch().then(ask),
    () => {
      turn += 1;
      clearTimeout(timer);
      void flows.unwatch();
    },
  );

  return { subjects, failure, isOld, problems, warnings, matching, decidedCount, ask };
}
