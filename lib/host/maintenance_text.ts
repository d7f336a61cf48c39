/** The maintenance of a host in a few words, for lists. */
import type { MaintenanceSummary } from "../contract/maintenance.ts";
import { maintenance as texts } from "../i18n/en/maintenance.ts";
import { textsOf } from "../i18n/mod.ts";
import { oneLine } from "../text/text.ts";

const { t } = textsOf(texts);

export function maintenanceText({ state, done, all, note }: MaintenanceSummary): string {
  const what = done === undefined || all === undefined
    ? t("maintenance.word")
    : state === "returning"
    ? t("maintenance.word_returning", { done, all })
    : state === "draining"
    ? t("maintenance.word_draining", { done, all })
    : t("maintenance.word");
  return note === "" ? what : `${what}: ${oneLine(note, 60)}`;
}
