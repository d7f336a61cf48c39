/** Refuses what leads outside where that is closed. */
import { outsideClosed } from "../../ffi/outside.ts";

/** @throws {Error} with why nothing outside is connected to */
export function requireOutside(): void {
  const closed = outsideClosed();
  if (closed !== undefined) throw new Error(closed);
}
