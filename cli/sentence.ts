/** An error's text as a sentence. Pure but for the language. */
import { shell } from "../lib/i18n/en/shell.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(shell);

/** A text with its end, where it has none yet. */
export const sentence = (text: string): string =>
  /[.?!。？！]$/.test(text) ? text : t("shell.sentence", { text });
