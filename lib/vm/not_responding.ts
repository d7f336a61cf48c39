/** The server's messages about a VM that contain a moment; pages write them themselves, in the reader's time. Pure. */
import type { VM } from "../contract/vm.ts";
import { t } from "../i18n/mod.ts";
import { type EndStage, endText } from "../projects/end_date.ts";
import { formatWhen } from "../text/time.ts";

/** Since when and why a VM does not respond, and what helps, for API clients and the command line. */
export function notRespondingText({ since, call }: NonNullable<VM["notResponding"]>): string {
  return `It has not responded since ${
    new Date(since).toISOString()
  }: ${call}. Other VMs are not affected. Check the storage ` +
    "its disks are on; if it stays so, force it off.";
}

/** Since when a VM is shown as it was before, for API clients and the command line. */
export const notUnderstoodText = (since: number): string =>
  `Its host has told of it since ${
    new Date(since).toISOString()
  } what this version of KVM Manager does not understand. ` +
  "It is shown as it was before. Update KVM Manager here.";

const STAGES = ["day", "over"] as const satisfies readonly EndStage[];

/** The server's message about an end date, in the reader's words and time; any other text as it is. */
function inWords(text: string, endsAt: number | undefined): string {
  const stage = endsAt === undefined || text === ""
    ? undefined
    : STAGES.find((each) => endText(endsAt, each).startsWith(text));
  if (stage === undefined) return text;
  return t(stage === "over" ? "attention.ended" : "attention.ends", { at: formatWhen(endsAt!) });
}

/** Further reason why a VM needs attention. */
export function otherAttention(
  { attention, notResponding, notUnderstoodSince, endsAt }: Pick<
    VM,
    "attention" | "notResponding" | "notUnderstoodSince" | "endsAt"
  >,
): readonly string[] {
  const own = [
    ...notResponding === undefined ? [] : [notRespondingText(notResponding)],
    ...notUnderstoodSince === undefined ? [] : [notUnderstoodText(notUnderstoodSince)],
  ];
  // Lists cut long sentences
  return attention.filter((text) => text === "" || !own.some((each) => each.startsWith(text)))
    .map((text) => inWords(text, endsAt));
}
