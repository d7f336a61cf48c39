/** Output of `vm migrate`: the VM's new host, and the copied amount. */
import { message, render } from "../../lib/i18n/message.ts";
import type { Output } from "../../lib/contract/mod.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import type { Report } from "./verb_extras.ts";

type Moved = Output<"migrate_vm">;

function diskLine({ target, shared, pool = "", volume = "", sizeBytes = 0 }: Moved["disks"][number]): string {
  return render(
    shared
      ? message`Disk ${target} is on storage that both hosts have.`
      : message`Disk ${target} (${formatBytes(sizeBytes)}) was copied to ${`${pool}/${volume}`}.`,
  );
}

/** The report of a move. */
export const MIGRATION_REPORT: Report = {
  before: () => Promise.resolve(undefined),
  lines: (name, _before, answer) => {
    const { toHost, disks, warnings } = answer as Moved;
    return [render(message`Moved ${name} to ${toHost}.`), ...disks.map(diskLine), ...warnings];
  },
};
