/** Help of the contract's verbs, made from the contract. */
import { TARGET_HELP } from "../connect/target.ts";
import { EXIT_STATUSES } from "../exit.ts";
import { examplesOf } from "./examples.ts";
import { FILES } from "./content.ts";
import type { Verb } from "./find.ts";
import { isLong, type Option, optionsOf, positionalsOf } from "./options.ts";
import { OUTPUTS } from "./output.ts";
import type { Kind } from "./values.ts";

/** Lines of a list: names in one column, what they mean in the other. */
export function listed(rows: readonly (readonly [name: string, text: string])[]): string[] {
  const width = Math.min(36, Math.max(0, ...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) =>
    name.length > width
      ? [`  ${name}`, `  ${" ".repeat(width)}  ${text}`.trimEnd()]
      : [`  ${name.padEnd(width)}  ${text}`.trimEnd()]
  );
}

const PLACEHOLDERS: Readonly<Record<Kind, string>> = {
  boolean: "",
  string: "TEXT",
  number: "N",
  size: "SIZE",
  time: "TIME",
  strings: "TEXT",
  grants: "ROLE[@group:NAME|@vm:NAME]",
  json: "JSON",
};

/** What stands for an option's value. */
export const placeholder = ({ kind, choices }: Pick<Option, "kind" | "choices">) =>
  choices && kind !== "boolean" ? choices.join("|") : PLACEHOLDERS[kind];

/** An option as it is written, and what it means. */
export function optionRow(option: Option): [string, string] {
  const value = option.secret ? "-" : placeholder(option);
  const note = [
    option.description,
    (option.kind === "strings" || option.kind === "grants") && "may be given several times",
    option.secret && `- reads it from standard input; or --${option.flag}-file FILE`,
    option.required && "needed",
  ].filter(Boolean).join("; ");
  return [`--${option.flag}${value && ` ${value}`}`, note];
}

/** The options a verb has beside its fields. */
export function commonRows({ name, command }: Verb): [string, string][] {
  const rows: (readonly [boolean, string, string])[] = [
    [true, `-o, --output ${OUTPUTS.join("|")}`, "how to print the answer (KVMM_OUTPUT)"],
    [true, "-f, --file FILE|-", "fields of the input, as YAML or JSON; options win"],
    [true, "--input JSON|-", "the same on the command line"],
    [command.readOnly && !command.content, "-w, --watch", "print it anew whenever it changes"],
    [command.destroys !== undefined, "-y, --yes", "do not ask"],
    [isLong(command) || name === "download_image", "--no-wait", "do not wait for the end of the work"],
    [command.content === "upload", "--from FILE", "the file to send; said again after a break, it goes on"],
    [
      command.content === "download" || name in FILES,
      "--to FILE|-",
      "where to write the file; --yes replaces one",
    ],
  ];
  return rows.filter(([has]) => has).map(([, option, text]) => [option, text]);
}

/** The options that say which server is meant. */
export const targetRows = (): [string, string][] =>
  TARGET_HELP.map(([flag, value, text, env]) => [`--${flag} ${value}`, env ? `${text} (${env})` : text]);

/** How a verb is written. */
export function usageOf({ command, words }: Verb): string {
  const places = positionalsOf(command).map(({ field, many }) => many ? `<${field}...>` : `<${field}>`);
  return `kvm-manager ${[...words, ...places].join(" ")} [OPTIONS]`;
}

/** Help of one verb. */
export function verbHelp(verb: Verb): string {
  const { name, command } = verb;
  const options = optionsOf(command);
  return [
    `Usage: ${usageOf(verb)}`,
    "",
    `${command.summary}.${command.description ? ` ${command.description}` : ""}`,
    ...(positionalsOf(command).some(({ field }) => /^vmIds?$/.test(field))
      ? ["A machine is meant by its name or its id."]
      : []),
    ...(command.destroys ? [`Asks first, because this is lost: ${command.destroys}.`] : []),
    ...(options.length > 0 ? ["", "Options:", ...listed(options.map(optionRow))] : []),
    "",
    "Always:",
    ...listed(commonRows(verb)),
    "",
    "Which server:",
    ...listed(targetRows()),
    "",
    "Examples:",
    ...examplesOf(verb).map((line) => `  ${line}`),
    "",
    `Exit status: ${Object.values(EXIT_STATUSES).map(([status, text]) => `${status} ${text}`).join("; ")}.`,
    `The command's name is ${name}; its role is ${command.role}.`,
  ].join("\n");
}

/** The verbs that begin with these words. */
export function groupHelp(words: readonly string[], verbs: readonly Verb[]): string {
  return [
    `Usage: kvm-manager ${words.join(" ")} VERB [OPTIONS]`,
    "",
    ...listed(
      verbs.map((
        verb,
      ) => [verb.words.slice(words.length).join(" ") || verb.words.join(" "), verb.command.summary]),
    ),
    "",
    `kvm-manager ${words.join(" ")} VERB --help tells more of a verb.`,
  ].join("\n");
}
