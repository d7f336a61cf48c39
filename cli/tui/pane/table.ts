/** A list of rows: one of them is selected, by its id, wherever it moves to; a search leaves out the others. */
import type { Glyphs } from "../glyphs.ts";
import { layout, type TextColumn } from "../columns.ts";
import { InputLine } from "../input_line.ts";
import { line, type Span, span, type StyledLine } from "../line.ts";
import type { Binding, Pane, PaneArea } from "../pane.ts";
import { columnsOf, folded } from "../width.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

/** Columns of the mark at the beginning of a row. */
const MARK = 2;

/** A column that its title fits into. */
function withTitle<R>(column: TextColumn<R>, { look: { glyphs } }: PaneArea): TextColumn<R> {
  const width = columnsOf(column.title, glyphs);
  return { ...column, least: Math.max(column.least, width), most: Math.max(column.most, width) };
}

export abstract class TablePane<R> implements Pane {
  abstract readonly title: string;
  #search = new InputLine();
  #isSearching = false;
  #selected: string | undefined;
  #index = 0;
  #top = 0;
  /** Rows that were shown last: a page up or down is as many. */
  #page = 10;

  /** The rows that fit to what is searched for; all for an empty text. */
  protected abstract rows(search: string): readonly R[];
  protected abstract idOf(row: R): string;
  protected abstract columns(place: PaneArea): readonly TextColumn<R>[];
  /** Keys for the selected row. */
  protected abstract actions(row: R | undefined): readonly Binding[];
  /** Said in the place of rows. @param search what no row has; empty where there are none at all */
  protected abstract empty(search: string): string;

  /** The row that is selected. Where it is gone, the one in its place is. */
  get selected(): R | undefined {
    const rows = this.rows(this.#search.text);
    return rows[this.#place(rows)];
  }

  /** Selects a row. */
  select(id: string): void {
    this.#selected = id;
  }

  lines(place: PaneArea): readonly StyledLine[] {
    const rows = this.rows(this.#search.text), text = this.#search.text;
    const head = this.#isSearching || text !== "" ? [this.#searchLine(place)] : [];
    if (rows.length === 0) {
      return [
        ...head,
        ...folded(this.empty(text), place.columns - 2, place.look.glyphs).map((each) => line(` ${each}`)),
      ];
    }
    const room = this.#page = Math.max(1, place.rows - head.length - 1);
    const at = this.#place(rows);
    this.#top = Math.max(0, Math.min(this.#top, at, rows.length - room));
    if (at >= this.#top + room) this.#top = at - room + 1;
    const columns = layout(this.columns(place).map((each) => withTitle(each, place)), place.columns - MARK);
    const titles: StyledLine = [
      span(" ".repeat(MARK)),
      ...columns.flatMap(({ column: { title, right }, width }) => [
        { text: title, width, style: "dim" as const, ...(right && { right }) },
        span(" "),
      ]),
    ];
    const shown = rows.slice(this.#top, this.#top + room).map((row, index) =>
      this.#row(row, this.#top + index === at, columns, place.look.glyphs)
    );
    return [...head, titles, ...shown];
  }

  bindings(): readonly Binding[] {
    const move = (
      keys: readonly string[],
      shown: string,
      label: string,
      to: (at: number) => number,
    ): Binding => ({
      keys,
      shown,
      label,
      isMinor: true,
      run: () => this.#move(to),
    });
    const moves = (letters: boolean): Binding[] => [
      move(letters ? ["up", "k"] : ["up"], "Up", t("tui.key.one_up"), (at) => at - 1),
      move(letters ? ["down", "j"] : ["down"], "Down", t("tui.key.one_down"), (at) => at + 1),
      move(["page-up"], "PgUp", t("tui.key.page_up"), (at) => at - this.#page),
      move(["page-down"], "PgDn", t("tui.key.page_down"), (at) => at + this.#page),
    ];
    if (this.#isSearching) {
      return [
        {
          keys: ["enter"],
          shown: "Enter",
          label: t("tui.key.to_list"),
          run: () => this.#isSearching = false,
        },
        { keys: ["esc"], shown: "Esc", label: t("tui.key.end_search"), run: () => this.#endSearch() },
        ...moves(false),
      ];
    }
    return [
      ...this.actions(this.selected),
      { keys: ["/"], label: t("tui.key.search"), run: () => this.#isSearching = true },
      ...(this.#search.text === ""
        ? []
        : [{ keys: ["esc"], shown: "Esc", label: t("tui.key.end_search"), run: () => this.#endSearch() }]),
      ...moves(true),
      move(["home", "g"], "Home", t("tui.key.first"), () => 0),
      move(["end", "G"], "End", t("tui.key.last"), () => Infinity),
    ];
  }

  type(key: string): void {
    if (this.#isSearching) this.#search.press(key);
  }

  paste(text: string): void {
    if (this.#isSearching) this.#search.insert(text);
  }

  click(press: string): void {
    const [, id] = /^row:(.*)$/s.exec(press) ?? [];
    if (id === undefined) return;
    const before = this.selected;
    if (before !== undefined && this.idOf(before) === id) this.opened(before);
    else this.select(id);
  }

  /** A click on the row that is selected. */
  protected opened(_row: R): void {}

  #endSearch(): void {
    this.#search.set("");
    this.#isSearching = false;
  }

  #place(rows: readonly R[]): number {
    const found = rows.findIndex((row) => this.idOf(row) === this.#selected);
    if (found >= 0) return this.#index = found;
    const at = Math.max(0, Math.min(this.#index, rows.length - 1));
    // Kept from now on: what comes before it does not move the selection to another.
    if (rows[at] !== undefined) this.#selected = this.idOf(rows[at]);
    return at;
  }

  #move(to: (at: number) => number): void {
    const rows = this.rows(this.#search.text);
    if (rows.length === 0) return;
    const at = Math.max(0, Math.min(rows.length - 1, to(this.#place(rows))));
    this.#selected = this.idOf(rows[at]!);
  }

  #searchLine({ columns, look }: PaneArea): StyledLine {
    const label = ` ${t("tui.search")} `;
    const text = this.#isSearching
      ? this.#search.spans(columns - columnsOf(label, look.glyphs), look.glyphs)
      : [span(this.#search.text)];
    return [span(label, "key"), ...text];
  }

  #row(
    row: R,
    isSelected: boolean,
    columns: ReturnType<typeof layout<R>>,
    glyphs: Glyphs,
  ): StyledLine {
    const press = `row:${this.idOf(row)}`;
    const cells = columns.flatMap(({ column: { cell, right }, width }): Span[] => {
      const { text, style = "plain" } = cell(row);
      const own = isSelected ? "selected" : style;
      return [{ text, width, style: own, press, ...(right && { right }) }, {
        text: " ",
        style: isSelected ? "selected" : "plain",
        press,
      }];
    });
    return [{ text: isSelected ? `${glyphs.marker} ` : "  ", press }, ...cells];
  }
}
