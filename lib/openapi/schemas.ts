/** The contract's schemas as OpenAPI's: those with a name of their own once, and meant by it everywhere else. Pure. */
import type { TSchema } from "typebox";
import { EVENTS } from "../contract/events.ts";
import * as contract from "../contract/mod.ts";

const isNamed = (value: unknown): value is TSchema =>
  typeof value === "object" && value !== null && "properties" in value && "type" in value &&
  value.type === "object";

/** Schema → its name: objects that the contract's modules export. */
const NAMES = new Map<unknown, string>(
  Object.entries(contract).filter(([, value]) => isNamed(value)).map(([name, value]) => [value, name]),
);

/** Parts of a schema that are for internal use alone. */
const PRIVATE: ReadonlySet<string> = new Set([
  "x-refusal",
  "x-secret",
  "x-one-time",
  "x-unrecorded",
  "x-input-of",
  "x-asked-with",
  "x-empty",
  "x-host-clock",
]);

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => referred(each));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !PRIVATE.has(key))
    .map(([key, part]) => [key, referred(part)] as const);
  // Not `writeOnly`: some of them are answered as well, such as a VM's XML.
  const secret = (value as { "x-secret"?: boolean })["x-secret"] === true && { format: "password" };
  // Every number of ours fits into a double's 53 bits, and no generator's int32 would.
  const wide = (value as { type?: unknown }).type === "integer" && { format: "int64" };
  return { ...Object.fromEntries(entries), ...wide, ...secret };
}

/** A schema, by its name where it has one. */
export function referred(value: unknown): unknown {
  const name = NAMES.get(value);
  return name === undefined ? copied(value) : { $ref: `#/components/schemas/${name}` };
}

/** Name of an event's schema: `vm-state-changed` → `VmStateChangedEvent`. */
export const eventName = (event: string) =>
  `${event.replace(/(^|-)([a-z])/g, (_all, _dash, letter: string) => letter.toUpperCase())}Event`;

/** Names that something refers to. */
function namesIn(value: unknown): string[] {
  return [...JSON.stringify(value).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!);
}

/** The schemas with a name that are used by a description, the events' data among them. */
export function namedSchemas(description: unknown): Record<string, unknown> {
  const all = everyNamed(), used = new Set<string>();
  const follow = (names: readonly string[]) => {
    for (const name of names) {
      if (used.has(name) || !Object.hasOwn(all, name)) continue;
      used.add(name);
      follow(namesIn(all[name]));
    }
  };
  follow(namesIn(description));
  return Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
}

function everyNamed(): Record<string, unknown> {
  const events = Object.entries(EVENTS).map(([name, { data }]) => [eventName(name), referred(data)] as const);
  return Object.fromEntries([
    ...[...NAMES].map(([schema, name]) => [name, copied(schema)] as const),
    ...events,
  ]);
}
