import assert from "node:assert/strict";
import { COMMANDS, EVENTS } from "./mod.ts";

/** Fields that handlers may fill with messages (`Unrendered` in `lib/i18n/message.ts`). */
const FIELDS: ReadonlySet<string> = new Set([
  "hindrance",
  "message",
  "notes",
  "reason",
  "usedBy",
  "warnings",
]);
/** Texts that no handler fills with a message: what somebody wrote, and what is of the host alone. */
const PLAIN: ReadonlySet<string> = new Set([
  ...["silence_alert.reason", "list_silences.reason"],
  ...["error.message", "reload.reason"],
  // What ssh and programs on the host say
  ...["list_credentials.faults.reason", "rotate_credential.faults.reason"],
]);

/** Paths of such fields that are plain texts. */
function* unmarked(schema: unknown, path: string): Generator<string> {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "properties") {
      for (const [name, field] of Object.entries(value as Record<string, unknown>)) {
        if (FIELDS.has(name) && isPlainText(field)) yield `${path}.${name}`;
        yield* unmarked(field, `${path}.${name}`);
      }
    } else yield* unmarked(value, path);
  }
}

/** Whether a schema is of a text, or of a list of texts, without the mark. */
function isPlainText(schema: unknown): boolean {
  const { type, items, anyOf = [] } = schema as { type?: string; items?: unknown; anyOf?: unknown[] };
  if (type === "array") return isPlainText(items);
  return type === "string" && !Object.hasOwn(schema as object, "x-sentence") || anyOf.some(isPlainText);
}

Deno.test("sentences of answers are marked, so that messages in them are told as texts", () => {
  const schemas = [
    ...Object.entries(COMMANDS).map(([name, { output }]) => [name, output] as const),
    ...Object.entries(EVENTS).map(([name, { data }]) => [name, data] as const),
  ];
  const found = schemas.flatMap(([name, schema]) => [...unmarked(schema, name)]);
  assert.deepEqual(found.filter((path) => !PLAIN.has(path)), []);
});
