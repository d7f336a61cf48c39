/** Output of a verb: its answer as a text or a file. */
import { didYouMean } from "../suggestion.ts";
import { isPattern, matcher } from "../../lib/text/pattern.ts";
import { ApiError } from "../../lib/client/api.ts";
import { escapeControlCharacters, isRow, type Row } from "./cells.ts";
import type { Verb } from "./find.ts";
import { type CommonValues, listSchema, statesOf } from "./common.ts";
import { formatAnswer, type OutputFormat, OUTPUTS } from "./output.ts";
import { namedBy } from "./places.ts";
import { UsageError } from "./values.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { message, render } from "../../lib/i18n/message.ts";
import type { Server } from "../connect/server.ts";
import type { Terminal } from "../terminal.ts";
import type { Resources } from "./resolve_ids.ts";

const { t } = textsOf(shell);

export interface VerbRun {
  readonly verb: Verb;
  readonly server: Server;
  readonly common: CommonValues;
  readonly terminal: Terminal;
  readonly format: OutputFormat;
  readonly resources: Resources;
  /** Names and patterns of the rows of a list that are wanted; all where there are none. */
  readonly names: readonly string[];
}

export function formatOf({ output = Deno.env.get("KVMM_OUTPUT") || "table" }: CommonValues): OutputFormat {
  const format = OUTPUTS.find((each) => each === output);
  if (format) return format;
  throw new UsageError(
    message`--output is ${JSON.stringify(output)}; it must be one of ${OUTPUTS.join(", ")}`,
  );
}

/** The rows that are named. @throws {ApiError} for a name that none has */
function named(verb: Verb, rows: readonly Row[], names: readonly string[]): Row[] {
  const by = namedBy(verb)!;
  const fits = names.map((name) => {
    const isWanted = rows.some((row) => row[by] === name)
      ? (row: Row) => row[by] === name
      : (row: Row) => isPattern(name) && matcher(name).test(String(row[by]));
    if (isPattern(name) || rows.some(isWanted)) return isWanted;
    const near = didYouMean(name, rows.map((row) => String(row[by])));
    throw new ApiError(
      verb.command.lookup!.missing ?? "NotFound",
      render(message`${verb.words.join(" ")}: nothing has the ${by} ${name}.${near}`),
    );
  });
  return rows.filter((row) => fits.some((isWanted) => isWanted(row)));
}

/** The text of an answer, in the rows and columns that are wanted. */
export async function answerText(
  { verb, common, format, terminal, names }: VerbRun,
  whole: unknown,
): Promise<string> {
  const { command } = verb, item = listSchema(verb);
  const rowsOf = (of: unknown) => command.rows === undefined ? of : (of as Row)[command.rows];
  const wanted = names.length === 0 ? undefined : named(verb, rowsOf(whole) as Row[], names);
  const answer = wanted === undefined
    ? whole
    : command.rows === undefined
    ? wanted
    : { ...whole as Row, [command.rows]: wanted };
  const rows = rowsOf(answer);
  const isView = [common.state, common.filter, common.label, common.sort, common.reverse, common.columns]
    .some((each) => each !== undefined);
  if (item === undefined || !isView || !Array.isArray(rows)) {
    return await formatAnswer(answer, format, command, terminal.hasColours);
  }
  const { ListView } = await import("./list_view.ts");
  const view = new ListView(
    rows.filter(isRow),
    command,
    Object.keys(item.properties ?? {}),
    statesOf(verb),
  );
  const selected = view.selected(common);
  const shown = command.rows === undefined ? selected : { ...answer as Row, [command.rows]: selected };
  return await formatAnswer(shown, format, view.layoutOf(common), terminal.hasColours);
}

/** Prints an answer; what is empty is said where it disturbs no script. */
export async function print(run: VerbRun, answer: unknown): Promise<void> {
  if (run.common.quiet) return;
  const warnings = run.format === "table" || run.format === "wide" ? onlyWarnings(answer) : undefined;
  if (warnings !== undefined) {
    return warnings.forEach((each) => console.error(`kvm-manager: ${escapeControlCharacters(each)}`));
  }
  const text = await answerText(run, answer);
  if (text !== "") console.log(text);
  else if (answer !== null) console.error(t("shell.empty", { verb: run.verb.words.join(" ") }));
}

/** The warnings of an answer that has nothing else; undefined for any other. */
export function onlyWarnings(answer: unknown): readonly string[] | undefined {
  const isOnly = isRow(answer) && Object.keys(answer).join() === "warnings";
  return isOnly ? (answer as { warnings: readonly string[] }).warnings : undefined;
}

/** Writes an answer that is a file: where it is said to, or as it is, for a pipe. */
export async function writeAnswer(
  { verb, common: { yes = false, ...common }, terminal }: VerbRun,
  answer: unknown,
): Promise<void> {
  const { fileIn, writeFile } = await import("./content.ts");
  const { file } = verb.command;
  const to = common.out ?? common.to ?? "-";
  if (file!.base64 && to === "-" && terminal.isTerminal) {
    throw new UsageError(
      "this is no text for a terminal: say --out FILE, or send it to a file or program with > or |",
    );
  }
  const bytes = fileIn(answer, file!);
  if (to === "-" && terminal.isTerminal) {
    console.log((await formatAnswer(new TextDecoder().decode(bytes), "table")).trimEnd());
  } else await writeFile(bytes, to, yes);
}
