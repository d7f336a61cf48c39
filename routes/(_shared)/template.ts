/** Functions shared by the pages on templates. */
import { ContractError } from "../../lib/contract/errors.ts";
import { type CloudInit, type CommandName, COMMANDS, type Input } from "../../lib/contract/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import { errorField } from "../../lib/text/error_field.ts";
import { failureOf } from "../../lib/text/failure.ts";
import { formInput } from "../../lib/text/form_input.ts";
import { givenIn, textIn } from "../../lib/text/form_fields.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { unlessAway } from "./fail.ts";
import { begin } from "./long_work.ts";

/** Milliseconds that a page waits for long work; after them its task shows how far it is. */
const SOON_MS = 3000;
/** Fields of the form that are no fields of the command. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["cloudInit", "user", "sshKey", "userData", "into"]);

/** Names of pools that keep files; none while libvirt is away. */
export async function filePools(api: PageState["api"]): Promise<string[]> {
  const pools = await api.getStoragePools().catch(unlessAway) ?? [];
  return pools.filter(({ type, state }) => ["dir", "fs", "netfs"].includes(type) && state === "running")
    .map(({ name }) => name);
}

/** Cloud-init of each new VM; undefined if the form does not ask for it. */
function cloudInitIn(form: FormData): CloudInit | undefined {
  if (form.get("cloudInit") !== "yes") return undefined;
  const userData = givenIn(form, "userData"), user = givenIn(form, "user"), key = givenIn(form, "sshKey");
  if (userData !== undefined) return { userData: `${userData.replaceAll("\r\n", "\n")}\n` };
  if (user === undefined) return { form: {} };
  return {
    form: { users: [{ name: user, sudo: "nopasswd", ...(key !== undefined && { sshKeys: [key] }) }] },
  };
}

/** A form's fields as the command's input. @throws {ContractError} InvalidInput, naming the field */
export function templateInput<N extends CommandName>(
  command: N,
  form: FormData,
  fixed: Partial<Input<N>>,
): Input<N> {
  const fields = [...form].filter(([name]) => !OWN_FIELDS.has(name));
  const cloudInit = cloudInitIn(form);
  const needed = Object.entries(fixed).map(([name, value]) => [name, String(value)] as const);
  const input = formInput(COMMANDS[command], [...needed, ...fields]);
  return { ...input, ...(cloudInit !== undefined && { cloudInit }) } as Input<N>;
}

/** Typed fields without those that may be secret. */
const typedIn = (form: FormData): Record<string, string> =>
  Object.fromEntries(
    [...form.keys()].filter((name) => name !== "userData").map((name) => [
      name,
      // Of boxes of one name, all that are ticked.
      name === "seal" ? form.getAll(name).join(",") : textIn(form, name),
    ]),
  );

/** Codes that are about the name. */
const NAME_CODES: ReadonlySet<string> = new Set(["InvalidName", "VmNameExists", "TemplateExists"]);

/** The field that an error is about. */
function fieldOf(error: unknown): string | undefined {
  if (!(error instanceof ContractError)) return undefined;
  return NAME_CODES.has(error.code) ? "name" : errorField(error);
}

/**
 * Carries long work out that a form asks for.
 *
 * @param work what its fields are refused with, at once or later, is an answer like any other
 * @returns null when it is done already, its task's page, or how it was refused
 */
export async function sendLong(
  api: PageState["api"],
  command: CommandName,
  form: FormData,
  work: () => Promise<unknown>,
): Promise<string | null | RefusedForm> {
  try {
    const begun = await begin(api, command, SOON_MS, work);
    return begun.isOver ? null : begun.href;
  } catch (error) {
    const at = fieldOf(error);
    return {
      command,
      typed: typedIn(form),
      withheld: textIn(form, "userData") === "" ? [] : ["userData"],
      failure: failureOf(error),
      ...(at !== undefined && { field: at }),
    };
  }
}
