import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

/** Words for yes in the languages of the texts: a question may be answered in its own language. */
const YES: ReadonlySet<string> = new Set(["yes", "ja", "oui", "sí", "si", "sim", "はい", "是"]);

/** Whether an answer is the whole word for yes; null is the end of the input. */
export const saysYes = (answer: string | null): boolean => YES.has(answer?.trim().toLowerCase() ?? "");

/** Whether an answer is that word, or a letter for it. */
export function agrees(answer: string | null): boolean {
  const given = answer?.trim().toLowerCase() ?? "";
  return saysYes(answer) || ["y", t("shell.yes_letter")].includes(given);
}

/** A question before something is lost. Without a terminal no user can answer, and the answer is no. */
export function askAtTerminal(question: string): boolean {
  if (!Deno.stdin.isTerminal()) {
    console.error(`kvm-manager: ${t("shell.no_terminal")}`);
    return false;
  }
  return agrees(prompt(t("shell.confirm", { question })));
}
