import type { PortForward } from "../../lib/contract/forwards.ts";
import { forwardName } from "../../lib/network/forwards/describe.ts";
import { oneLine } from "../../lib/text/text.ts";
import { forwards as texts } from "../../lib/i18n/en/forwards.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Panel } from "../kit/Panel.tsx";
import { DataTable } from "../kit/DataTable.tsx";
import { RowVerbs } from "../kit/RowVerbs.tsx";
import { removal } from "./PortForwards.tsx";

const { t } = textsOf(texts);

/** Port forwards whose network is gone: kept until somebody removes them, or the network is there again. */
export function OrphanForwards({ forwards }: { forwards: readonly PortForward[] }) {
  if (forwards.length === 0) return null;
  return (
    <Panel title={t("forwards.orphans")}>
      <p class="text-muted pad">{t("forwards.orphans_what")}</p>
      <DataTable
        label={t("forwards.orphans")}
        rows={forwards}
        keyOf={({ id }) => id}
        attributesOf={({ id }) => ({ "data-forward": id })}
        columns={[
          { title: t("forwards.on_host"), cell: forwardName },
          { title: t("forwards.network"), cell: ({ network }) => <bdi>{oneLine(network, 60)}</bdi> },
          {
            title: t("forwards.actions"),
            kind: "actions",
            cell: (forward) => <RowVerbs name={forwardName(forward)} verbs={[removal(forward)]} enabled />,
          },
        ]}
      />
    </Panel>
  );
}
