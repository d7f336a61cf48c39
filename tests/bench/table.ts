/** Rows as text, a line each: the widths of the columns do not depend on the rows, which come one after the other. */
import { type Aim, holds, type Row, UNITS } from "./row.ts";

interface Column {
  readonly head: string;
  readonly width: number;
  readonly right?: true;
  readonly cell: (row: Row) => string;
}

const COLUMNS: readonly Column[] = [
  { head: "what", width: 73, cell: ({ what }) => what },
  { head: "ours", width: 8, right: true, cell: ({ ours, unit }) => ours.toFixed(UNITS[unit]) },
  { head: "theirs", width: 8, right: true, cell: ({ theirs, unit }) => theirs?.toFixed(UNITS[unit]) ?? "–" },
  { head: "ratio", width: 6, right: true, cell: ({ ratio }) => ratio === null ? "–" : digits(ratio) },
  { head: "unit", width: 5, cell: ({ unit }) => unit },
  { head: "runs", width: 4, right: true, cell: ({ runs }) => String(runs) },
  { head: "peer", width: 34, cell: ({ peer }) => peer ?? "–" },
  { head: "aim", width: 18, cell: ({ aim, unit }) => aim === null ? "" : aimText(aim, unit) },
  { head: "", width: 6, cell: (row) => ({ true: "yes", false: "MISSED", null: "" })[`${holds(row)}`] },
];

/** Small ratios need more digits than great ones. */
function digits(ratio: number): string {
  return ratio.toFixed(ratio < 0.1 ? 3 : 2);
}

function aimText({ ratio, most }: Aim, unit: string): string {
  const parts = [
    ...(most === undefined ? [] : [`≤ ${most} ${unit}`]),
    ...(ratio === undefined ? [] : [`≤ ${digits(ratio)} ×`]),
  ];
  return parts.join(", ");
}

/** Cells side by side; what is too long for its column moves the rest of its line. */
function line(cellOf: (column: Column) => string): string {
  return COLUMNS.map((column) => {
    const cell = cellOf(column);
    return column.right ? cell.padStart(column.width) : cell.padEnd(column.width);
  }).join("  ").trimEnd();
}

/** The line above all rows. */
export const HEAD: string = line(({ head }) => head);

/** The line of a row. */
export const tableLine = (row: Row): string => line(({ cell }) => cell(row));
