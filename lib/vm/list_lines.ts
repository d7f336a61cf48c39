/** The list as lines of known height, which is what scrolling through a thousand of them needs. */
import type { VM } from "../contract/mod.ts";
import type { Grouping } from "./list_query.ts";
import type { VmGroup } from "./list.ts";

/** A group's heading, one VM's row, or a line of cards. */
export type ListLine =
  | { readonly kind: "group"; readonly key: string; readonly group: VmGroup }
  | { readonly kind: "row"; readonly key: string; readonly vm: VM }
  | { readonly kind: "cards"; readonly key: string; readonly vms: readonly VM[] };

/** Heights of the kinds of lines, in pixels. */
export type LineHeights = Readonly<Record<ListLine["kind"], number>>;

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size);
}

/**
 * Lays groups out in lines.
 *
 * @param columns Cards a line; 0 for a table's rows. `Infinity` while the width is unknown: the browser wraps them.
 */
export function listLines(groups: readonly VmGroup[], by: Grouping, columns: number): ListLine[] {
  const lines: ListLine[] = [];
  for (const group of groups) {
    if (by !== "none") lines.push({ kind: "group", key: `group ${group.key}`, group });
    // A VM with two tags is in two groups: the group is part of its line's key.
    if (columns === 0) {
      for (const vm of group.vms) lines.push({ kind: "row", key: `${group.key} ${vm.id}`, vm });
    } else {
      for (const vms of chunks(group.vms, columns)) {
        lines.push({ kind: "cards", key: `${group.key} ${vms[0]?.id}`, vms });
      }
    }
  }
  return lines;
}
