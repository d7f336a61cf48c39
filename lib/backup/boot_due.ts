/** When copies are booted as a test by themselves. Pure. */
import { DAY_MS, HOUR_MS } from "../duration.ts";
import type { BootTestPolicy } from "../contract/backups.ts";

/** Milliseconds after which a weekly test is due; runs do not begin to the second. */
const WEEKLY_MS = 7 * DAY_MS - HOUR_MS;

/**
 * Whether a copy that was just made is to be booted.
 *
 * @param last when one of the same VM was tested last, in milliseconds since 1970
 */
export function isBootTestDue(policy: BootTestPolicy, last: number | undefined, now: number): boolean {
  if (policy === "never") return false;
  return policy === "each-run" || last === undefined || now - last >= WEEKLY_MS;
}
