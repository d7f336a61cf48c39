/**
 * Measures costs of the product, next to those of programs that people use now:
 *
 *     deno task bench [--quick] [--only=NAME,…] [--json [FILE]] [--resume]
 *
 * All parts are measured in turn on this machine, on the packed binary and a real libvirt. Other work on the machine
 * spoils absolute times; ratios and counts stand it. Standard output has the table, a row as soon as it is known; standard
 * error says which part runs and how long it took. Each row is written to FILE at once (journal.ts; dist/bench.jsonl when
 * none is given), and `--resume` leaves out the parts that are complete there. `--json` alone prints those lines instead of
 * the table. Parts run as root, each in a process and on a host of its own (world.ts). The exit status is 1 when a part
 * failed or took too long, 130 when the bench was stopped.
 */
import { createHash } from "node:crypto";
import { folderHash } from "../../scripts/project.ts";
import { BINARY, buildBinary, PROJECT } from "../testbed/product_binary.ts";
import { Journal, type JournalLine, rowLine, type Subject, textOfLine } from "./journal.ts";
import { type BenchPart, choose, idOf, PARTS } from "./parts.ts";
import { type Outcome, runPart } from "./run_part.ts";
import { HEAD, tableLine } from "./table.ts";
import { removeDeadWorlds, sharedFolder } from "./world.ts";

/** The value of `--name=…`, or of `--name …`; empty when the option stands alone, undefined when it is not there. */
function option(name: string): string | undefined {
  for (const [index, arg] of Deno.args.entries()) {
    if (arg.startsWith(`--${name}=`)) return arg.slice(name.length + 3);
    if (arg !== `--${name}`) continue;
    const next = Deno.args[index + 1];
    return next === undefined || next.startsWith("--") ? "" : next;
  }
}

/** Progress goes to standard error: standard output has the result alone. */
const say = (text: string) => console.error(text);

/** Digest of the measured binary and of the benches. */
async function digestOfAll(): Promise<string> {
  const hash = createHash("sha256").update(await Deno.readFile(BINARY));
  for (const folder of ["tests/bench", "tests/testbed"]) {
    hash.update(await folderHash(`${PROJECT}/${folder}`));
  }
  return hash.digest("hex").slice(0, 16);
}

/** A signal that the first interrupt gives; the second ends this process, and with it all that it started. */
function interrupts(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => {
      if (stop.signal.aborted) Deno.exit(130);
      say("stopping …");
      stop.abort();
    });
  }
  return stop.signal;
}

const seconds = (since: number) => Math.round((performance.now() - since) / 1000);

/** Receivers of the rows. */
interface Output {
  readonly journal: Journal;
  readonly print: (line: JournalLine) => void;
}

/** Printed text of a line of the journal: in a table, rows, and parts that did not finish. */
function textsOf(line: JournalLine, isTable: boolean): string[] {
  if (!isTable) return [textOfLine(line).trimEnd()];
  if ("row" in line) return [tableLine(line.row)];
  return "ended" in line && line.ended !== "complete" ? [`${line.part}: ${endText(line)}`] : [];
}

/** How a part ended that did not come to its end. */
const endText = ({ ended, reason }: { readonly ended: Outcome["how"]; readonly reason?: string }) =>
  `${ended.toUpperCase()}${reason === undefined ? "" : `: ${reason.replaceAll("\n", " ")}`}`;

/** Runs the parts that are not complete. @returns the ids of those that failed or took too long */
async function runAll(
  parts: readonly BenchPart[],
  { journal, print }: Output,
  options: { readonly quick: boolean; readonly cache: string; readonly stop: AbortSignal },
): Promise<string[]> {
  const bad: string[] = [];
  for (const [index, each] of parts.entries()) {
    if (options.stop.aborted) break;
    const part = idOf(each), head = `[${index + 1}/${parts.length}] ${part}`, began = performance.now();
    const complete = journal.complete.get(part);
    if (complete !== undefined) {
      say(`${head}: complete before`);
      complete.forEach(print);
      continue;
    }
    say(`${head} …`);
    const add = (line: JournalLine) => {
      journal.add(line);
      print(line);
    };
    const outcome = await runPart(each, { ...options, told: (row) => add(rowLine(part, row)) });
    const end = { part, ended: outcome.how, seconds: seconds(began), ...reasonOf(outcome) };
    say(`${head}: ${end.seconds} s${outcome.how === "complete" ? "" : `, ${endText(end)}`}`);
    if (outcome.how === "stopped") break;
    add(end);
    if (outcome.how !== "complete" && outcome.how !== "unavailable") bad.push(part);
  }
  return bad;
}

const reasonOf = ({ reason }: Outcome) => reason === undefined ? {} : { reason };

/** Runs the bench. @returns the exit status */
async function main(): Promise<number> {
  const began = performance.now(), stop = interrupts();
  const quick = option("quick") !== undefined, json = option("json");
  const only = option("only")?.split(",").filter(Boolean) ?? [];
  const { parts, leftOut } = choose(PARTS, { quick, only });
  await removeDeadWorlds();
  say("the binary …"); // built where the sources are newer
  await buildBinary();
  const subject: Subject = { digest: await digestOfAll(), quick };
  using journal = await Journal.open(
    json || `${PROJECT}/dist/bench.jsonl`,
    subject,
    option("resume") !== undefined,
  );
  await using cache = await sharedFolder();
  const isTable = json !== "";
  const print = (line: JournalLine) => textsOf(line, isTable).forEach((text) => console.log(text));
  if (isTable) console.log(HEAD);
  if (leftOut.length > 0) say(`left out of a quick run: ${leftOut.map(idOf).join(", ")}`);
  const bad = await runAll(parts, { journal, print }, { quick, cache: cache.path, stop });
  const missing = bad.length === 0 ? "" : `; not complete: ${bad.join(", ")}`;
  say(stop.aborted ? "stopped; --resume goes on" : `${parts.length} parts in ${seconds(began)} s${missing}`);
  return stop.aborted ? 130 : bad.length > 0 ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main());
