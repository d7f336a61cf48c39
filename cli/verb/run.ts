/** `kvm-manager vm start web1`: any command of the contract as a verb. */
import { SettingsError } from "../../agent/settings.ts";
import { ApiError } from "../../lib/client/api.ts";
import type { Job } from "../../lib/contract/mod.ts";
import { type Server, serverOf } from "../connect/server.ts";
import { targetOf } from "../connect/target.ts";
import { EXIT, exitStatus } from "../exit.ts";
import { TERMINAL, type Terminal } from "../terminal.ts";
import { harmless } from "./cells.ts";
import { download, FILES, upload, writeAnswer } from "./content.ts";
import { findVerb, type Verb, verbsUnder } from "./find.ts";
import { groupHelp, verbHelp } from "./help.ts";
import { wholeInput } from "./input.ts";
import { carryOutLong, leftAlone, waitForJob } from "./jobs.ts";
import { withIds } from "./names.ts";
import { type CommonValues, isLong, readArguments } from "./options.ts";
import { UsageError } from "./values.ts";
import { type OutputFormat, OUTPUTS, rendered } from "./output.ts";
import { watch } from "./watch.ts";

function formatOf({ output = Deno.env.get("KVMM_OUTPUT") || "table" }: CommonValues): OutputFormat {
  const format = OUTPUTS.find((each) => each === output);
  if (format) return format;
  throw new UsageError(`--output is ${JSON.stringify(output)}; it must be one of ${OUTPUTS.join(", ")}`);
}

/** Options that only some verbs have → which. */
const ONLY: readonly (readonly [option: keyof CommonValues, has: (verb: Verb) => boolean, why: string])[] = [
  ["watch", ({ command }) => command.readOnly && !command.content, "is for commands that change nothing"],
  ["wait", isWaitedFor, "is for long work"],
  ["from", ({ command }) => command.content === "upload", "is for uploads"],
  [
    "to",
    ({ name, command }) => command.content === "download" || name in FILES,
    "is for answers that are files",
  ],
];

/** Whether a verb is long work: a job while it is waited for, or one that goes on by itself. */
export function isWaitedFor({ command }: Verb): boolean {
  return isLong(command) || "jobId" in ((command.output as { properties?: object }).properties ?? {});
}

/** Whether to go on with what destroys something. @throws {UsageError} where nobody can be asked */
function confirmed({ command, words }: Verb, { yes = false }: CommonValues, terminal: Terminal): boolean {
  if (!command.destroys || yes) return true;
  if (!terminal.isTerminal) {
    throw new UsageError(`this would lose ${command.destroys}. Say --yes to go on without being asked`);
  }
  const answer = terminal.ask(`${words.join(" ")} loses ${command.destroys}. Type yes to go on:`);
  return answer?.trim().toLowerCase() === "yes";
}

/** Prints an answer; what is empty is said where it disturbs no script. */
function print(verb: Verb, answer: unknown, format: OutputFormat, terminal: Terminal): void {
  const text = rendered(answer, format, verb.command, terminal.hasColours);
  if (text !== "") console.log(text);
  else if (answer !== null) console.error(`${verb.words.join(" ")}: the list is empty`);
}

/** Several things at once: one that failed makes it fail, whatever the others did. */
const statusOf = (answer: unknown) => {
  const { failed } = (answer ?? {}) as { failed?: unknown };
  return typeof failed === "number" && failed > 0 ? EXIT.failed : EXIT.done;
};

async function callLong(
  server: Server,
  { name, command }: Verb,
  input: Record<string, unknown>,
  common: CommonValues,
  terminal: Terminal,
): Promise<unknown> {
  const { wait = true } = common;
  let job: Job | undefined;
  const interrupted = () => {
    console.error(job === undefined ? "\nIt may go on: see kvm-manager job list." : `\n${leftAlone(job)}`);
    Deno.exit(EXIT.interrupted);
  };
  Deno.addSignalListener("SIGINT", interrupted);
  try {
    if (isLong(command)) {
      const outcome = await carryOutLong(server, name, input, { wait, terminal, onJob: (it) => job = it });
      if ("answer" in outcome) return outcome.answer;
      console.error(leftAlone(outcome.job));
      return outcome.job;
    }
    const answer = await server.call(name, input) as { jobId: string };
    if (wait) await waitForJob(server, answer.jobId, terminal);
    else console.error(leftAlone({ id: answer.jobId }));
    return answer;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupted);
  }
}

async function carryOut(verb: Verb, args: readonly string[], terminal: Terminal): Promise<number> {
  const { name, command } = verb;
  const given = readArguments(command, args), { common } = given;
  const format = formatOf(common);
  for (const [option, has, why] of ONLY) {
    if (common[option] !== undefined && !has(verb)) throw new UsageError(`--${option} ${why}`);
  }
  const server = serverOf(targetOf(common));
  const input = await withIds(server, await wholeInput(verb, given, terminal));
  if (!confirmed(verb, common, terminal)) {
    console.error("Nothing was done.");
    return EXIT.failed;
  }
  const overwrite = common.yes ?? false;
  if (common.watch) {
    const text = async () => rendered(await server.call(name, input), format, command, terminal.hasColours);
    await watch(server, text, { isLoad: /stats/.test(name), terminal, signal: terminal.until });
    return EXIT.done;
  }
  if (command.content === "download") {
    await download(server, input, { to: common.to, overwrite }, terminal);
    return EXIT.done;
  }
  const answer = command.content === "upload"
    ? await upload(server, input, common.from, terminal)
    : isWaitedFor(verb)
    ? await callLong(server, verb, input, common, terminal)
    : await server.call(name, input);
  if (common.to === undefined) print(verb, answer, format, terminal);
  else await writeAnswer(name, answer, { to: common.to, overwrite });
  return statusOf(answer);
}

/** Tells what went wrong with a verb; gives the exit status. @throws what is no error of its use */
export function failed(error: unknown, words: readonly string[]): number {
  if (error instanceof UsageError || error instanceof SettingsError) {
    const line = ["kvm-manager", ...words].join(" ");
    console.error(`${line}: ${harmless(error.message)}. See ${line} --help`);
    return EXIT.usage;
  }
  if (!(error instanceof ApiError)) throw error;
  console.error(`kvm-manager: ${harmless(error.message)}`);
  return exitStatus(error);
}

/**
 * Carries out the verb a command line means.
 *
 * @returns the exit status; undefined when the line means no verb
 */
export async function runVerb(
  args: readonly string[],
  terminal: Terminal = TERMINAL,
): Promise<number | undefined> {
  const wantsHelp = args.some((arg) => arg === "--help" || arg === "-h");
  const options = args.findIndex((arg) => arg.startsWith("-"));
  const words = options < 0 ? args : args.slice(0, options);
  const found = findVerb(args);
  if (!found) {
    const group = words.length > 0 ? verbsUnder(words) : [];
    if (group.length === 0) return undefined;
    (wantsHelp ? console.log : console.error)(groupHelp(words, group));
    return wantsHelp ? EXIT.done : EXIT.usage;
  }
  const { verb, rest } = found;
  if (wantsHelp) {
    console.log(verbHelp(verb));
    return EXIT.done;
  }
  try {
    return await carryOut(verb, rest, terminal);
  } catch (error) {
    return failed(error, verb.words);
  }
}
