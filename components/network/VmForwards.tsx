import type { PortForward } from "../../lib/contract/forwards.ts";
import { forwards as texts } from "../../lib/i18n/en/forwards.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Panel } from "../kit/Panel.tsx";
import { ForwardTable } from "./PortForwards.tsx";

const { t } = textsOf(texts);

/** The port forwards that lead to a VM. They are changed on their network's page. */
export function VmForwards({ forwards }: { forwards: readonly PortForward[] }) {
  if (forwards.length === 0) return null;
  const title = t("forwards.title");
  return (
    <Panel title={title} class="vm-forwards">
      <p class="text-muted pad">{t("forwards.change")}</p>
      <ForwardTable label={title} forwards={forwards} withNetwork />
    </Panel>
  );
}
