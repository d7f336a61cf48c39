/** The field of a form or an input that a refusal is about. Pure. */
import { renderPlain } from "../i18n/message.ts";

/** The field's path; undefined where the refusal is about the whole. Its reason begins with it, in English: programs read it. */
export function errorField(
  { code, details }: { readonly code?: unknown; readonly details?: unknown },
): string | undefined {
  const { field, reason } = (details ?? {}) as { field?: unknown; reason?: unknown };
  if (typeof field === "string") return field;
  return code === "InvalidInput" ? /^([\w.]+) /.exec(String(renderPlain(reason)))?.[1] : undefined;
}
