/** A state as it is shown: a sign, a word and a colour, never colour alone. Pure. */
import type { VM } from "../../lib/contract/mod.ts";
import { t } from "../../lib/i18n/mod.ts";
import { needsAttention, STATES } from "../../lib/vm/state.ts";
import { NO_RESPONSE } from "../verb/cells.ts";
import { wordHere } from "../verb/words.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../lib/duration.ts";
import { formatAgo, formatSpan } from "../../lib/text/time.ts";
import { widest } from "./columns.ts";
import type { Glyphs } from "./glyphs.ts";
import type { Style } from "./line.ts";

const SIGNS = { ok: "on", warn: "half", info: "half", bad: "bad", off: "off" } as const;

/** The state of a VM; what is being done to it, while something is. */
export function stateCell(vm: VM, glyphs: Glyphs): { readonly text: string; readonly style: Style } {
  if (!vm.responsive) return { text: `${glyphs.bad} ${wordHere(NO_RESPONSE)}`, style: "bad" };
  const { tone, word } = STATES[vm.state];
  const text = `${glyphs[SIGNS[tone]]} ${
    (vm.operation === undefined ? t(word) : wordHere(vm.operation)).toLowerCase()
  }`;
  if (vm.operation !== undefined) return { text, style: "info" };
  return {
    text,
    style: needsAttention(vm) ? (tone === "bad" ? "bad" : "warn") : tone === "off" ? "dim" : tone,
  };
}

/** Columns of the longest state. */
export function stateColumns(glyphs: Glyphs): number {
  const words = [...Object.values(STATES).map(({ word }) => t(word)), wordHere(NO_RESPONSE)];
  return 2 + widest(words, glyphs);
}

/** Spans of time whose texts are the longest there are, in milliseconds. */
const LONG_SPANS = [59 * MINUTE_MS, 24 * HOUR_MS - MINUTE_MS, 100 * DAY_MS - HOUR_MS, 9999 * DAY_MS];

/** Columns of the longest span of time. */
export const spanColumns = (glyphs: Glyphs): number => widest(LONG_SPANS.map(formatSpan), glyphs);

/** Columns of the longest text that says how long ago something was. */
export const agoColumns = (glyphs: Glyphs): number =>
  widest([0, ...LONG_SPANS].map((span) => formatAgo(0, span)), glyphs);

/** A share of something as a bar. */
export function bar(share: number, columns: number, { filled, empty }: Glyphs): string {
  const full = Math.round(Math.max(0, Math.min(1, share)) * columns);
  return filled.repeat(full) + empty.repeat(columns - full);
}
