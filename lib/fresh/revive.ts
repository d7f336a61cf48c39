/** Island props as they arrive in the browser: the inverse of `props.ts`. */
import { type Signal, signal } from "@preact/signals";
import type { Json } from "./server/props.ts";

/** Turns the table of signals into signals, and returns what turns an island's props back into values. */
export function reviver(values: readonly Json[]): (props: Json) => unknown {
  const signals: Signal<unknown>[] = values.map(() => signal());

  function revive(value: Json): unknown {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(revive);
    if (typeof value.$signal === "number") return signals[value.$signal];
    // fromEntries defines properties: a key "__proto__" stays a key
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key.startsWith("$") ? key.slice(1) : key, revive(item)]),
    );
  }

  values.forEach((value, place) => signals[place]!.value = revive(value));
  return revive;
}
