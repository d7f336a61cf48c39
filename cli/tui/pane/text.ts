/** Lines to read: an answer, details, messages. */
import { line, type StyledLine } from "../line.ts";
import type { Binding, Pane, PaneArea } from "../pane.ts";
import { folded } from "../width.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

export abstract class ScrolledPane implements Pane {
  abstract readonly title: string;
  #top = 0;
  #most = 0;
  #page = 10;

  constructor(private readonly close: () => void) {}

  /** All of it. */
  protected abstract content(place: PaneArea): readonly StyledLine[];
  /** Its keys in addition to those that scroll and close it. */
  protected actions(): readonly Binding[] {
    return [];
  }

  lines(place: PaneArea): readonly StyledLine[] {
    const all = this.content(place);
    this.#page = Math.max(1, place.rows);
    this.#most = Math.max(0, all.length - this.#page);
    this.#top = Math.min(this.#top, this.#most);
    return all.slice(this.#top, this.#top + this.#page);
  }

  bindings(): readonly Binding[] {
    const scroll = (
      keys: readonly string[],
      shown: string,
      label: string,
      to: (top: number) => number,
    ): Binding => ({
      keys,
      shown,
      label,
      isMinor: true,
      run: () => this.#top = Math.max(0, Math.min(this.#most, to(this.#top))),
    });
    return [
      ...this.actions(),
      { keys: ["esc", "q", "left"], shown: "Esc", label: t("tui.key.back"), run: this.close },
      scroll(["up", "k"], "Up", t("tui.key.line_up"), (top) => top - 1),
      scroll(["down", "j"], "Down", t("tui.key.line_down"), (top) => top + 1),
      scroll(["page-up"], "PgUp", t("tui.key.page_up"), (top) => top - this.#page),
      scroll(["page-down", " "], "PgDn", t("tui.key.page_down"), (top) => top + this.#page),
      scroll(["home", "g"], "Home", t("tui.key.beginning"), () => 0),
      scroll(["end", "G"], "End", t("tui.key.end"), () => Infinity),
    ];
  }
}

/** A text. */
export class TextPane extends ScrolledPane {
  /** @param text may have several lines @param isTable its lines are cut where they are too long, not folded */
  constructor(
    readonly title: string,
    private readonly text: string,
    close: () => void,
    private readonly isTable = false,
  ) {
    super(close);
  }

  protected override content({ columns, look: { glyphs } }: PaneArea): readonly StyledLine[] {
    const lines = this.isTable ? this.text.split("\n") : folded(this.text, columns - 2, glyphs);
    return lines.map((each) => line(` ${each}`));
  }
}
