/** How the connection to the server is, in words. Pure. */
import { sentence } from "../sentence.ts";
import { duration } from "../verb/cells.ts";
import { type Span, span } from "./line.ts";
import { tui } from "../../lib/i18n/en/tui.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

/** The connection. */
export type Link =
  | { readonly state: "connecting" }
  | { readonly state: "connected" }
  /** @property since when it was heard last, or when the connection broke, in milliseconds since 1970 */
  | { readonly state: "silent"; readonly since: number }
  | { readonly state: "broken"; readonly since: number; readonly reason: string };

/** Text that the data shown are old, with the reason; undefined while the connection is well. */
export function linkText(link: Link, now: number): string | undefined {
  switch (link.state) {
    case "connecting":
      return t("tui.link.connecting");
    case "connected":
      return undefined;
    case "silent":
      return t("tui.link.silent", { time: duration((now - link.since) / 1000) });
    case "broken":
      return t("tui.link.broken", {
        time: duration((now - link.since) / 1000),
        reason: sentence(link.reason),
      });
  }
}

/** The same in a word or two. */
export function linkSpan(link: Link): Span {
  switch (link.state) {
    case "connecting":
      return span(t("tui.link.word_connecting"), "title");
    case "connected":
      return span(t("tui.link.word_live"), "title");
    case "silent":
      return span(t("tui.link.word_silent"), "title");
    case "broken":
      return span(t("tui.link.word_broken"), "title");
  }
}
