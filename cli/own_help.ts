/** Help of verbs that are no commands of the contract: the same parts below the same headings, in the shell's language. */
import { verbHelp } from "../lib/i18n/en/verb_help.ts";
import { render, type Sentence } from "../lib/i18n/message.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { listed, usageLines, wrapped } from "./text.ts";
import { targetRows } from "./verb/help.ts";

const { t } = textsOf(verbHelp);

/** Parts of a verb's `--help` text. */
export interface OwnHelp {
  /** How it is written, without `Usage:`. */
  readonly usage: string;
  /** Description: one paragraph. */
  readonly about: readonly Sentence[];
  readonly options?: readonly (readonly [name: string, text: Sentence])[];
  /** Further notes: one paragraph below the options. */
  readonly more?: readonly Sentence[];
  /** Commands that it takes, with what they do. */
  readonly commands?: readonly (readonly [name: string, text: string])[];
  /** It takes the options that say which server is meant. */
  readonly server?: true;
  readonly examples?: readonly string[];
}

const paragraph = (sentences: readonly Sentence[]) =>
  wrapped(sentences.map((each) => render(each)).join(" "));

/** The help as lines of text. */
export function ownHelp({ usage, about, options = [], more = [], commands, server, examples = [] }: OwnHelp) {
  const parts: readonly (readonly string[])[] = [
    usageLines(t("verb_help.usage", { line: usage })),
    paragraph(about),
    listed(options.map(([name, text]) => [name, render(text)])),
    paragraph(more),
    commands === undefined ? [] : [`${t("verb_help.commands")}:`, ...listed(commands)],
    server ? [`${t("verb_help.server")}:`, ...listed(targetRows())] : [],
    examples.length === 0 ? [] : [`${t("verb_help.examples")}:`, ...examples.map((line) => `  ${line}`)],
  ];
  return parts.filter((lines) => lines.join("") !== "").map((lines) => lines.join("\n")).join("\n\n");
}
