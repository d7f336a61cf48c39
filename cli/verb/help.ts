/** Help of the contract's verbs, made from the contract and the command line's own table. */
import { verbHelp as texts } from "../../lib/i18n/en/verb_help.ts";
import { locale, translated } from "../../lib/i18n/locale.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { TARGET_HELP } from "../connect/target.ts";
import { EXIT_STATUSES } from "../exit.ts";
import { lostBy } from "../../lib/text/lost_by.ts";
import { listed, typedLines, usageLines, wrapped } from "../text.ts";
import { COMMON_OPTIONS, commonOptionsOf } from "./common.ts";
import { examplesOf } from "./examples.ts";
import { type Verb, VERBS } from "./find.ts";
import { LIST_HABITS, type Option, optionsOf } from "./options.ts";
import { positionalsOf } from "./places.ts";
import { usageOf } from "./usage.ts";
import type { Kind } from "../../lib/text/values.ts";

const { t } = textsOf(texts);

const PLACEHOLDERS: Readonly<Record<Kind, string>> = {
  boolean: "",
  string: "TEXT",
  number: "N",
  size: "SIZE",
  figure: "NUMBER|SIZE",
  bitrate: "RATE",
  time: "TIME",
  strings: "TEXT",
  grants: "ROLE[@group:NAME|@vm:NAME|@project:NAME|@host:ID]",
  json: "JSON",
};

/** Placeholder of an option's value. */
export const placeholder = ({ kind, choices }: Pick<Option, "kind" | "choices">) =>
  choices && kind !== "boolean" ? choices.join("|") : PLACEHOLDERS[kind];

/** Text on an option's default; false for one that is off. */
function defaultText(value: unknown): string | false {
  if (value === undefined || value === false || value === "") return false;
  if (value === true) return t("verb_help.default_yes");
  return t("verb_help.default", { value: typeof value === "string" ? value : JSON.stringify(value) });
}

/** A text of the contract or a table, from English into the reader's language. */
const said = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : translated(text);

/** An option as it is written, and what it means. @param isPlace it may be given by its place, too */
function optionRow(option: Option, isPlace: boolean): [string, string] {
  const value = option.secret ? "-" : placeholder(option);
  const note = [
    said(option.description),
    (option.kind === "strings" || option.kind === "grants") && t("verb_help.several"),
    option.secret && t("verb_help.secret", { flag: option.flag }),
    defaultText(option.default),
    option.required && !isPlace && t("verb_help.required"),
    option.others.length > 0 &&
    t("verb_help.other_names", { flags: option.others.map((other) => `--${other}`).join(", ") }),
  ].filter(Boolean).join("; ");
  return [`--${option.flag}${value && ` ${value}`}`, note];
}

/** Rows of the options that are no fields. */
function shorthandRow(
  [flag, { value, text, multiple }]: [string, { value?: string; text: string; multiple?: true }],
): [
  string,
  string,
] {
  return [
    `--${flag}${value === undefined ? "" : ` ${value}`}`,
    multiple ? `${translated(text)}; ${t("verb_help.several")}` : translated(text),
  ];
}

/** A verb's arguments, and its own options below the titles that its table has for them. */
export function optionGroups(verb: Verb): [title: string, rows: [string, string][]][] {
  const { groups = [], shorthands = {} } = verb.extras;
  const placed = new Set(positionalsOf(verb).map(({ field }) => field));
  const named: [name: string, row: [string, string]][] = [
    ...Object.entries(shorthands).map((entry): [string, [string, string]] => [entry[0], shorthandRow(entry)]),
    ...optionsOf(verb).map((option): [string, [string, string]] => {
      const [field = ""] = option.path;
      return [field, optionRow(option, placed.has(field))];
    }),
  ];
  const titled = groups.map(([title, names]): [string, [string, string][]] => [
    translated(title),
    names.flatMap((name) => named.filter(([each]) => each === name).map(([, row]) => row)),
  ]);
  const taken = new Set(groups.flatMap(([, names]) => names));
  const rest = named.filter(([name]) => !taken.has(name)).map(([, row]) => row);
  const all: [string, [string, string][]][] = [
    [t("verb_help.arguments"), placeRows(verb)],
    ...titled,
    [groups.length > 0 ? t("verb_help.more") : t("verb_help.options"), rest],
  ];
  return all.filter(([, rows]) => rows.length > 0);
}

/** How what is on by itself is switched off, where a verb has such an option. */
function switchedOff(verb: Verb): string[] {
  const flag = optionsOf(verb).find(({ kind }) => kind === "boolean")?.flag;
  return flag === undefined ? [] : ["", ...wrapped(t("verb_help.switched_off", { flag }))];
}

/** The options of a verb in addition to its fields. */
export function commonRows(verb: Verb): [string, string][] {
  const own = new Set(optionsOf(verb).map(({ flag }) => flag));
  return commonOptionsOf(verb, own).map(([name, { short, value = "", text }]) => [
    `${short === undefined ? "" : `-${short}, `}--${name}${
      value === "" || value.startsWith("[=") ? value : ` ${value}`
    }`,
    translated(text),
  ]);
}

/** The options that say which server is meant. */
export const targetRows = (): [string, string][] =>
  TARGET_HELP.map(([flag, value, text, env]) => [
    `--${flag} ${value}`,
    env ? `${translated(text)} (${env})` : translated(text),
  ]);

/** Rows of what stands in places, but for VMs, of which `placesText()` tells. */
function placeRows(verb: Verb): [string, string][] {
  const growing = verb.extras.growing?.field;
  return positionalsOf(verb).filter(({ field }) => !isVm(field)).flatMap(
    ({ field, kind, choices, description }): [string, string][] => {
      const note = [
        kind === "boolean" && t("verb_help.on_or_off"),
        choices && t("verb_help.one_of", { choices: choices.join(", ") }),
        said(description),
        field === growing && t("verb_help.more_than_now"),
      ].filter(Boolean).join("; ");
      return note === "" ? [] : [[`<${field}>`, note]];
    },
  );
}

const isVm = (field: string) => /^vmIds?$/.test(field);

/** Help on naming VMs. */
function placesText(verb: Verb): string[] {
  const places = positionalsOf(verb);
  if (!places.some(({ field }) => isVm(field))) return [];
  const isMany = places.some(({ field, many }) => many && isVm(field));
  return [
    isMany ? t("verb_help.vms_many") : t("verb_help.vm_one"),
  ];
}

/** All English texts in the help of verbs that are no texts with keys. */
export function helpTexts(): Set<string> {
  const found = new Set<string>();
  const add = (text: string | undefined) => text && found.add(text);
  for (const verb of VERBS) {
    const { groups = [], shorthands = {} } = verb.extras;
    add(verb.command.description);
    add(verb.command.destroys);
    add(lostBy(verb.command, () => true));
    for (const text of Object.values(verb.command.elsewhere ?? {})) add(text);
    for (const { description } of [...optionsOf(verb), ...positionalsOf(verb)]) add(description);
    for (const { text } of Object.values(shorthands)) add(text);
    for (const [title] of groups) add(title);
  }
  for (const text of Object.values(LIST_HABITS)) add(text);
  for (const { text } of Object.values(COMMON_OPTIONS)) add(text);
  for (const [, , text] of TARGET_HELP) add(text);
  for (const [, text] of Object.values(EXIT_STATUSES)) add(text);
  return found;
}

/** Help of one verb. */
export function helpOfVerb(verb: Verb): string {
  const { name, command } = verb;
  return [
    ...t("verb_help.usage", { line: usageOf(verb) }).split("\n").flatMap((line) => usageLines(line)),
    ...(command.aliases
      ? usageLines(
        t("verb_help.also", { lines: command.aliases.map((words) => `kvm-manager ${words}`).join(", ") }),
      )
      : []),
    "",
    ...wrapped([`${translated(command.summary)}.`, said(command.description)].filter(Boolean).join(" ")),
    ...placesText(verb).flatMap((text) => wrapped(text)),
    ...(command.destroys ? wrapped(t("verb_help.asks_first", { what: translated(command.destroys) })) : []),
    ...optionGroups(verb).flatMap(([title, rows]) => ["", `${title}:`, ...listed(rows)]),
    ...switchedOff(verb),
    "",
    `${t("verb_help.always")}:`,
    ...listed(commonRows(verb)),
    "",
    `${t("verb_help.server")}:`,
    ...listed(targetRows()),
    "",
    `${t("verb_help.examples")}:`,
    ...examplesOf(verb).flatMap((line) => typedLines(`  ${line}`)),
    "",
    ...wrapped(
      t("verb_help.exit_status", {
        statuses: Object.values(EXIT_STATUSES).map(([status, text]) => `${status} ${translated(text)}`).join(
          "; ",
        ),
      }),
    ),
    t("verb_help.name_role", { name, role: command.role }),
  ].join("\n");
}

/** A text that begins with a capital, where letters have some. */
const capital = (text: string) => `${text[0]!.toLocaleUpperCase(locale())}${text.slice(1)}`;

/** The verbs that begin with these words. @param own those that are no commands of the contract, with what they do */
export function groupHelp(
  words: readonly string[],
  verbs: readonly Verb[],
  own: readonly (readonly [name: string, summary: string])[] = [],
): string {
  const begin = `${words.join(" ")} `;
  const rows = [
    ...verbs.map((verb): [string, string] => [
      verb.words.slice(words.length).join(" ") || verb.words.join(" "),
      translated(verb.command.summary),
    ]),
    ...own.filter(([name]) => name.startsWith(begin)).map(([name, summary]): [string, string] => [
      name.slice(begin.length),
      capital(translated(summary)),
    ]),
  ];
  return [
    t("verb_help.usage", { line: `kvm-manager ${words.join(" ")} VERB [OPTIONS]` }),
    "",
    ...listed(rows),
    "",
    ...wrapped(
      t("verb_help.more_of_noun", { words: words.join(" ") }),
    ),
  ].join("\n");
}
