/** How the connection to the server is, in words. Pure. */
import { duration } from "../verb/cells.ts";
import { type Span, span } from "./line.ts";

/** The connection. */
export type Link =
  | { readonly state: "connecting" }
  | { readonly state: "connected" }
  /** @property since when it was heard last, or when the connection broke, in milliseconds since 1970 */
  | { readonly state: "silent"; readonly since: number }
  | { readonly state: "broken"; readonly since: number; readonly reason: string };

/** What is shown is old, and why. */
export function linkText(link: Link, now: number): string | undefined {
  switch (link.state) {
    case "connecting":
      return "Connecting…";
    case "connected":
      return undefined;
    case "silent":
      return `The server has not answered for ${
        duration((now - link.since) / 1000)
      }. What is shown is as old. Trying again.`;
    case "broken":
      return `Not connected for ${duration((now - link.since) / 1000)}: ${
        sentence(link.reason)
      } What is shown is as old. Trying again.`;
  }
}

/** With its end, where it has none yet. */
const sentence = (text: string) => /[.?!]$/.test(text) ? text : `${text}.`;

/** The same in a word or two. */
export function linkSpan(link: Link): Span {
  switch (link.state) {
    case "connecting":
      return span("connecting", "title");
    case "connected":
      return span("live", "title");
    case "silent":
      return span("NO ANSWER", "title");
    case "broken":
      return span("NOT CONNECTED", "title");
  }
}
