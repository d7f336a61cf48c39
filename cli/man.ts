/** `kvm-manager man`: the manual page, in roff (man(7)), from the same tables as help and completion. */
import { message } from "../lib/i18n/message.ts";
import { ownHelp } from "./own_help.ts";
import { DEFAULT_CONFIG, SETTINGS } from "../agent/settings.ts";
import { VERSION } from "../lib/version.ts";
import type { OwnVerb } from "./own_verb.ts";
import { TARGET_HELP } from "./connect/target.ts";
import { parseOrExit, readNothing } from "./host_verb.ts";
import { EXIT, EXIT_STATUSES } from "./exit.ts";
import { examplesOf } from "./verb/examples.ts";
import { type Verb, VERBS } from "./verb/find.ts";
import { commonRows, optionGroups, targetRows } from "./verb/help.ts";
import { usageOf } from "./verb/usage.ts";

export { readNothing };

export const MAN_HELP = () =>
  ownHelp({
    usage: "kvm-manager man",
    about: [message`Prints the manual page, in roff.`],
    examples: ["kvm-manager man | man -l -", "kvm-manager man > /usr/local/share/man/man1/kvm-manager.1"],
  });

/** A line as roff has it: no sign of it is a command. */
const escaped = (line: string) =>
  line.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("~", "\\(ti").replaceAll("^", "\\(ha")
    .replaceAll("'", "\\(aq").replaceAll("`", "\\(ga").replace(/^\./, "\\&.");

/** Longest line of roff's source, by convention. */
const WIDTH = 72;

/** Running text, in lines of the source. */
function text(words: string): string {
  const lines: string[] = [];
  for (const word of words.split(/\s+/).filter((each) => each !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map(escaped).join("\n");
}

const bold = (words: string) => `\\fB${escaped(words)}\\fR`;
/** A tagged paragraph. */
const entry = (tag: string, words: string) => `.TP\n${bold(tag)}\n${text(words) || "\\&"}`;
const rows = (all: readonly (readonly [string, string])[]) =>
  all.map(([tag, words]) => entry(tag, words)).join("\n");
/** Lines as they are. */
const code = (lines: readonly string[]) =>
  `.RS 4\n.nf\n${lines.map((line) => escaped(line) || "\\&").join("\n")}\n.fi\n.RE`;

function verbSection(verb: Verb): string {
  const { command } = verb;
  return [
    `.SS ${text(verb.words.join(" "))}`,
    usageOf(verb).split("\n").map((line) => bold(line.trim())).join("\n.br\n"),
    ".PP",
    text(`${command.summary}.${command.description ? ` ${command.description}` : ""}`),
    ...(command.destroys ? [text(`Asks first, because this is lost: ${command.destroys}.`)] : []),
    ...(verb.command.aliases ? [text(`Also: ${verb.command.aliases.join(", ")}.`)] : []),
    text(`Role: ${command.role}.`),
    ...optionGroups(verb).flatMap(([title, options]) => [".PP", text(`${title}:`), rows(options)]),
    ".PP",
    code(examplesOf(verb)),
  ].join("\n");
}

/** The page. @param others verbs that are no commands of the contract, with what they say of themselves */
export function manualPage(others: readonly (readonly [name: string, help: string])[]): string {
  const every = VERBS.find(({ name }) => name === "get_vms")!;
  const section = (title: string, ...parts: string[]) => [`.SH ${title}`, ...parts].join("\n");
  const environment = [
    ...TARGET_HELP.flatMap(([flag, , , env]) => env ? [[env, `as --${flag}`] as const] : []),
    ["KVMM_TOKEN", "the API token for --server"] as const,
    ["KVMM_OUTPUT", "as --output"] as const,
    ["NO_COLOR", "when it is set, nothing is coloured"] as const,
    ...Object.values(SETTINGS).map(({ env, flag }) => [env, `as serve --${flag}`] as const),
  ];
  const once = [...new Map(environment).entries()];
  return [
    // Without a date: the same program gives the same page.
    `.TH KVM\\-MANAGER 1 "" "kvm\\-manager ${VERSION}" "KVM Manager"`,
    section("NAME", "kvm\\-manager \\- manage the virtual machines of a Linux host"),
    section("SYNOPSIS", `${bold("kvm-manager")} \\fIVERB\\fR [\\fIOPTIONS\\fR]`),
    section(
      "DESCRIPTION",
      text(
        "Serves the VMs of this host in a browser and through an API (serve), and does from a shell whatever can be " +
          "done there. VMs, users and tokens are meant by name or id; jobs and sessions by the beginning of their id. " +
          "Sizes are written like 512M or 20G, times like 2h (ago) or 2026-11-21T15:00. Options of parts have a dot: " +
          "--cpu.count 4. Lists take an option several times. An option without a value is switched off like " +
          "--no-autostart.",
      ),
    ),
    section("OPTIONS OF ALL VERBS", rows(commonRows(every)), rows(targetRows())),
    section("VERBS", ...others.map(([name, help]) => `.SS ${escaped(name)}\n${code(help.split("\n"))}`)),
    section("COMMANDS OF THE RUNNING SERVER", ...VERBS.map(verbSection)),
    section(
      "EXIT STATUS",
      rows(Object.values(EXIT_STATUSES).map(([status, words]) => [String(status), words])),
    ),
    section("ENVIRONMENT", rows(once)),
    section(
      "FILES",
      entry(DEFAULT_CONFIG, "settings of serve"),
      entry("~/.config/kvm-manager/contexts.json", "servers of kvm-manager login, with their tokens"),
    ),
  ].join("\n") + "\n";
}

/** Prints it. */
export async function man(
  args: readonly string[],
  others: Readonly<Record<string, OwnVerb>>,
): Promise<number> {
  const given = parseOrExit(EXIT.usage, "man", () => readNothing(args));
  if (typeof given === "number") return given;
  const helps: [string, string][] = [];
  for (const [name, verb] of Object.entries(others)) helps.push([name, (await verb.load()).help()]);
  console.log(manualPage(helps).trimEnd());
  return EXIT.done;
}
