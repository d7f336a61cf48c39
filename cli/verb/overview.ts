/** `kvm-manager --help`: every verb on one page, those of the contract by their nouns. */
import { VERSION } from "../../lib/version.ts";
import { verbHelp as texts } from "../../lib/i18n/en/verb_help.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { translated } from "../../lib/i18n/locale.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { OwnVerb } from "../own_verb.ts";
import { listed, wrapped } from "../text.ts";
import { VERBS } from "./find.ts";

const { t } = textsOf(texts), { t: said } = textsOf(shell);

/** Commands that most users need, in the order they need them. */
const FIRST = [
  ["vm list", "shell.first_vm_list"],
  ["vm create NAME --image IMAGE", "shell.first_vm_create"],
  ["vm start|stop NAME…", "shell.first_vm_power"],
  ["console NAME", "shell.first_console"],
] as const;

/** Nouns → their verbs, in the contract's order. */
function nouns(): [string, string][] {
  const found = new Map<string, string[]>();
  for (const { words: [noun = "", ...rest] } of VERBS) {
    const verbs = found.get(noun) ?? [];
    if (rest.length > 0 && !verbs.includes(rest[0]!)) verbs.push(rest[0]!);
    found.set(noun, verbs);
  }
  return [...found].filter(([, verbs]) => verbs.length > 0).map(([noun, verbs]) => [noun, verbs.join(", ")]);
}

/** The page. */
export function usage(own: Readonly<Record<string, OwnVerb>>): string {
  const single = VERBS.filter(({ words }) => words.length === 1);
  return [
    `KVM Manager ${VERSION}`,
    "",
    t("verb_help.usage", { line: "kvm-manager VERB [OPTIONS]" }),
    "",
    `${t("verb_help.first")}:`,
    ...listed(FIRST.map(([line, text]) => [line, said(text)])),
    "",
    `${t("verb_help.program")}:`,
    ...listed(Object.entries(own).map(([name, verb]): [string, string] => [name, translated(verb.summary)])),
    "",
    `${t("verb_help.nouns")}:`,
    ...listed(nouns()),
    ...listed(
      single.map(({ words, command }): [string, string] => [words.join(" "), translated(command.summary)]),
    ),
    "",
    ...wrapped(
      t("verb_help.more_of_verb", {
        help: "kvm-manager help VERB",
        noun: "kvm-manager vm",
        version: "kvm-manager version",
      }),
    ),
  ].join("\n");
}
