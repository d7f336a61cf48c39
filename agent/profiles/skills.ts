/** Runs skills: each step is a call of dispatch as who runs it, bounded to the project and by the skill's permissions. */
import {
  type Command,
  type CommandName,
  COMMANDS,
  ContractError,
  type SkillStep,
  type ToolRef,
} from "../../lib/contract/mod.ts";
import { fromText } from "../../lib/contract/rest.ts";
import { sentenceOf } from "../../lib/contract/errors.ts";
import { notOffered } from "../../lib/mcp/offered.ts";
import { replaceSecrets } from "../../lib/mcp/secrets.ts";
import { filledInput, parametersIn, valuesFor, WHOLE_PLACE } from "../../lib/profiles/skill.ts";
import { toolText } from "../../lib/profiles/tools.ts";
import { formField } from "../../lib/text/form_input.ts";
import { unwrappedSchema } from "../../lib/text/values.ts";
import type { Principal } from "../access.ts";
import { type Dispatch, isCommand } from "../dispatch.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { limitedTo } from "./guard.ts";
import type { StoredTool } from "./records.ts";

/** Why a command cannot be a step, as the end of a sentence; undefined for one that can. */
function notAStep(name: string): string | undefined {
  if (!isCommand(name)) return "there is no such command";
  if (name === "run_skill") return "a skill runs no skill";
  const row: Command = COMMANDS[name];
  return notOffered(row);
}

/** Whether all texts in a value are places, and nothing else, or empty. */
const isOfPlaces = (value: unknown): boolean =>
  typeof value === "string"
    ? value === "" || WHOLE_PLACE.test(value)
    : typeof value !== "object" || value === null || Object.values(value).every(isOfPlaces);

/** Path in the input of a step to a secret that is no parameter; undefined for none. */
function literalSecret({ command, input }: SkillStep): string | undefined {
  let found: string | undefined;
  replaceSecrets(COMMANDS[command as CommandName].input, input, (secret, path) => {
    if (!isOfPlaces(secret)) found ??= path;
    return secret;
  });
  return found;
}

/**
 * Checks what a skill is to do, before it is kept. Secrets are parameters: steps are shown to who may see tools.
 *
 * @throws {ContractError} InvalidInput
 */
export function checkSkill(steps: readonly SkillStep[], parameters: readonly string[]): void {
  const refuse = (reason: string, field: string) => {
    throw new ContractError("InvalidInput", { reason, field });
  };
  if (steps.length === 0) refuse("a skill needs steps: give at least one", "steps");
  for (const [at, step] of steps.entries()) {
    const { command } = step, why = notAStep(command);
    if (why !== undefined) refuse(`step ${at + 1} cannot be ${command}: ${why}`, `steps.${at}.command`);
    const secret = literalSecret(step);
    if (secret === undefined) continue;
    refuse(
      `${secret} of step ${
        at + 1
      } is a secret, and is not kept: put a parameter in its place, as {{password}}`,
      `steps.${at}.input.${secret}`,
    );
  }
  const unknown = [...parametersIn(steps)].find((name) => !parameters.includes(name));
  if (unknown !== undefined) {
    refuse(
      `the steps have a place for ${unknown}, which is no parameter: name it in parameters`,
      "parameters",
    );
  }
}

/** The input of a step: where a field is a parameter and nothing else, its value is read as the field's schema wants it. */
function inputOf(
  name: CommandName,
  step: SkillStep,
  values: ReadonlyMap<string, string>,
): Record<string, unknown> {
  const { input }: Command = COMMANDS[name];
  const read = (given: unknown, filled: unknown, path: string): unknown => {
    if (typeof filled === "string") {
      const isWhole = typeof given === "string" && WHOLE_PLACE.test(given);
      const { schema } = isWhole ? formField(input, path) : {};
      return schema === undefined ? filled : fromText(unwrappedSchema(schema), filled);
    }
    if (typeof filled !== "object" || filled === null) return filled;
    const inner = ([field, value]: [string, unknown]) =>
      [
        field,
        read((given as Record<string, unknown>)[field], value, path === "" ? field : `${path}.${field}`),
      ] as const;
    const all = Object.entries(filled).map(inner);
    return Array.isArray(filled) ? all.map(([, value]) => value) : Object.fromEntries(all);
  };
  return read(step.input, filledInput(step, values), "") as Record<string, unknown>;
}

/** One run of a skill: the tool, its project, the given values, and who runs it. */
export interface SkillRun {
  readonly tool: StoredTool;
  readonly ref: ToolRef;
  readonly project: { readonly id: string; readonly name: string };
  readonly given: Readonly<Record<string, string>>;
  readonly principal: Principal;
}

/**
 * Carries the steps out, as a task.
 *
 * @returns how many steps were carried out
 * @throws {ContractError} InvalidInput before anything is done; SkillFailed, JobCancelled
 */
export async function runSkill(
  { dispatch, jobs }: { readonly dispatch: Dispatch; readonly jobs: Pick<Jobs, "run"> },
  { tool, ref, project, given, principal }: SkillRun,
): Promise<number> {
  checkSkill(tool.steps, tool.parameters);
  const values = valuesFor(tool.parameters, given);
  const steps = tool.steps.map((step) => {
    const command = step.command as CommandName;
    return { command, input: inputOf(command, step, values) };
  });
  const caller = limitedTo(principal, project.id, ref);
  const spec = {
    ...{ command: "run_skill", actor: principal.name } as const,
    title: `Run ${toolText(ref)} on ${project.name}`,
    ifInterrupted: "Look which steps were carried out, and run it again if it may be repeated.",
  };
  return await jobs.run(spec, async (job) => {
    for (const [at, { command, input }] of steps.entries()) {
      job.signal.throwIfAborted();
      if (principal.ended.aborted) throw new ContractError("TokenInvalid");
      try {
        await dispatch(command, input, caller);
      } catch (error) {
        throw new ContractError("SkillFailed", { step: at + 1, command, reason: sentenceOf(error) }, {
          cause: error,
        });
      }
      job.log(`Step ${at + 1} of ${steps.length}: ${command}`);
      job.progress(at + 1, steps.length);
    }
    return steps.length;
  });
}
