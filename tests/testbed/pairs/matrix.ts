/**
 * Effect of each event on each object that is kept for a VM. Rows and columns are complete by type: a noun or an event
 * that is added does not compile until all its pairs are decided.
 */
import type { EVENTS } from "./events.ts";
import type { NounName } from "./nouns.ts";

/** Why no VM can have the thing when the event comes: the test holds that, too. */
export interface Impossible {
  readonly impossible: string;
}

/** `told`: the VM has none, and the answer, the activity or the VM itself says so. */
export type Cell = "has it" | "has none" | "told" | "refused" | Impossible;

const H = "has it", N = "has none", T = "told", R = "refused";
const X: Impossible = { impossible: "libvirt takes no checkpoint of a VM that has a snapshot" };

/** A cell for each event, in the order of {@link EVENTS}. */
type Row = Record<keyof typeof EVENTS, Cell>;

/** One row. @param cells in the order that the head of the table names */
function row(
  ...[rename, binKept, bin, clone, revert, inPlace, asNew, oldXml, name, uuid, network, pool, start]: Cells
): Row {
  return {
    "rename": rename,
    "delete, keep disks, restore": binKept,
    "delete with disks, restore": bin,
    "clone": clone,
    "revert to an earlier snapshot": revert,
    "restore in place": inPlace,
    "restore as a new VM": asNew,
    "defined by virsh from an old file": oldXml,
    "deleted, and another VM has its name": name,
    "deleted, and another VM has its UUID": uuid,
    "network deleted and made again": network,
    "pool deleted and made again": pool,
    "start": start,
  };
}
type Cells = [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];

/** A UUID that another program gives to another VM is the one key that libvirt itself takes for the same VM. */
// deno-fmt-ignore
export const MATRIX: Record<NounName, Row> = {
  //                             rename
  //                             |  bin, disks kept
  //                             |  |  bin with disks
  //                             |  |  |  clone
  //                             |  |  |  |  revert
  //                             |  |  |  |  |  in place
  //                             |  |  |  |  |  |  as new
  //                             |  |  |  |  |  |  |  old XML
  //                             |  |  |  |  |  |  |  |  name taken
  //                             |  |  |  |  |  |  |  |  |  UUID taken
  //                             |  |  |  |  |  |  |  |  |  |  network
  //                             |  |  |  |  |  |  |  |  |  |  |  pool
  //                             |  |  |  |  |  |  |  |  |  |  |  |  start
  "tags":                   row(H, H, H, T, H, H, N, T, N, N, H, H, H),
  "group":                  row(H, H, H, H, H, H, N, T, N, N, H, H, H),
  "title":                  row(H, H, H, H, N, N, N, N, N, N, H, H, H),
  "autostart":              row(H, H, H, N, H, H, N, H, N, N, H, H, H),
  "grant on the VM":        row(H, H, H, N, H, H, N, H, N, N, H, H, H),
  "grant on its group":     row(H, H, H, H, H, H, N, N, N, N, H, H, H),
  "schedule of the VM":     row(H, H, H, N, H, H, N, H, N, N, H, H, H),
  "schedule of its tag":    row(H, H, H, N, H, H, N, T, N, N, H, H, H),
  "backup of its tag":      row(H, H, H, N, H, H, N, T, N, N, H, H, H),
  "copies in a backup":     row(H, H, H, N, H, H, N, H, N, H, H, H, H),
  "checkpoint of a backup": row(N, N, N, N, X, N, N, H, N, N, H, H, H),
  "alert":                  row(H, H, H, N, H, H, N, H, N, N, H, H, H),
  "port forward":           row(H, H, H, N, H, H, N, H, N, N, H, H, H),
  "reserved address":       row(H, H, H, N, H, H, N, H, N, N, N, H, H),
  "snapshot":               row(H, H, H, N, H, R, N, H, N, N, H, H, H),
  "template":               row(H, H, H, H, H, H, H, H, H, H, H, R, H),
  "cloud-init seed":        row(H, H, H, N, N, N, N, N, N, N, H, H, H),
  "disk limit":             row(H, H, H, H, H, H, N, N, N, N, H, H, H),
  "network filter":         row(H, H, H, H, H, H, H, N, N, N, H, H, H),
  "shared folder":          row(H, H, H, N, N, T, N, N, N, N, H, H, H),
  "saved memory":           row(R, T, T, R, R, R, N, H, N, N, H, H, N),
  "UEFI variables":         row(H, H, H, H, H, H, N, H, N, N, H, H, H),
  "state of the TPM":       row(H, H, H, H, H, H, N, H, N, N, H, H, H),
  "passphrase of a disk":   row(H, H, H, R, R, H, N, N, N, N, H, H, H),
  "linked clone":           row(H, H, R, N, R, N, N, H, R, R, H, H, R),
};
