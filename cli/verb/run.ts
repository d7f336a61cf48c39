/** `kvm-manager vm start web1`: any command of the contract as a verb. */
import { ApiError } from "../../lib/client/api.ts";
import type { Job } from "../../lib/contract/mod.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { message, render } from "../../lib/i18n/message.ts";
import { lostBy } from "../../lib/text/lost_by.ts";
import { asksForHelp } from "../arguments.ts";
import { saysYes } from "../confirm.ts";
import type { OwnVerb } from "../own_verb.ts";
import { type Server, serverOf } from "../connect/server.ts";
import { targetOf } from "../connect/target.ts";
import { EXIT } from "../exit.ts";
import { TERMINAL, type Terminal } from "../terminal.ts";
import { escapeControlCharacters, isRow } from "./cells.ts";
import { type CommonValues, goesOn, isDone, isWork, unfit } from "./common.ts";
import { failed } from "./failure.ts";
import { findVerb, type Verb, verbOf, VERBS, verbsUnder } from "./find.ts";
import { growSize, reader, refuseMissing, wholeInput } from "./input.ts";
import { resolveIds, Resources } from "./resolve_ids.ts";
import { isNamed } from "../../lib/contract/lookups.ts";
import { hasLabel } from "../../lib/text/labels.ts";
import { isPattern } from "../../lib/text/pattern.ts";
import { type Arguments, readArguments } from "./options.ts";
import { positionalsOf } from "./places.ts";
import { formatAnswer } from "./output.ts";
import { UsageError } from "./values.ts";
import { WAITED_FOR, type WaitedFor } from "./waited_for.ts";
import type { FieldSchema } from "../../lib/text/values.ts";
import type { InputDraft } from "./verb_extras.ts";
import { answerText, formatOf, onlyWarnings, print, type VerbRun, writeAnswer } from "./answer.ts";

const { t } = textsOf(shell);

/** State to wait for; undefined without `--wait`. @throws {UsageError} */
function waitedFor({ command }: Verb, { wait }: CommonValues): WaitedFor | undefined {
  if (wait === undefined || command.reaches === undefined) return undefined;
  if (wait === true) return command.reaches;
  const found = WAITED_FOR.find((each) => each === wait);
  if (found) return found;
  throw new UsageError(
    message`--wait is ${JSON.stringify(wait)}; it must be one of ${WAITED_FOR.join(", ")}`,
  );
}

/** Whether to go on with a destructive command. @throws {UsageError} without a terminal to ask at */
function confirmed(
  { verb, common: { yes = false }, terminal }: VerbRun,
  input: InputDraft,
  names: readonly string[],
): boolean {
  const destroys = lostBy(verb.command, (field) => input[field] === true);
  if (!destroys || yes) return true;
  if (!terminal.isTerminal) {
    throw new UsageError(message`this would lose ${destroys}. Say --yes to go on without being asked`);
  }
  const list = escapeControlCharacters(names.join(", "));
  const line = verb.words.join(" ");
  const asked = names.length > 1 ? message`${line} of ${names.length} (${list})` : `${line} ${list}`.trim();
  return saysYes(terminal.ask(render(message`${asked}: this loses ${destroys}. Type yes to go on:`)));
}

/** Several things at once: one that failed makes it fail, whatever the others did. */
const statusOf = (answer: unknown) => {
  const { failed, started } = (answer ?? {}) as { failed?: unknown; started?: unknown };
  return (typeof failed === "number" && failed > 0) || started === false ? EXIT.failed : EXIT.done;
};

/** An answer as it is now that its job is over, where a list has it. */
async function atEnd(server: Server, { command: { endsIn } }: Verb, input: InputDraft, answer: unknown) {
  const { id } = answer as { id?: string };
  const list = VERBS.find(({ name }) => name === endsIn);
  if (list === undefined) return answer;
  const fields = Object.entries(input).filter(([field]) =>
    field in ((list.command.input as FieldSchema).properties ?? {})
  );
  const rows = await server.call(list.name, Object.fromEntries(fields)) as { id: string }[];
  return rows.find((row) => row.id === id) ?? answer;
}

const warningsIn = (answer: unknown) =>
  ((answer ?? {}) as { warnings?: readonly { field: string; message: string }[] }).warnings ?? [];

async function callLong({ server, verb, common, terminal }: VerbRun, input: InputDraft): Promise<unknown> {
  const { carryOutLong, leftAlone, waitForJob } = await import("./jobs.ts");
  const wait = common["no-wait"] !== true;
  let job: Pick<Job, "id"> | undefined;
  const interrupted = () => {
    console.error(
      job === undefined
        ? `\n${t("shell.may_go_on", { command: "kvm-manager job list" })}`
        : `\n${leftAlone(job)}`,
    );
    Deno.exit(EXIT.interrupted);
  };
  Deno.addSignalListener("SIGINT", interrupted);
  try {
    if (!goesOn(verb)) {
      const outcome = await carryOutLong(server, verb.name, input, {
        wait,
        terminal,
        onJob: (it) => job = it,
      });
      if ("answer" in outcome) return outcome.answer;
      console.error(leftAlone(outcome.job));
      return outcome.job;
    }
    const answer = await server.call(verb.name, input) as { jobId: string | null };
    const { jobId } = answer;
    // It has ended by now, and left no job
    if (jobId === null) return answer;
    job = { id: jobId };
    if (wait) {
      await waitForJob(server, jobId, terminal);
      return await atEnd(server, verb, input, answer);
    }
    console.error(leftAlone(job));
    return answer;
  } finally {
    Deno.removeSignalListener("SIGINT", interrupted);
  }
}

/** Waits for VMs, and says of each that is not as it should be; gives the exit status. */
async function waited({ verb, server, common, resources }: VerbRun, ids: readonly string[]): Promise<number> {
  const what = waitedFor(verb, common);
  if (what === undefined || ids.length === 0) return EXIT.done;
  const { timeoutOf, waitForVms } = await import("./wait.ts");
  const outcomes = await waitForVms(server, ids, what, timeoutOf(common.timeout));
  let status: number = EXIT.done;
  for (const [id, why] of outcomes) {
    if (why === undefined) continue;
    status = EXIT.notInTime;
    console.error(`kvm-manager: ${escapeControlCharacters(await resources.nameOf("vmId", id))}: ${why}`);
  }
  return status;
}

/** Carries a command out for one thing. @returns its answer, and lines about it where the verb has some */
async function carryOutFor(
  run: VerbRun,
  input: InputDraft,
  name: string,
): Promise<{ answer: unknown; lines: readonly string[] }> {
  const { verb: { name: command, extras: { report } }, server } = run;
  const before = await report?.before(server, input);
  const answer = isWork(run.verb) ? await callLong(run, input) : await server.call(command, input);
  return { answer, lines: report?.lines(name, before, answer) ?? [] };
}

/** Commands that run at the same time when there are several things. */
const AT_ONCE = 8;

/** Carries a command out for each of several VMs; one that fails holds none up. */
async function carryOutEach(
  run: VerbRun,
  field: string,
  ids: readonly string[],
  input: InputDraft,
): Promise<number> {
  const { resources, format } = run;
  const results: {
    name: string;
    id: string;
    success: boolean;
    /** Answer of the command, if it has one. */
    answer?: unknown;
    error?: { code: string; message: string };
  }[] = [];
  const texts: (readonly string[])[] = [];
  const left = ids.map((id, index) => ({ id, index }));
  const work = async () => {
    for (let next = left.shift(); next; next = left.shift()) {
      const { id, index } = next;
      const name = await resources.nameOf(field, id);
      try {
        const { answer, lines } = await carryOutFor(run, { ...input, [field]: id }, name);
        results[index] = { name, id, success: true, ...(answer !== null && { answer }) };
        texts[index] = lines;
        for (const warning of onlyWarnings(answer) ?? []) {
          console.error(`kvm-manager: ${escapeControlCharacters(name)}: ${escapeControlCharacters(warning)}`);
        }
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        if (isDone(run.verb, error, run.common)) {
          results[index] = { name, id, success: true };
          continue;
        }
        results[index] = {
          name,
          id,
          success: false,
          error: { code: error.code, message: error.message },
        };
        console.error(
          `kvm-manager: ${escapeControlCharacters(name)}: ${escapeControlCharacters(error.message)}`,
        );
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, work));
  const done = results.filter(({ success }) => success).map(({ id }) => id);
  const status = await waited(run, field === "vmId" ? done : []);
  if (run.common.quiet) return results.some(({ success }) => !success) ? EXIT.failed : status;
  const answer = {
    results: results.map(({ id, ...result }) => ({ [field]: id, ...result })),
    succeeded: done.length,
    failed: results.length - done.length,
  };
  if (format !== "table" && format !== "wide") {
    console.log(await formatAnswer(answer, format, { rows: "results" }));
  } else {
    const rows = results.map(({ name, success }) => ({ name, result: success ? "done" : "failed" }));
    const lines = texts.flat().map(escapeControlCharacters);
    console.log(
      lines.length > 0
        ? lines.join("\n")
        : await formatAnswer(rows, "table", { columns: ["name", "result"] }),
    );
  }
  return answer.failed > 0 ? EXIT.failed : status;
}

/** Carries out what is about one thing, or about none; gives the exit status. */
async function carryOutOne(run: VerbRun, input: InputDraft): Promise<number> {
  const { verb, server, common, terminal, format } = run, { command, name, extras } = verb;
  const to = common.out ?? common.to;
  if (common.watch) {
    const { watch } = await import("./watch.ts");
    const text = async () => await answerText(run, await server.call(name, input));
    await watch(server, text, { isLoad: /stats/.test(name), terminal, signal: terminal.until });
    return EXIT.done;
  }
  if (command.content !== undefined) {
    const { download, upload } = await import("./content.ts");
    if (command.content === "download") {
      await download(server, command, input, { to, overwrite: common.yes ?? false }, terminal);
      return EXIT.done;
    }
    await print(run, await upload(server, command, input, common.from, terminal));
    return EXIT.done;
  }
  const id = typeof input.vmId === "string" ? input.vmId : undefined;
  const named = extras.report && id !== undefined ? await run.resources.nameOf("vmId", id) : "";
  const { answer, lines } = await carryOutFor(run, input, named);
  const hasFailed = statusOf(answer) !== EXIT.done;
  const about = command.makesVm === undefined || !isRow(answer) ? id : String(answer[command.makesVm]);
  const status = await waited(run, about === undefined || hasFailed ? [] : [about]);
  if (command.file !== undefined && (to !== undefined || common.output === undefined)) {
    await writeAnswer(run, answer);
  } else if (!common.quiet && lines.length > 0 && (format === "table" || format === "wide")) {
    console.log(lines.map(escapeControlCharacters).join("\n"));
  } else await print(run, answer);
  for (const { field, message } of hasFailed ? warningsIn(answer) : []) {
    if (field === "start") console.error(`kvm-manager: ${escapeControlCharacters(message)}`);
  }
  return statusOf(answer) || status;
}

/** Carries out `--dry-run`: prints the answer or the errors, and changes nothing. */
async function tryOut(run: VerbRun, input: InputDraft): Promise<number> {
  const { command, input: asked } = run.verb.extras.dryRun!;
  const answer = await run.server.call(command, asked(input)) as {
    errors?: readonly { field: string; message: string }[];
  };
  const { errors = [] } = answer;
  for (const { field, message } of errors) {
    console.error(`kvm-manager: ${escapeControlCharacters(field === "" ? message : `${field}: ${message}`)}`);
  }
  if (errors.length === 0 || run.format === "json" || run.format === "yaml") {
    await print({ ...run, verb: verbOf(command) }, answer);
  }
  return errors.length > 0 ? EXIT.usage : EXIT.done;
}

/** Ids of everything that is meant by names and patterns; none of what does not exist, where that is no error. */
async function idsOfEach(
  { verb, common, resources }: Pick<VerbRun, "verb" | "common" | "resources">,
  field: string,
  each: readonly string[],
): Promise<string[]> {
  const idsOf = (given: string) =>
    resources.ids(field, given).catch((error) => {
      if (error instanceof ApiError && isDone(verb, error, common)) return [];
      throw error;
    });
  const ids = await Promise.all(each.map(idsOf));
  return [...new Set(ids.flat())];
}

/** Ids of the VMs with all of the labels. @throws {ApiError} where there is none, {UsageError} for names, too */
async function labelledIds(
  resources: Resources,
  labels: readonly string[],
  isNamedToo: boolean,
): Promise<string[]> {
  if (isNamedToo) throw new UsageError("--label stands in the place of names: say one of the two");
  const rows = await resources.all("vmId");
  const found = rows.filter(({ tags }) => labels.every((label) => hasLabel(tags, label)));
  if (found.length > 0) return found.map(({ id }) => id);
  throw new ApiError("VmNotFound", render(message`No VM has the label ${labels.join(" and ")}`));
}

/** An error of a name that nothing has, with those that are near. */
async function withNearName(error: unknown, verb: Verb, input: InputDraft, server: Server): Promise<unknown> {
  if (!(error instanceof ApiError) || error.status !== 404) return error;
  const { nearNames } = await import("../completion/candidates.ts");
  const near = await nearNames(verb, input, (command, asked) => server.call(command, asked));
  return near === ""
    ? error
    : new ApiError(error.code, `${error.message}.${near}`, error.details, error.status);
}

/** The first place with the name of something that a pattern stands in: the command is carried out for each that fits. */
function patterned(verb: Verb, draft: InputDraft): string | undefined {
  const { readOnly, content } = verb.command;
  if (readOnly || content !== undefined) return undefined;
  return positionalsOf(verb).map(({ field }) => field).find((field) => {
    const given = draft[field];
    return isNamed(field, verb.command.namedAs) && typeof given === "string" && isPattern(given);
  });
}

async function carryOut(verb: Verb, args: readonly string[], terminal: Terminal): Promise<number> {
  const given = readArguments(verb, args);
  try {
    return await carryOutGiven(verb, given, terminal);
  } catch (error) {
    if (error instanceof ApiError && isDone(verb, error, given.common)) return EXIT.done;
    throw error;
  }
}

async function carryOutGiven(verb: Verb, given: Arguments, terminal: Terminal): Promise<number> {
  const { common } = given;
  const why = unfit(verb, common);
  if (why !== undefined) throw new UsageError(why);
  const server = serverOf(await targetOf(common));
  const format = formatOf(common);
  waitedFor(verb, common); // a wrong one is told before anything is done
  if (common.timeout !== undefined) (await import("./wait.ts")).timeoutOf(common.timeout);
  const read = reader(terminal);
  const { input: draft, given: words } = await wholeInput(verb, given, terminal, read);
  await verb.extras.expand?.(draft, words, { server, read });
  const resources = new Resources(server, draft.host, verb.command.namedAs);
  const run: VerbRun = { verb, server, common, terminal, format, resources, names: given.names };
  const placed = given.each &&
    verb.command.places?.map((place) => /^<(\w+)\.\.\.>$/.exec(place)?.[1]).find(Boolean);
  const labels = verb.command.readOnly ? undefined : common.label;
  const labelled = labels &&
    await labelledIds(resources, labels, given.each !== undefined || draft.vmId !== undefined);
  const field = labelled === undefined ? placed ?? patterned(verb, draft) : "vmId";
  const each = labelled ??
    (placed === undefined && field !== undefined ? [String(draft[field])] : given.each);
  refuseMissing(verb, field === undefined ? draft : { ...draft, [field]: each });
  const ids = labelled ?? (field === undefined ? undefined : await idsOfEach(run, field, each!));
  if (ids?.length === 0) return EXIT.done;
  // A pattern is for several, whatever it fits: what it comes to is told.
  const isOne = ids === undefined || (labelled === undefined && each!.length === 1 && !isPattern(each![0]!));
  if (isOne && ids !== undefined) draft[field!] = ids[0];
  const input = await resolveIds(server, draft, resources);
  if (common["dry-run"]) return await tryOut(run, input);
  await growSize(verb, input, server);
  const names = isOne ? [] : await Promise.all(ids.map((id) => resources.nameOf(field!, id)));
  if (!confirmed(run, input, names)) {
    console.error(t("shell.nothing_done"));
    return EXIT.failed;
  }
  try {
    return isOne ? await carryOutOne(run, input) : await carryOutEach(run, field!, ids, input);
  } catch (error) {
    throw await withNearName(error, verb, input, server);
  }
}

/**
 * Carries out the verb a command line means.
 *
 * @param own verbs that are no commands of the contract: what `kvm-manager vm` tells names them, too
 * @returns the exit status; undefined when the line means no verb
 */
export async function runVerb(
  args: readonly string[],
  terminal: Terminal = TERMINAL,
  own: Readonly<Record<string, OwnVerb>> = {},
): Promise<number | undefined> {
  const wantsHelp = asksForHelp(args);
  const options = args.findIndex((arg) => arg.startsWith("-"));
  const words = options < 0 ? args : args.slice(0, options);
  const found = findVerb(args);
  if (!found) {
    const group = words.length > 0 ? verbsUnder(words) : [];
    if (group.length === 0) return undefined;
    const { groupHelp } = await import("./help.ts");
    const others = Object.entries(own).map(([name, { summary }]) => [name, summary] as const);
    (wantsHelp ? console.log : console.error)(groupHelp(words, group, others));
    return wantsHelp ? EXIT.done : EXIT.usage;
  }
  const { verb, rest } = found;
  if (wantsHelp) {
    const { helpOfVerb } = await import("./help.ts");
    console.log(helpOfVerb(verb));
    return EXIT.done;
  }
  try {
    return await carryOut(verb, rest, terminal);
  } catch (error) {
    return failed(error, verb.words);
  }
}
