/** A state as it is shown: a sign, a word and a colour, never colour alone. Pure. */
import type { VM } from "../../lib/contract/mod.ts";
import { t } from "../../lib/i18n/mod.ts";
import { needsAttention, STATES } from "../../lib/vm/state.ts";
import { NO_RESPONSE } from "../verb/cells.ts";
import type { Glyphs } from "./glyphs.ts";
import type { Style } from "./line.ts";

const SIGNS = { ok: "on", warn: "half", info: "half", bad: "bad", off: "off" } as const;

/** The state of a VM; what is being done to it, while something is. */
export function stateCell(vm: VM, glyphs: Glyphs): { readonly text: string; readonly style: Style } {
  if (!vm.responsive) return { text: `${glyphs.bad} ${NO_RESPONSE}`, style: "bad" };
  const { tone, word } = STATES[vm.state];
  const text = `${glyphs[SIGNS[tone]]} ${vm.operation ?? t(word).toLowerCase()}`;
  if (vm.operation !== undefined) return { text, style: "info" };
  return {
    text,
    style: needsAttention(vm) ? (tone === "bad" ? "bad" : "warn") : tone === "off" ? "dim" : tone,
  };
}

/** A share of something as a bar. */
export function bar(share: number, columns: number, { filled, empty }: Glyphs): string {
  const full = Math.round(Math.max(0, Math.min(1, share)) * columns);
  return filled.repeat(full) + empty.repeat(columns - full);
}
