/** Frame around a pane: the title above it, the message and the keys below it. Pure. */
import type { DeskMessage } from "./desk.ts";
import { line, type Span, span, type StyledLine } from "./line.ts";
import { type Link, linkSpan, linkText } from "./link.ts";
import type { Binding, PaneArea } from "./pane.ts";
import { shownKey } from "./pane.ts";
import { columnsOf, fit, folded } from "./width.ts";
import { tui } from "../../lib/i18n/en/tui.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

/** Lines of what was said, at most: all of it is among the messages. */
const MOST_SAID = 3;
/** Lines of keys, at most. */
const MOST_KEYS = 2;

/** A page, and whether it is the one that is shown. */
export interface Tab {
  readonly key: string;
  readonly title: string;
  readonly isShown: boolean;
}

/** The first line: pages, what is above them, whose session it is, and how the connection is. */
export function header(
  tabs: readonly Tab[],
  above: readonly string[],
  { who, link, working }: { readonly who: string; readonly link: Link; readonly working: number },
  { columns, look: { glyphs } }: PaneArea,
): StyledLine {
  const left: Span[] = [
    span(" KVM Manager ", "title"),
    ...tabs.map(({ key, title, isShown }): Span => ({
      text: isShown ? `[${key} ${title}]` : ` ${key} ${title} `,
      style: "title",
      press: key,
    })),
    ...above.map((title) => span(` ${glyphs.unicode ? "›" : ">"} ${title}`, "title")),
  ];
  const right = [
    working > 0 ? `${t("tui.under_way", { n: working })}  ` : "",
    who === "" ? "" : `${fit(who, Math.floor(columns / 3), glyphs).text}  `,
    linkSpan(link).text,
    " ",
  ];
  const end = right.join(""), taken = columnsOf(end, glyphs);
  const room = Math.max(0, columns - taken);
  let used = 0;
  const fitting = left.flatMap((each): Span[] => {
    const width = Math.min(columnsOf(each.text, glyphs), room - used);
    used += width;
    return width <= 0 ? [] : [{ ...each, width }];
  });
  return [...fitting, { text: "", width: room - used, style: "title" }, span(end, "title")];
}

/** The present message: the state of the connection if it is not well, then the newest message. */
export function said(
  link: Link,
  message: DeskMessage | undefined,
  { columns, look: { glyphs }, now }: PaneArea,
): StyledLine[] {
  const fold = (text: string) => folded(text, columns - 2, glyphs);
  const trouble = link.state === "connecting" ? undefined : linkText(link, now);
  const lines = [
    ...(trouble === undefined ? [] : fold(trouble).map((each) => line(` ${each}`, "bad"))),
    ...(message === undefined ? [] : fold(message.text).map((each) => line(` ${each}`, message.tone))),
  ];
  return lines.length <= MOST_SAID
    ? lines
    : [...lines.slice(0, MOST_SAID - 1), line(` ${glyphs.cut} ${t("tui.said.more")}`, "dim")];
}

/** The keys that mean something now, in as many lines as they take; those without room are on the page of keys. */
export function keyHelp(bindings: readonly Binding[], { columns, look: { glyphs } }: PaneArea): StyledLine[] {
  const lines: Span[][] = [[]];
  let used = 0;
  for (const binding of bindings.filter(({ isMinor }) => isMinor !== true)) {
    const key = shownKey(binding), press = binding.keys[0]!;
    const parts: Span[] = [
      span(" "),
      { text: key, style: "key", press },
      { text: ` ${binding.label}`, press },
    ];
    const width = parts.reduce((sum, { text }) => sum + columnsOf(text, glyphs), 1);
    if (used + width > columns && used > 0) {
      if (lines.length === MOST_KEYS) break;
      lines.push([]);
      used = 0;
    }
    lines.at(-1)!.push(...parts, span(" "));
    used += width;
  }
  return lines;
}

/** A line across the screen. */
export const rule = ({ columns, look: { glyphs } }: PaneArea): StyledLine =>
  line(glyphs.rule.repeat(columns), "dim");
