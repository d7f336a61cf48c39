import { type ComponentChildren, Fragment } from "preact";

/** A column of a {@link DataTable}. */
export interface Column<Row> {
  /** Its heading; on a narrow screen, where each row is a card, the word before the value. */
  readonly title: string;
  /**
   * Content of a row's cell. Empty values (`null`, `""`, `false`, `undefined`) are a dash, and are left out on a card.
   */
  readonly cell: (row: Row) => ComponentChildren;
  /** Figures stand to the right and are of equal width; `code` is in the mono face; `actions` has no visible heading. */
  readonly kind?: "number" | "code" | "actions";
  /** `wide` takes the room that is left and cuts its text; `wrap` breaks its lines. */
  readonly fit?: "wide" | "wrap";
}

/** Props of {@link DataTable}. */
export interface DataTableProps<Row> {
  /** Name of the table, for screen readers. */
  label: string;
  /** The first column names the row. `false` leaves a column out. */
  columns: readonly (Column<Row> | false)[];
  rows: readonly Row[];
  /** Tells rows apart. */
  keyOf: (row: Row) => string;
  /** Said in place of the table when it has no rows. */
  empty?: ComponentChildren;
  /** Attributes of a row: its `id`, or `data-…` that tests and styles find it by. */
  attributesOf?: (row: Row) => Readonly<Record<string, string | undefined>>;
  /** Details of a row, which open below it; its first cell then has a marker. Needs no script. */
  more?: { label: (row: Row) => string; content: (row: Row) => ComponentChildren };
  /** Hides the headings from sight: the panel around the table says them. */
  headless?: boolean;
  class?: string;
}

const CLASSES = { number: "num", code: "mono", actions: "cell-actions" } as const;

const isNothing = (content: ComponentChildren) =>
  content === null || content === undefined || content === false || content === "";

function classesOf(...names: (string | false | undefined)[]): string | undefined {
  return names.filter(Boolean).join(" ") || undefined;
}

function Cell<Row>({ column: { title, cell, kind, fit }, row, first, opener }: {
  column: Column<Row>;
  row: Row;
  first: boolean;
  /** Names what opens the row. */
  opener: string | undefined;
}) {
  const content = cell(row);
  const nothing = isNothing(content);
  const look = classesOf(kind && CLASSES[kind], fit, nothing && "empty-cell");
  if (first) {
    return (
      <th scope="row" class={look}>
        {opener === undefined ? content : (
          <details class="row-opener">
            <summary aria-label={opener}>{content}</summary>
          </details>
        )}
      </th>
    );
  }
  return (
    <td class={look} data-label={kind === "actions" ? undefined : title}>
      {nothing && kind !== "actions" ? <span class="none">–</span> : content}
    </td>
  );
}

/** Texts one below the other, for a cell; nothing where there are none. */
export function stacked(texts: readonly string[]): ComponentChildren {
  return texts.length === 0
    ? null
    : <span class="stack">{texts.map((text) => <span key={text}>{text}</span>)}</span>;
}

/**
 * A table of things, one a row. It scrolls sideways where it must, by keyboard too; where the page is narrow, each row
 * is a card with the columns' titles as labels.
 */
export function DataTable<Row>(
  { label, columns, rows, keyOf, empty, attributesOf, more, headless = false, class: extra }: DataTableProps<
    Row
  >,
) {
  if (rows.length === 0 && empty !== undefined) return <p class="text-muted pad">{empty}</p>;
  const shown = columns.filter((column) => column !== false);
  return (
    <div class="scroll-x" tabIndex={0} role="group" aria-label={label}>
      <table class={classesOf("table data-table", extra)}>
        <thead class={headless ? "headless" : undefined}>
          <tr>
            {shown.map(({ title, kind }) => (
              <th key={title} scope="col" class={kind === "number" ? "num" : undefined}>
                {kind === "actions" ? <span class="visually-hidden">{title}</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Fragment key={keyOf(row)}>
              <tr {...attributesOf?.(row)}>
                {shown.map((column, index) => (
                  <Cell
                    key={column.title}
                    column={column}
                    row={row}
                    first={index === 0}
                    opener={more?.label(row)}
                  />
                ))}
              </tr>
              {more && (
                <tr class="row-more">
                  <td colSpan={shown.length}>{more.content(row)}</td>
                </tr>
              )}
            </Fragment>
          ))}
        </tbody>
      </table>
    </div>
  );
}
