/** The result as text. */
import { type Aim, holds, type Row, UNITS } from "./row.ts";

const COLUMNS: readonly { head: string; right?: true; cell: (row: Row) => string }[] = [
  { head: "what", cell: ({ what }) => what },
  { head: "ours", right: true, cell: ({ ours, unit }) => ours.toFixed(UNITS[unit]) },
  { head: "theirs", right: true, cell: ({ theirs, unit }) => theirs?.toFixed(UNITS[unit]) ?? "–" },
  { head: "ratio", right: true, cell: ({ ratio }) => ratio === null ? "–" : digits(ratio) },
  { head: "unit", cell: ({ unit }) => unit },
  { head: "runs", right: true, cell: ({ runs }) => String(runs) },
  { head: "peer", cell: ({ peer }) => peer ?? "–" },
  { head: "aim", cell: ({ aim, unit }) => aim === null ? "" : aimText(aim, unit) },
  { head: "", cell: (row) => ({ true: "yes", false: "MISSED", null: "" })[`${holds(row)}`] },
];

/** Small ratios need more digits than great ones. */
function digits(ratio: number): string {
  return ratio.toFixed(ratio < 0.1 ? 3 : 2);
}

function aimText({ ratio, most }: Aim, unit: string): string {
  const parts = [
    ...(most === undefined ? [] : [`≤ ${most} ${unit}`]),
    ...(ratio === undefined ? [] : [`≤ ${ratio} ×`]),
  ];
  return parts.join(", ");
}

/** Lines of text, one a row, under a line of heads. */
export function table(rows: readonly Row[]): string {
  const cells = [COLUMNS.map(({ head }) => head), ...rows.map((row) => COLUMNS.map(({ cell }) => cell(row)))];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((line) => line[column]!.length)));
  return cells.map((line) =>
    line.map((text, column) =>
      COLUMNS[column]!.right ? text.padStart(widths[column]!) : text.padEnd(widths[column]!)
    )
      .join("  ").trimEnd()
  ).join("\n");
}
