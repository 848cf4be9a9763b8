/** The sign of what a line of a test or of a check came to; its word stands beside it. */
import { CircleAlert, CircleCheck, CircleHelp, CircleMinus, CircleX } from '@lucide/vue';
import type { Component } from 'vue';
import type { CheckLine } from '#shared/model.ts';

export const outcomeIcons: Readonly<Record<CheckLine['outcome'], Component>> = {
  ok: CircleCheck,
  failed: CircleX,
  refused: CircleMinus,
  leak: CircleAlert,
  unknown: CircleHelp,
};
