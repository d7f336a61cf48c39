/** What `vm move-disk` says: where the disk is now, and what became of its old volume. */
import type { Output } from "../../lib/contract/mod.ts";
import { receiptLine } from "./bin.ts";
import type { Report } from "./verb_extras.ts";

/** The old volume as a line: kept, with why where it was to go; in the bin; or deleted. */
function oldLine({ pool, volume, isThere, reason, bin }: Output<"move_disk">["oldVolume"]): string[] {
  const old = `The old volume ${pool}/${volume}`;
  if (reason !== undefined) return [`${old} stays: ${reason}`];
  if (isThere) return [`${old} stays.`];
  return bin === null ? [`${old} was deleted for good.`] : [`${old} was deleted.`, receiptLine(bin)];
}

/** The report of a move. */
export const MOVE_REPORT: Report = {
  before: (_server, { target }) => Promise.resolve(target),
  lines: (name, target, answer) => {
    const { pool, volume, format, oldVolume } = answer as Output<"move_disk">;
    return [`Moved ${String(target)} of ${name} to ${pool}/${volume} (${format}).`, ...oldLine(oldVolume)];
  },
};
