/** The page of keys: every key that means something where it was opened. */
import type { Desk } from "../desk.ts";
import { line, span, type StyledLine } from "../line.ts";
import { type Binding, keyName, shownKey } from "../pane.ts";
import { ScrolledPane } from "./text.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

const KEY = 16;

export class KeysPane extends ScrolledPane {
  /** @param groups titles, and the keys below each */
  constructor(
    desk: Desk,
    private readonly groups: readonly (readonly [title: string, bindings: readonly Binding[]])[],
  ) {
    super(() => desk.close(this));
  }

  get title(): string {
    return t("tui.keys");
  }

  protected override content(): readonly StyledLine[] {
    return this.groups.flatMap(([title, bindings]) => [
      line(` ${title}`, "strong"),
      ...bindings.map((binding): StyledLine => [
        {
          text: `  ${[shownKey(binding), ...binding.keys.slice(1).map(keyName)].join(", ")}`,
          width: KEY,
          style: "key",
        },
        span(` ${binding.label}`),
      ]),
      line(""),
    ]);
  }
}
