/** The form that a page was sent, before anything is made of it. */
import { ContractError } from "../../lib/contract/errors.ts";
import { requireBounded } from "../../lib/text/form_input.ts";
import { isSecretName } from "../../lib/text/secret_fields.ts";
import { ClientGone, unlessClientGone } from "./client_gone.ts";
import { fail } from "./fail.ts";

/** Content types that browsers send forms with. */
const FORM_TYPES: ReadonlySet<string> = new Set(["application/x-www-form-urlencoded", "multipart/form-data"]);

/** A form that was read, for its page to show again. */
export interface ReadForm {
  readonly fields: FormData;
  /** Whether a field must not be sent back. */
  isSecret: (name: string) => boolean;
  /** Path and query of the page that shows it again, where that is not the address it was sent to. */
  page?: string;
}

const read = new WeakMap<Request, ReadForm>();

/** The form of a request that was read. */
export const sentForm = (req: Request): ReadForm | undefined => read.get(req);

/** Reads the form of a request. @throws {ContractError} FormExpected, InvalidInput @throws {ClientGone} */
export async function readForm(req: Request): Promise<FormData> {
  const type = (req.headers.get("content-type") ?? "").replace(/;.*/s, "").trim().toLowerCase();
  if (!FORM_TYPES.has(type)) {
    throw new ContractError("FormExpected", { type: type.slice(0, 64) || "of no type" });
  }
  let form: FormData;
  try {
    form = await unlessClientGone(req.formData());
  } catch (cause) {
    if (cause instanceof ClientGone) throw cause;
    throw new ContractError("InvalidInput", { reason: "the form cannot be read" }, { cause });
  }
  requireBounded(form.keys());
  read.set(req, { fields: form, isSecret: isSecretName });
  return form;
}

/** The same for a page: what is wrong is an error page. @throws {HttpError} 400, 415 */
export const postedForm = (req: Request): Promise<FormData> => readForm(req).catch(fail);
