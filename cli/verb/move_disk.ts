/** Output of `vm move-disk`: the disk's new volume, and the fate of the old one. */
import { message, render } from "../../lib/i18n/message.ts";
import type { Output } from "../../lib/contract/mod.ts";
import { receiptLine } from "./bin.ts";
import type { Report } from "./verb_extras.ts";

/** The old volume as a line: kept, with why where it was to go; in the bin; or deleted. */
function oldLine({ pool, volume, isThere, reason, bin }: Output<"move_disk">["oldVolume"]): string[] {
  const old = `${pool}/${volume}`;
  if (reason !== undefined) return [render(message`The old volume ${old} stays: ${reason}`)];
  if (isThere) return [render(message`The old volume ${old} stays.`)];
  return bin === null
    ? [render(message`The old volume ${old} was deleted for good.`)]
    : [render(message`The old volume ${old} was deleted.`), receiptLine(bin)];
}

/** The report of a move. */
export const MOVE_REPORT: Report = {
  before: (_server, { target }) => Promise.resolve(target),
  lines: (name, target, answer) => {
    const { pool, volume, format, oldVolume } = answer as Output<"move_disk">;
    return [
      render(message`Moved ${String(target)} of ${name} to ${`${pool}/${volume}`} (${format}).`),
      ...oldLine(oldVolume),
    ];
  },
};
