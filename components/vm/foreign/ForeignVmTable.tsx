import type { ForeignVmEntry } from "../../../lib/contract/mod.ts";
import { foreign as texts } from "../../../lib/i18n/en/foreign.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { askedHref, type ForeignAsked } from "../../../lib/vm/foreign_form.ts";
import { DataTable } from "../../kit/DataTable.tsx";
import { Panel } from "../../kit/Panel.tsx";

const { t } = textsOf(texts);

/** The VMs of a source, each with the way to what it becomes. */
export function ForeignVmTable(
  { asked, entries }: { asked: ForeignAsked; entries: readonly ForeignVmEntry[] },
) {
  const title = t("foreign.choose_title", { from: oneLine(asked.origin, 80) });
  return (
    <Panel title={title}>
      <DataTable
        label={title}
        rows={entries}
        keyOf={({ vm }) => vm}
        empty={t("foreign.choose_none")}
        columns={[
          { title: t("foreign.name"), cell: ({ vm }) => <bdi>{oneLine(vm, 80)}</bdi>, fit: "wide" },
          entries.some(({ state }) => state !== undefined) &&
          { title: t("foreign.state"), cell: ({ state }) => state },
          {
            title: t("foreign.open"),
            kind: "actions",
            cell: ({ vm }) => (
              <a
                class="button"
                href={askedHref({ ...asked, vm })}
                aria-label={t("foreign.open_named", { name: oneLine(vm, 80) })}
              >
                {t("foreign.open")}
              </a>
            ),
          },
        ]}
      />
      <div class="form-actions">
        <a class="button" href="/vms/import-from">{t("foreign.back")}</a>
      </div>
    </Panel>
  );
}
