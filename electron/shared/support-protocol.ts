/**
 * What an engine answers about the computer and Culvert itself: doctor, log, diagnostics, isolation, where passwords
 * are kept. Part of the calls in engine-protocol.ts.
 */
import * as v from 'valibot';
import { modes } from './helper-protocol.ts';
import { failureView, phraseView } from './phrase-view.ts';

const none = v.strictObject({});

/** One line of `culvert doctor`. */
export const doctorLine = v.object({
  id: v.string(),
  outcome: v.picklist(['ok', 'warning', 'failed']),
  /** What was looked at, what was found, and what to do about it. */
  what: v.string(),
  found: v.string(),
  foundPhrase: phraseView,
  todo: v.optional(v.string()),
  todoPhrase: phraseView,
});
export type DoctorLine = v.InferOutput<typeof doctorLine>;

/** How lanes are made on this computer, as far as it is known. */
export const isolationView = v.object({
  /** The way that is taken, or would be; missing where none works. */
  mode: v.optional(v.picklist(modes)),
  /** It has been proven by making a network, not only looked up. */
  isProven: v.boolean(),
  failure: v.optional(failureView),
  /** What somebody could type to allow it for good, where that is known. */
  command: v.optional(v.string()),
});
export type IsolationView = v.InferOutput<typeof isolationView>;

const autostart = v.object({ isOn: v.boolean() });

export const supportCalls = {
  doctor: { params: none, value: v.array(doctorLine) },
  /** The newest lines of Culvert's own log, oldest first. */
  'log.read': {
    params: v.strictObject({ lines: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5000)) }),
    value: v.object({ path: v.string(), text: v.string() }),
  },
  /** A text for a report: versions, doctor, configuration and log, with hosts, users and names taken out unless kept. */
  'diagnostics.make': {
    params: v.strictObject({ keepNames: v.boolean() }),
    value: v.object({ text: v.string(), redacted: v.number() }),
  },
  /** Looks without asking for a password. */
  'isolation.look': { params: none, value: isolationView },
  /** Starts the helper, which may ask for a password. Throws why it is not allowed. */
  'isolation.allow': { params: none, value: isolationView },
  /** Whether Culvert starts with the user's session, without its window to be seen. */
  'autostart.read': { params: none, value: autostart },
  /** Makes or removes the entry for that. */
  'autostart.set': { params: v.strictObject({ isOn: v.boolean() }), value: autostart },
  /** Where new passwords are kept. */
  'secrets.place': {
    params: none,
    value: v.object({
      place: v.picklist(['keyring', 'file', 'memory']),
      notice: v.optional(v.string()),
      noticePhrase: phraseView,
    }),
  },
} as const;

export const supportEvents = {} as const;
