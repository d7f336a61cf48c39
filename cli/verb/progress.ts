/** How far long work is: a bar on a terminal, lines elsewhere. On standard error, where it disturbs no answer. */
import type { Job } from "../../lib/contract/mod.ts";
import type { Terminal } from "../terminal.ts";
import { shell } from "../../lib/i18n/en/shell.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { duration, escapeControlCharacters } from "./cells.ts";

const { t } = textsOf(shell);

/** How far something is. */
export type Progress = Pick<Job, "title" | "progress" | "doneBytes" | "totalBytes" | "secondsLeft">;

const BAR = 20;
/** Elsewhere than on a terminal a line is printed for each so much of the whole. */
const LINE_SHARE = 0.1;

const amount = (done: number, total: number | null) =>
  total === null
    ? formatBytes(done)
    : t("shell.amount_of", { done: formatBytes(done), total: formatBytes(total) });

/** One line. Pure. */
export function progressLine({ title, progress, doneBytes, totalBytes, secondsLeft }: Progress): string {
  const filled = Math.round((progress ?? 0) * BAR);
  return [
    escapeControlCharacters(title),
    progress !== null && `[${"#".repeat(filled)}${"-".repeat(BAR - filled)}] ${Math.floor(progress * 100)} %`,
    doneBytes !== null && amount(doneBytes, totalBytes),
    secondsLeft !== null && t("shell.left", { time: duration(secondsLeft) }),
  ].filter((part) => part !== false).join("  ");
}

/** Milliseconds between two drawings: a terminal must not hold the work up. */
const REDRAW_MS = 100;

/** Shows how far one thing is. */
export class ProgressDisplay {
  #shown = "";
  #next = 0;
  #at = -Infinity;

  constructor(private readonly terminal: Pick<Terminal, "showsProgress" | "show">) {}

  update(progress: Progress): void {
    const line = progressLine(progress);
    const isWhole = progress.progress === 1, now = performance.now();
    if (line === this.#shown || (this.terminal.showsProgress && !isWhole && now - this.#at < REDRAW_MS)) {
      return;
    }
    this.#at = now;
    if (this.terminal.showsProgress) {
      // Back to the line's beginning; what the last one had more is cleared.
      this.terminal.show(`\r${line}\x1b[K`);
      this.#shown = line;
    } else if ((progress.progress ?? 0) >= this.#next || isWhole) {
      this.terminal.show(`${line}\n`);
      this.#shown = line;
      this.#next = (progress.progress ?? 0) + LINE_SHARE;
    }
  }

  /** Leaves the line. */
  end(): void {
    if (this.terminal.showsProgress && this.#shown !== "") this.terminal.show("\n");
    this.#shown = "";
  }
}
