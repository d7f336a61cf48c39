/** Exit statuses: what each means, for help, man page and documentation; errors of the contract say theirs themselves. */
import type { ApiError } from "../lib/client/api.ts";
import { ERRORS } from "../lib/contract/errors.ts";

/** The one table. */
export const EXIT_STATUSES = {
  done: [0, "done"],
  failed: [1, "it failed, or was refused at the question whether to go on"],
  usage: [2, "wrong usage or input"],
  unavailable: [3, "the server or libvirt cannot be reached, or did not answer in time"],
  notFound: [4, "what it is about does not exist"],
  conflict: [5, "not possible now, as things are"],
  denied: [6, "not allowed, or not signed in"],
  notInTime: [7, "done, but what --wait waits for did not come in time"],
  interrupted: [130, "interrupted (Ctrl+C)"],
} as const satisfies Record<string, readonly [status: number, text: string]>;

type Name = keyof typeof EXIT_STATUSES;
/** Statuses by name. */
export const EXIT = Object.fromEntries(
  Object.entries(EXIT_STATUSES).map(([name, [status]]) => [name, status]),
) as { readonly [N in Name]: number };

/** Exit status of an error. */
export function exitStatus({ code }: Pick<ApiError, "code">): number {
  if (code === "Unreachable") return EXIT.unavailable;
  return Object.hasOwn(ERRORS, code) ? ERRORS[code as keyof typeof ERRORS].exit : EXIT.failed;
}
