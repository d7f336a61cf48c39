/** List of messages, the newest first. */
import { formatClock } from "../../../lib/text/time.ts";
import type { Desk } from "../desk.ts";
import { line, type StyledLine } from "../line.ts";
import type { PaneArea } from "../pane.ts";
import { folded } from "../width.ts";
import { ScrolledPane } from "./text.ts";
import { tui } from "../../../lib/i18n/en/tui.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

export class MessagesPane extends ScrolledPane {
  constructor(private readonly desk: Desk) {
    super(() => desk.close(this));
  }

  get title(): string {
    return t("tui.messages");
  }

  protected override content({ columns, look: { glyphs } }: PaneArea): readonly StyledLine[] {
    if (this.desk.messages.length === 0) return [line(` ${t("tui.none.messages")}`)];
    return [...this.desk.messages].reverse().flatMap(({ text, tone, at }) =>
      folded(`${formatClock(at)}  ${text}`, columns - 2, glyphs).map((each) => line(` ${each}`, tone))
    );
  }
}
