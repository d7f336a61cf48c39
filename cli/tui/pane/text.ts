/** Lines to read: an answer, details, messages. */
import { line, type StyledLine } from "../line.ts";
import type { Binding, Pane, Place } from "../pane.ts";
import { folded } from "../width.ts";

export abstract class ScrolledPane implements Pane {
  abstract readonly title: string;
  #top = 0;
  #most = 0;
  #page = 10;

  constructor(private readonly close: () => void) {}

  /** All of it. */
  protected abstract content(place: Place): readonly StyledLine[];
  /** Its keys beside those that scroll and close it. */
  protected actions(): readonly Binding[] {
    return [];
  }

  lines(place: Place): readonly StyledLine[] {
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
      ...{ keys, shown, label, isMinor: true },
      run: () => this.#top = Math.max(0, Math.min(this.#most, to(this.#top))),
    });
    return [
      ...this.actions(),
      { keys: ["esc", "q", "left"], shown: "Esc", label: "back", run: this.close },
      scroll(["up", "k"], "Up", "a line up", (top) => top - 1),
      scroll(["down", "j"], "Down", "a line down", (top) => top + 1),
      scroll(["page-up"], "PgUp", "a page up", (top) => top - this.#page),
      scroll(["page-down", " "], "PgDn", "a page down", (top) => top + this.#page),
      scroll(["home", "g"], "Home", "the beginning", () => 0),
      scroll(["end", "G"], "End", "the end", () => Infinity),
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

  protected override content({ columns, look: { glyphs } }: Place): readonly StyledLine[] {
    const lines = this.isTable ? this.text.split("\n") : folded(this.text, columns - 2, glyphs);
    return lines.map((each) => line(` ${each}`));
  }
}
