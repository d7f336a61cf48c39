import type { PortForward } from "../lib/contract/forwards.ts";
import { forwardName, forwardsHref } from "../lib/format/forwards.ts";
import { oneLine } from "../lib/format/text.ts";
import { forwards as texts } from "../lib/i18n/en/forwards.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { Panel } from "./Panel.tsx";

const { t } = textsOf(texts);

/** Port forwards whose network is gone: kept until somebody removes them, or the network is there again. */
export function OrphanForwards({ forwards }: { forwards: readonly PortForward[] }) {
  if (forwards.length === 0) return null;
  return (
    <Panel title={t("forwards.orphans")}>
      <p class="calm">{t("forwards.orphans_what")}</p>
      <table class="plain-table">
        <tbody>
          {forwards.map((forward) => (
            <tr key={forward.id} data-forward={forward.id}>
              <th scope="row">{forwardName(forward)}</th>
              <td>
                <bdi>{oneLine(forward.network, 60)}</bdi>
              </td>
              <td>
                <a
                  class="button ghost danger"
                  href={`${forwardsHref(forward.network)}?remove=${encodeURIComponent(forward.id)}`}
                  aria-label={t("forwards.remove_of", { what: forwardName(forward) })}
                >
                  {t("forwards.remove")}
                </a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
