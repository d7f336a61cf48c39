/** The page of keys: every key that means something where it was opened. */
import type { Desk } from "../desk.ts";
import { line, span, type StyledLine } from "../line.ts";
import { type Binding, keyName, shownKey } from "../pane.ts";
import { ScrolledPane } from "./text.ts";

const KEY = 16;

export class KeysPane extends ScrolledPane {
  readonly title = "Keys";

  /** @param groups titles, and the keys below each */
  constructor(
    desk: Desk,
    private readonly groups: readonly (readonly [title: string, bindings: readonly Binding[]])[],
  ) {
    super(() => desk.close(this));
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
