/** Options that are no fields of a command: how to print, which rows, what to wait for. One table for all doors of the shell. */
import { message, render } from "../../lib/i18n/message.ts";
import type { TargetValues } from "../connect/target.ts";
import type { ArgumentOption } from "../arguments.ts";
import { type ErrorCode, ERRORS } from "../../lib/contract/mod.ts";
import type { Verb } from "./find.ts";
import { OUTPUTS } from "./output.ts";
import { choicesOf, type FieldSchema } from "../../lib/text/values.ts";
import { WAITED_FOR } from "./waited_for.ts";

/** An option, whom it is for, and what it says. */
interface CommonOption extends ArgumentOption {
  /** Stands for its value. */
  readonly value?: string;
  readonly text: string;
  /** Verbs that have it; all without this. */
  readonly has?: (verb: Verb) => boolean;
  /** Why others refuse it: "is for …". Without this they take it, and nothing comes of it. */
  readonly why?: string;
}

/** The schema of a command's list, where it answers with one. */
export function listSchema({ command }: Pick<Verb, "command">): FieldSchema | undefined {
  const output: FieldSchema = command.output;
  const list = command.rows === undefined ? output : output.properties?.[command.rows];
  return list?.type === "array" ? list.items ?? {} : undefined;
}

/** The states that `--state` may say of a list, where the contract says which there are. */
export function statesOf(verb: Pick<Verb, "command">): readonly string[] | undefined {
  const { state } = listSchema(verb)?.properties ?? {};
  return state && choicesOf(state);
}

/** Whether a command answers when its work has begun: its answer says which job goes on. */
export const goesOn = ({ command }: Pick<Verb, "command">): boolean =>
  "jobId" in ((command.output as FieldSchema).properties ?? {});

/** Whether a verb is long work: a job while it is waited for, or one that goes on by itself. */
export function isWork(verb: Pick<Verb, "command">): boolean {
  const { errors, content } = verb.command;
  return goesOn(verb) || (content === undefined && errors.includes("JobCancelled"));
}

/** Whether it brings a VM into a state that can be waited for. */
const isAboutVm = ({ command }: Verb) => command.reaches !== undefined;
/** Whether VMs are all that it is given: labels may stand for them. */
const isForEachVm = ({ command: { places, cli, readOnly, content } }: Verb) =>
  !readOnly && content === undefined &&
  (places ?? cli).filter((part) => /^[<[]/.test(part)).every((part) => /^<vmId(\.\.\.)?>$/.test(part)) &&
  (places ?? cli).some((part) => part.startsWith("<"));
const isList = (verb: Verb) => listSchema(verb)?.type === "object" && verb.command.readOnly;
const hasFile = ({ command }: Verb) => command.content === "download" || command.file !== undefined;

const TABLE = {
  output: {
    type: "string",
    short: "o",
    value: OUTPUTS.join("|"),
    text: "how to print the answer (KVMM_OUTPUT); table when left out",
  },
  state: {
    type: "string",
    value: "STATE",
    text: "only rows in this state",
    has: (verb) => isList(verb) && "state" in (listSchema(verb)!.properties ?? {}),
    why: "is for lists whose rows have a state",
  },
  filter: {
    type: "string",
    multiple: true,
    value: "[COLUMN=]PATTERN|COLUMN>NUMBER",
    text:
      "only rows with this in a column, or anywhere; patterns as in a shell (*, ?, [1-5]), COLUMN!= for all others, " +
      "COLUMN>, >=, < and <= for numbers, sizes and times (memory>2G); may be given several times",
    has: isList,
    why: "is for lists",
  },
  label: {
    type: "string",
    multiple: true,
    value: "KEY[=VALUE]",
    text:
      "what has this label (a tag KEY=VALUE, or KEY of any value; patterns as in a shell); in the place of names",
    has: (verb) => (isList(verb) && "tags" in (listSchema(verb)!.properties ?? {})) || isForEachVm(verb),
    why: "is for lists whose rows have tags, and for what is done to VMs",
  },
  sort: { type: "string", value: "COLUMN", text: "sort by a column", has: isList, why: "is for lists" },
  reverse: { type: "boolean", short: "r", text: "the last one first", has: isList, why: "is for lists" },
  columns: {
    type: "string",
    value: "COLUMN,…",
    text: "columns of the table",
    has: isList,
    why: "is for lists",
  },
  watch: {
    type: "boolean",
    short: "w",
    text: "print it again whenever it changes",
    has: ({ command }) => command.readOnly && !command.content,
    why: "is for commands that change nothing",
  },
  wait: {
    type: "string",
    optional: WAITED_FOR,
    value: "[=STATE|agent|address]",
    text:
      "wait until the VM is in that state (the one it is brought to, when none is said), its guest agent answers, " +
      "or it has an address",
    has: (verb) => isAboutVm(verb) || isWork(verb),
    why: "is for what brings a VM into a state",
  },
  "no-wait": {
    type: "boolean",
    text: "do not wait for the end of the work",
    has: isWork,
    why: "is for long work",
  },
  timeout: {
    type: "string",
    value: "TIME",
    text: "longest time to wait, like 90s or 5m; 2m when left out, 0 for no end",
    has: isAboutVm,
    why: "is for what --wait waits for",
  },
  "dry-run": {
    type: "boolean",
    text: "check it and show what it comes to; change nothing",
    has: ({ extras }) => extras.dryRun !== undefined,
    why: "is for what can be checked first",
  },
  yes: {
    type: "boolean",
    short: "y",
    text: "do not ask, and replace files",
    has: (verb) => verb.command.destroys !== undefined || hasFile(verb),
  },
  quiet: {
    type: "boolean",
    short: "q",
    text: "print nothing of what was done",
    has: ({ command }) => !command.readOnly && command.file === undefined,
    why: "is for what changes something",
  },
  "if-needed": {
    type: "boolean",
    text: "it is no error when all is as asked already",
    has: ({ command }) => command.already !== undefined,
    why: "is for what starts or stops something",
  },
  "if-exists": {
    type: "boolean",
    text: "it is no error when what would go does not exist",
    has: ({ command }) =>
      command.destroys !== undefined && command.errors.some((code) => ERRORS[code].exit === 4),
    why: "is for what deletes something",
  },
  from: {
    type: "string",
    value: "FILE",
    text: "the file to send; said again after a break, it goes on",
    has: ({ command }) => command.content === "upload",
    why: "is for uploads",
  },
  out: {
    type: "string",
    value: "FILE|-",
    text: "write the file there (also --to); --yes replaces one",
    has: hasFile,
    why: "is for answers that are files",
  },
  to: { type: "string", text: "", has: hasFile, why: "is for answers that are files" },
  file: {
    type: "string",
    short: "f",
    value: "FILE|-",
    text: "fields of the input or words of the options, as YAML or JSON; options win",
  },
  input: { type: "string", value: "JSON|-", text: "the same on the command line" },
} as const satisfies Record<string, CommonOption>;

/** The options, as the parser takes them. */
export const COMMON_OPTIONS: { readonly [N in keyof typeof TABLE]: typeof TABLE[N] } = TABLE;

/** Values of these options. */
export interface CommonValues extends TargetValues {
  readonly output?: string;
  readonly file?: string;
  readonly input?: string;
  readonly state?: string;
  readonly filter?: readonly string[];
  readonly label?: readonly string[];
  readonly sort?: string;
  readonly reverse?: boolean;
  readonly columns?: string;
  readonly watch?: boolean;
  readonly yes?: boolean;
  /** True without a value. */
  readonly wait?: string | true;
  readonly "no-wait"?: boolean;
  readonly timeout?: string;
  readonly "dry-run"?: boolean;
  readonly quiet?: boolean;
  readonly "if-needed"?: boolean;
  readonly "if-exists"?: boolean;
  readonly from?: string;
  readonly out?: string;
  readonly to?: string;
}

const ROWS = Object.entries(TABLE) as [keyof typeof TABLE, CommonOption][];

/** The options that a verb has, but for those that fields of its own are called like. */
export function commonOptionsOf(
  verb: Verb,
  ownFlags: ReadonlySet<string>,
): [name: string, option: CommonOption][] {
  return ROWS.filter(([name, { has, text }]) =>
    text !== "" && !ownFlags.has(name) && (has === undefined || has(verb))
  );
}

/** Whether an error says that nothing is left to do, and that is no error to who asked. */
export function isDone(
  { command: { already = [] } }: Pick<Verb, "command">,
  { code }: { readonly code: string },
  { "if-needed": ifNeeded = false, "if-exists": ifExists = false }: CommonValues,
): boolean {
  if (ifNeeded && already.some((each) => each === code)) return true;
  return ifExists && Object.hasOwn(ERRORS, code) && ERRORS[code as ErrorCode].exit === 4;
}

/** Why a verb does not have one of the options it was given; undefined when it has all. */
export function unfit(verb: Verb, values: CommonValues): string | undefined {
  for (const [name, { has, why }] of ROWS) {
    if (values[name] !== undefined && why !== undefined && has?.(verb) === false) {
      return render(message`--${name} ${why}`);
    }
  }
  return undefined;
}
