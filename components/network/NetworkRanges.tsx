import { oneLine } from "../../lib/text/text.ts";
import { networks as texts } from "../../lib/i18n/en/networks.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { TextField } from "../kit/Field.tsx";
import { NetworkDhcpButton, NetworkDhcpForm, type NetworkPart } from "./NetworkDhcpForm.tsx";
import { Panel } from "../kit/Panel.tsx";
import { AddForm } from "../kit/AddForm.tsx";
import { DataTable } from "../kit/DataTable.tsx";

const { t } = textsOf(texts);

const rangeText = ({ start, end }: { start: string; end: string }) =>
  oneLine(t("networks.range", { start, end }), 100);

/** The addresses that are given away to whoever asks, and a form for more. */
export function DhcpRanges(part: NetworkPart) {
  const ranges = part.network.subnets.flatMap((subnet) => subnet.ranges);
  return (
    <Panel title={t("networks.ranges")}>
      <DataTable
        label={t("networks.ranges")}
        headless
        rows={ranges}
        keyOf={({ start }) => start}
        attributesOf={({ start }) => ({ "data-range": start })}
        empty={t("networks.ranges_none")}
        columns={[
          { title: t("networks.ranges"), kind: "code", cell: rangeText },
          {
            title: t("networks.actions"),
            kind: "actions",
            cell: (range) => (
              <NetworkDhcpButton
                {...part}
                about={{ start: range.start, end: range.end }}
                list="removeRanges"
                label={t("networks.remove")}
                title={t("networks.remove_range_of", { range: rangeText(range) })}
              />
            ),
          },
        ]}
      />
      <AddForm title={t("networks.add_range_form")}>
        <NetworkDhcpForm {...part}>
          <div class="form-grid">
            <TextField label={t("networks.range_start")} name="addRanges.0.start" required maxLength={45} />
            <TextField label={t("networks.range_end")} name="addRanges.0.end" required maxLength={45} />
          </div>
          <div class="form-actions">
            <button type="submit" class="button" disabled={!part.enabled}>
              {t("networks.add_range")}
            </button>
          </div>
        </NetworkDhcpForm>
      </AddForm>
    </Panel>
  );
}
