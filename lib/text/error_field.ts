/** The field of a form or an input that a refusal is about. Pure. */

/** An error of the contract, or as it came over the wire. */
interface Refusal {
  readonly code?: unknown;
  readonly details?: unknown;
  /** As it goes over the wire, its reason in English. */
  readonly toJSON?: () => { readonly details?: unknown };
}

/** The field's path; undefined where the refusal is about the whole. Its reason begins with it, in English: programs read it. */
export function errorField(error: Refusal): string | undefined {
  const { field, reason } = (error.toJSON?.().details ?? error.details ?? {}) as {
    field?: unknown;
    reason?: unknown;
  };
  if (typeof field === "string") return field;
  return error.code === "InvalidInput" ? /^([\w.]+) /.exec(String(reason))?.[1] : undefined;
}
