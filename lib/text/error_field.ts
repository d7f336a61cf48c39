/** The field of a form or an input that a refusal is about. Pure. */

/** The field's path; undefined where the refusal is about the whole. */
export function errorField(
  { message, details }: { readonly message: string; readonly details?: unknown },
): string | undefined {
  const { field } = (details ?? {}) as { field?: unknown };
  return typeof field === "string" ? field : /^Invalid input: ([\w.]+) /.exec(message)?.[1];
}
