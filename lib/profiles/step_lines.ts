/**
 * Steps of a skill as people write them, a line each: `set_tags vmId={{vm}} tags=web,{{tag}}`. A field is a path of the command's
 * input, as in forms (`cpu.count`, `disks.0.sizeGb`); its value is read as a form's. Pure.
 */
import { type Command, type CommandName, COMMANDS, ContractError } from "../contract/mod.ts";
import type { SkillStep } from "../contract/tools.ts";
import { message, type Sentence } from "../i18n/message.ts";
import { formField, formInput } from "../text/form_input.ts";
import { type FieldSchema, unwrappedSchema } from "../text/values.ts";
import { splitWords } from "../text/words.ts";

/** A text with the place of a parameter. */
const HAS_PLACE = /\{\{[a-z][a-z0-9_]*\}\}/;

type Fields = Record<string, unknown>;

const refused = (line: number, reason: Sentence) =>
  new ContractError("InvalidInput", { reason: message`line ${line}: ${reason}`, field: "steps" });

/** Puts a value at a path, where lists have their places by number. */
function put(at: Fields, path: string, value: unknown): void {
  const parts = path.split("."), last = parts.pop()!;
  let part: Fields = at;
  for (const [index, name] of parts.entries()) {
    const isList = /^\d+$/.test(parts[index + 1] ?? last);
    part = (part[name] ??= isList ? [] : {}) as Fields;
  }
  part[last] = value;
}

function stepOf(line: string, number: number): SkillStep {
  const words = splitWords(line);
  if (words === null) throw refused(number, "a quote is not closed");
  const [command = "", ...given] = words;
  if (!Object.hasOwn(COMMANDS, command)) {
    throw refused(number, message`there is no command ${JSON.stringify(command.slice(0, 64))}`);
  }
  const row: Command = COMMANDS[command as CommandName], schema: FieldSchema = row.input;
  const plain: [string, string][] = [], places: [string, unknown][] = [];
  for (const word of given) {
    const [, path = "", value = ""] = /^([A-Za-z_][\w.]*)=(.*)$/s.exec(word) ?? [];
    if (path === "") {
      throw refused(
        number,
        message`${JSON.stringify(word.slice(0, 64))} is no field with its value, as vmId=…`,
      );
    }
    const { schema: own } = formField(schema, path);
    if (own === undefined) throw refused(number, message`${command} has no field ${path.slice(0, 64)}`);
    if (!HAS_PLACE.test(value)) plain.push([path, value]);
    else if (unwrappedSchema(own).type === "array") {
      places.push([path, value.split(",").map((each) => each.trim())]);
    } else places.push([path, value]);
  }
  try {
    const input = formInput(row, plain);
    for (const [path, value] of places) put(input, path, value);
    return { command, input };
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw refused(number, error.details?.reason as Sentence ?? error.sentence);
  }
}

/** The steps that lines say; empty ones are left out. @throws {ContractError} InvalidInput, naming the line */
export const stepsIn = (text: string): SkillStep[] =>
  text.split(/\r?\n/).flatMap((line, at) => line.trim() === "" ? [] : [stepOf(line.trim(), at + 1)]);

const quoted = (text: string): string =>
  /^[^\s'"\\]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, (sign) => `\\${sign}`)}"`;

function wordsFor(value: unknown, path: string): string[] {
  const isList = Array.isArray(value) && value.every((each) => typeof each !== "object");
  if (typeof value === "object" && value !== null && !isList) {
    return Object.entries(value).flatMap(([name, each]) =>
      wordsFor(each, path === "" ? name : `${path}.${name}`)
    );
  }
  return [`${path}=${quoted(isList ? (value as unknown[]).join(",") : String(value))}`];
}

/** Steps as lines, to be changed. */
export const linesOf = (steps: readonly SkillStep[]): string =>
  steps.map(({ command, input }) => [command, ...wordsFor(input, "")].join(" ")).join("\n");
