/** End dates of VMs: when they are told, and in which words. Pure. */

const DAY_MS = 86_400_000;

/** How far an end date is told: a week and a day before, and when it has come. */
export type EndStage = "week" | "day" | "over";

/** Stage to warn about at a moment; null while the end is far off. Both in milliseconds since 1970. */
export function stageOf(endsAt: number, now: number): EndStage | null {
  if (now >= endsAt) return "over";
  if (now >= endsAt - DAY_MS) return "day";
  return now >= endsAt - 7 * DAY_MS ? "week" : null;
}

const dateOf = (at: number): string => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** Warning about a VM at a stage. */
export function endText(endsAt: number, stage: EndStage): string {
  const at = dateOf(endsAt);
  return stage === "over"
    ? `Its end date, ${at}, has passed: it was asked to shut down then. Nothing is deleted. Set another end date to ` +
      "keep it, or delete it."
    : `Its end date is ${at}: it is shut down then. Set another end date to keep it running.`;
}
