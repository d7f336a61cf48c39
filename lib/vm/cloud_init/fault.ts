/** The fault of a field that a command was refused for. */

/** Reads it from an error of the client or of the contract; undefined when the error is about no field. */
export function faultOf(error: unknown): { field: string; message: string } | undefined {
  const { details } = (error ?? {}) as { details?: unknown };
  const { field, reason } = (details ?? {}) as { field?: unknown; reason?: unknown };
  if (typeof field !== "string" || typeof reason !== "string") return undefined;
  const head = `cloudInit.${field} `;
  return { field, message: reason.startsWith(head) ? reason.slice(head.length) : reason };
}
