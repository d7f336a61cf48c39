/** Records of snapshots that libvirt gets of a VM that has come. */
import { summarizeSnapshot } from "../../../lib/formats/xml/snapshot.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { SnapshotOfMove } from "../../operations/step.ts";
import { scan } from "../snapshots/scan.ts";

/** Has libvirt record those that it does not know yet. @param snapshots parents before their children @throws {LibvirtError} */
export async function recordMoved(
  host: Pick<LibvirtHost, "link">,
  uuid: string,
  snapshots: readonly SnapshotOfMove[],
): Promise<void> {
  if (snapshots.length === 0) return;
  const known = new Set((await scan(host, { id: uuid })).map(({ name }) => name));
  for (const { xml, isCurrent } of snapshots) {
    if (!known.has(summarizeSnapshot(xml).name)) {
      await host.link.call("snapshotRecord", { uuid, xml, isCurrent });
    }
  }
}
