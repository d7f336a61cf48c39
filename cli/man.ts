/** `kvm-manager man`: the manual page, in roff (man(7)), from the same tables and in the same language as help. */
import { verbHelp } from "../lib/i18n/en/verb_help.ts";
import { locale, translated } from "../lib/i18n/locale.ts";
import { message } from "../lib/i18n/message.ts";
import { type PlainKeyOf, textsOf } from "../lib/i18n/mod.ts";
import { ownHelp } from "./own_help.ts";
import { DEFAULT_CONFIG, SETTINGS } from "../agent/settings.ts";
import { VERSION } from "../lib/version.ts";
import type { OwnVerb } from "./own_verb.ts";
import { TARGET_HELP } from "./connect/target.ts";
import { parseOrExit, readNothing } from "./host_verb.ts";
import { EXIT, EXIT_STATUSES } from "./exit.ts";
import { sentence } from "./sentence.ts";
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

const { t } = textsOf(verbHelp);
type Title = Extract<PlainKeyOf<typeof verbHelp>, `verb_help.man_${string}`>;

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
    text(
      `${translated(command.summary)}.${command.description ? ` ${translated(command.description)}` : ""}`,
    ),
    ...(command.destroys ? [text(t("verb_help.asks_first", { what: translated(command.destroys) }))] : []),
    ...(command.aliases ? [text(sentence(t("verb_help.also", { lines: command.aliases.join(", ") })))] : []),
    text(t("verb_help.role", { role: command.role })),
    ...optionGroups(verb).flatMap(([title, options]) => [".PP", text(`${title}:`), rows(options)]),
    ".PP",
    code(examplesOf(verb)),
  ].join("\n");
}

/** The page. @param others verbs that are no commands of the contract, with what they say of themselves */
export function manualPage(others: readonly (readonly [name: string, help: string])[]): string {
  const every = VERBS.find(({ name }) => name === "get_vms")!;
  const section = (title: Title, ...parts: string[]) =>
    [`.SH ${escaped(t(title).toLocaleUpperCase(locale()))}`, ...parts].join("\n");
  const like = (option: string) => t("verb_help.man_as_option", { option });
  const environment = [
    ...TARGET_HELP.flatMap(([flag, , , env]) => env ? [[env, like(`--${flag}`)] as const] : []),
    ["KVMM_TOKEN", t("verb_help.man_token", { option: "--server" })] as const,
    ["KVMM_OUTPUT", like("--output")] as const,
    ["NO_COLOR", t("verb_help.man_no_color")] as const,
    ...Object.values(SETTINGS).map(({ env, flag }) => [env, like(`serve --${flag}`)] as const),
  ];
  const once = [...new Map(environment).entries()];
  return [
    // Without a date: the same program gives the same page.
    `.TH KVM\\-MANAGER 1 "" "kvm\\-manager ${VERSION}" "KVM Manager"`,
    section("verb_help.man_name", `kvm\\-manager \\- ${escaped(t("verb_help.man_what"))}`),
    section("verb_help.man_synopsis", `${bold("kvm-manager")} \\fIVERB\\fR [\\fIOPTIONS\\fR]`),
    section("verb_help.man_description", text(t("verb_help.man_about"))),
    section("verb_help.man_all_verbs", rows(commonRows(every)), rows(targetRows())),
    section(
      "verb_help.man_verbs",
      ...others.map(([name, help]) => `.SS ${escaped(name)}\n${code(help.split("\n"))}`),
    ),
    section("verb_help.man_commands", ...VERBS.map(verbSection)),
    section(
      "verb_help.man_exit_status",
      rows(Object.values(EXIT_STATUSES).map(([status, words]) => [String(status), translated(words)])),
    ),
    section("verb_help.man_environment", rows(once)),
    section(
      "verb_help.man_files",
      entry(DEFAULT_CONFIG, t("verb_help.man_config", { command: "serve" })),
      entry(
        "~/.config/kvm-manager/contexts.json",
        t("verb_help.man_contexts", { command: "kvm-manager login" }),
      ),
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
