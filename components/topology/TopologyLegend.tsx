import type { VmState } from "../../lib/contract/vm.ts";
import { STATE_ORDER } from "../../lib/vm/state.ts";
import { topology as texts } from "../../lib/i18n/en/topology.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { StateBadge } from "../vm/StateBadge.tsx";

const { t } = textsOf(texts);

function Line({ kind, text }: { kind: "live" | "routed" | "off"; text: string }) {
  return (
    <li>
      <svg width="34" height="10" viewBox="0 0 34 10" aria-hidden="true">
        <path
          class="topo-line"
          d="M1 5H33"
          data-off={kind === "off" ? "" : undefined}
          data-routed={kind === "routed" ? "" : undefined}
        />
      </svg>
      {text}
    </li>
  );
}

/** Legend of lines and signs. @param states those that some VM is in */
export function TopologyLegend({ states }: { states: ReadonlySet<VmState> }) {
  return (
    <ul class="topo-legend" aria-label={t("topology.legend")}>
      {STATE_ORDER.filter((state) => states.has(state)).map((state) => (
        <li key={state}>
          <StateBadge vm={{ state, responsive: true }} />
        </li>
      ))}
      <Line kind="live" text={t("topology.line_plugged")} />
      <Line kind="routed" text={t("topology.line_routed")} />
      <Line kind="off" text={t("topology.line_off")} />
    </ul>
  );
}
