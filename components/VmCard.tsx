import { memo } from "./memo.ts";
import { osOf } from "../lib/format/os.ts";
import { oneLine } from "../lib/format/text.ts";
import { addressOf } from "../lib/format/vm_list.ts";
import { t } from "../lib/i18n/mod.ts";
import { CpuLoad, MemoryLoad } from "./LoadCells.tsx";
import { Name } from "./Name.tsx";
import { RowActions } from "./RowActions.tsx";
import { SelectBox } from "./SelectBox.tsx";
import { Thumbnail } from "./Thumbnail.tsx";
import type { VmItemProps } from "./vm_item.ts";
import { VmState } from "./VmState.tsx";

/** One machine as a card. */
export const VmCard = memo(function VmCard({ vm, model, selected, enabled, onMenu }: VmItemProps) {
  const stats = model.stats(vm.id);
  const subtitle = [vm.title || osOf(vm), addressOf(vm)].filter((part) => part !== undefined).join(" · ");
  return (
    <div class="vm-card" role="listitem" data-vm={vm.id} data-selected={selected ? "" : undefined}>
      <div class="vm-card-head">
        <SelectBox vm={vm} model={model} selected={selected} />
        <a class="vm-link" href={`/vms/${encodeURIComponent(vm.id)}`}>
          <Name text={vm.name} />
        </a>
        <RowActions vm={vm} enabled={enabled} onMenu={onMenu} />
      </div>
      <p class="vm-card-sub ellipsis">{subtitle === "" ? "\u00a0" : oneLine(subtitle, 120)}</p>
      <a class="vm-card-screen" href={`/vms/${encodeURIComponent(vm.id)}`} tabIndex={-1}>
        <Thumbnail vm={vm} />
      </a>
      <dl class="vm-card-loads">
        <dt>{t("column.cpu")}</dt>
        <dd>
          <CpuLoad vm={vm} stats={stats} />
        </dd>
        <dt>{t("column.memory")}</dt>
        <dd>
          <MemoryLoad vm={vm} stats={stats} />
        </dd>
      </dl>
      <p class="vm-card-foot">
        <VmState vm={vm} />
      </p>
    </div>
  );
});
