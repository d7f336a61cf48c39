/** Help of the contract's verbs, made from the contract. */
import { SOCKET_HELP } from "../socket.ts";
import type { Verb } from "./find.ts";
import { type Option, optionsOf, positionalsOf } from "./options.ts";
import { OUTPUTS } from "./output.ts";

/** Lines of a list: names in one column, what they mean in the other. */
export function listed(rows: readonly (readonly [name: string, text: string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`.trimEnd());
}

const placeholder = ({ kind, choices }: Option) =>
  choices
    ? choices.join("|")
    : { boolean: "", string: "TEXT", number: "N", strings: "TEXT", json: "JSON" }[kind];

function optionRow(option: Option): [string, string] {
  const value = placeholder(option);
  const note = [
    option.description,
    option.kind === "strings" && "may be given several times",
    option.required && "needed",
  ].filter(Boolean).join("; ");
  return [`--${option.flag}${value && ` ${value}`}`, note];
}

/** Help of one verb. */
export function verbHelp({ name, command, words }: Verb): string {
  const places = positionalsOf(command).map(({ field, many }) => many ? `<${field}...>` : `<${field}>`);
  const options = optionsOf(command);
  return [
    `Usage: kvm-manager ${[...words, ...places].join(" ")} [OPTIONS]`,
    "",
    `${command.summary}.${command.description ? ` ${command.description}` : ""}`,
    ...(places.some((place) => place.startsWith("<vmId"))
      ? ["A machine is meant by its name or its id."]
      : []),
    ...(command.destroys ? [`Asks first, because this is lost: ${command.destroys}.`] : []),
    ...(options.length > 0 ? ["", "Options:", ...listed(options.map(optionRow))] : []),
    "",
    "Always:",
    ...listed([
      [`-o, --output ${OUTPUTS.join("|")}`, "how to print the answer"],
      ["--input JSON|-", "fields of the input as JSON, - reads it from standard input; options win"],
      ...(command.readOnly ? [["-w, --watch", "print it anew every 2 seconds"]] as const : []),
      ...(command.destroys ? [["-y, --yes", "do not ask"]] as const : []),
    ]),
    "",
    `The command's name is ${name}; its role is ${command.role}.`,
    SOCKET_HELP,
  ].join("\n");
}

/** The verbs that begin with these words. */
export function groupHelp(words: readonly string[], verbs: readonly Verb[]): string {
  return [
    `Usage: kvm-manager ${words.join(" ")} VERB [OPTIONS]`,
    "",
    ...listed(verbs.map((verb) => [verb.words.join(" "), verb.command.summary])),
  ].join("\n");
}
