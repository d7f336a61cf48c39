/** The columns of the list of VMs. */
import type { PlainKey } from "../../../lib/i18n/mod.ts";
import type { Sort } from "../../../lib/vm/list_query.ts";

/** A column by which the list can be sorted. */
export interface SortableColumn {
  readonly sort: Sort;
  readonly label: PlainKey;
  readonly class: string;
}

const COLUMNS: readonly SortableColumn[] = [
  { sort: "state", label: "column.state", class: "col-state" },
  { sort: "name", label: "column.name", class: "col-name" },
  { sort: "host", label: "column.host", class: "col-host" },
  { sort: "tags", label: "column.tags", class: "col-tags" },
  { sort: "cpu", label: "column.cpu", class: "col-cpu" },
  { sort: "memory", label: "column.memory", class: "col-memory" },
  { sort: "address", label: "column.address", class: "col-address" },
  { sort: "disk", label: "column.disk", class: "col-disk" },
  { sort: "uptime", label: "column.uptime", class: "col-uptime" },
];

/** The columns that can be sorted, in order. */
export const sortableColumns = (manyHosts: boolean): readonly SortableColumn[] =>
  manyHosts ? COLUMNS : COLUMNS.filter(({ sort }) => sort !== "host");
