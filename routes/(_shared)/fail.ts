import { HttpError } from "fresh";
import { ContractError } from "../../lib/contract/errors.ts";
import { failureOf } from "../../lib/text/failure.ts";

/** Turns what a command failed with into an error page: its own status and its exact text. For `.catch(fail)`. */
export function fail(error: unknown): never {
  if (error instanceof HttpError) throw error;
  const status = error instanceof ContractError ? error.status : 500;
  throw new HttpError(status, failureOf(error).why, { cause: error });
}

/** For what a page can do without: null while libvirt is away, as the page's banner says. Other errors are errors. */
export function unlessAway(error: unknown): null {
  return failureOf(error).status === 503 ? null : fail(error);
}
