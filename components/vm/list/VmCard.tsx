import { memo } from "../../kit/memo.ts";
import { ownHostname, systemOf } from "../../../lib/vm/os/guest_system.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { firstAddress } from "../../../lib/vm/list.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { CpuLoad, MemoryLoad } from "./LoadCells.tsx";
import { TruncatedText } from "../../kit/TruncatedText.tsx";
import { OsMark } from "../OsMark.tsx";
import { RowActions } from "./RowActions.tsx";
import { SelectBox } from "./SelectBox.tsx";
import { Thumbnail } from "../Thumbnail.tsx";
import { ageOf } from "./AwayHosts.tsx";
import { hostLabelOf, type VmItemProps } from "./vm_item.ts";
import { VmStateBadge } from "../VmStateBadge.tsx";

/** Props of {@link VmCard}. */
export interface VmCardProps extends VmItemProps {
  /** Place in the list. */
  place: string;
}

/** One VM as a card. */
export const VmCard = memo(function VmCard(props: VmCardProps) {
  const { vm, place, model, selected, enabled, onMenu } = props;
  const stats = model.stats(vm.id), recent = model.recentCpu(vm.id);
  const host = hostLabelOf(props);
  const away = model.awayOf(vm);
  const age = ageOf(vm, away, props.now);
  const subtitle = [vm.title || systemOf(vm)?.name, ownHostname(vm), firstAddress(vm), host, age]
    .filter((part) => part !== undefined).join(" · ");
  return (
    <div
      class="vm-card"
      role="listitem"
      data-vm={vm.id}
      data-away={away ? "" : undefined}
      data-selected={selected ? "" : undefined}
    >
      <div class="vm-card-head">
        <SelectBox vm={vm} model={model} selected={selected} />
        <OsMark vm={vm} />
        <a class="vm-link" href={`/vms/${encodeURIComponent(vm.id)}`}>
          <TruncatedText text={vm.name} />
        </a>
        <RowActions vm={vm} place={place} enabled={enabled && away === undefined} onMenu={onMenu} />
      </div>
      <p class="vm-card-sub ellipsis">{subtitle === "" ? "\u00a0" : oneLine(subtitle, 120)}</p>
      <a class="vm-card-screen" href={`/vms/${encodeURIComponent(vm.id)}`} tabIndex={-1}>
        {/* One that is away gives no newer picture. */}
        <Thumbnail vm={away ? { ...vm, responsive: false } : vm} />
      </a>
      <dl class="vm-card-loads">
        <dt>{t("column.cpu")}</dt>
        <dd>
          <CpuLoad vm={vm} stats={stats} recent={recent} />
        </dd>
        <dt>{t("column.memory")}</dt>
        <dd>
          <MemoryLoad vm={vm} stats={stats} />
        </dd>
      </dl>
      <p class="vm-card-foot">
        <VmStateBadge vm={vm} now={props.now} />
      </p>
    </div>
  );
});
