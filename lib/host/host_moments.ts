/**
 * Moments of a host whose clock differs, by another clock: what a linked host tells is told by the clock of who asks, and what
 * is asked of it is by its own. Pure.
 */
import type { TSchema } from "typebox";
import { fits } from "typebox/compile";

/** Parts of a schema that say which fields there are. */
interface Shape extends TSchema {
  readonly "x-host-clock"?: true;
  readonly anyOf?: readonly Shape[];
  readonly items?: Shape;
  readonly properties?: Readonly<Record<string, Shape>>;
}

/** Schemas without a moment, which are most of a contract: their values are not looked through. */
const known = new WeakMap<object, boolean>();

function hasMoments(schema: Shape): boolean {
  let has = known.get(schema);
  if (has === undefined) {
    const { anyOf = [], items, properties = {} } = schema;
    const parts = [...anyOf, ...items ? [items] : [], ...Object.values(properties)];
    has = schema["x-host-clock"] === true || parts.some(hasMoments);
    known.set(schema, has);
  }
  return has;
}

function shifted(schema: Shape, value: unknown, ms: number): unknown {
  if (!hasMoments(schema)) return value;
  const { anyOf, items, properties } = schema;
  if (anyOf !== undefined) {
    const part = anyOf.find((each) => fits(each, value));
    return part === undefined ? value : shifted(part, value, ms);
  }
  if (typeof value === "number") {
    // 0 stands for no time at all, and nothing is before it
    return value === 0 ? 0 : Math.min(Math.max(0, value + ms), Number.MAX_SAFE_INTEGER);
  }
  if (Array.isArray(value)) {
    return items === undefined ? value : value.map((each) => shifted(items, each, ms));
  }
  if (typeof value !== "object" || value === null || properties === undefined) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      Object.hasOwn(properties, name) ? shifted(properties[name]!, each, ms) : each,
    ]),
  );
}

/** A value with all moments by the host's clock moved. @param ms milliseconds; 0 gives the value itself */
export function shiftMoments<T>(schema: TSchema, value: T, ms: number): T {
  return ms === 0 ? value : shifted(schema, value, ms) as T;
}
