import { oneLine } from "../lib/format/text.ts";
import { networks as texts } from "../lib/i18n/en/networks.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { TextField } from "./Field.tsx";
import { NetworkDeedButton, NetworkDeedForm, type NetworkPart } from "./NetworkDhcpForm.tsx";
import { Panel } from "./Panel.tsx";

const { t } = textsOf(texts);

/** The addresses that are given away to whoever asks, and a form for more. */
export function DhcpRanges(part: NetworkPart) {
  const ranges = part.network.subnets.flatMap((subnet) => subnet.ranges);
  return (
    <Panel title={t("networks.ranges")}>
      {ranges.length === 0 ? <p class="calm">{t("networks.ranges_none")}</p> : (
        <table class="plain-table">
          <tbody>
            {ranges.map(({ start, end }) => {
              const shown = oneLine(t("networks.range", { start, end }), 100);
              return (
                <tr key={start} data-range={start}>
                  <th scope="row" class="mono">{shown}</th>
                  <td>
                    <NetworkDeedButton
                      {...part}
                      about={{ start, end }}
                      does="remove_range"
                      label={t("networks.remove")}
                      title={t("networks.remove_range_of", { range: shown })}
                    />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      <NetworkDeedForm {...part} class="static-form">
        <div class="form-grid">
          <TextField label={t("networks.range_start")} name="start" required maxLength={45} />
          <TextField label={t("networks.range_end")} name="end" required maxLength={45} />
        </div>
        <div class="form-actions">
          <button type="submit" class="button" name="action" value="add_range" disabled={!part.enabled}>
            {t("networks.add_range")}
          </button>
        </div>
      </NetworkDeedForm>
    </Panel>
  );
}
