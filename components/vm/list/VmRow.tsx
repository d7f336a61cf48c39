import { memo } from "../../kit/memo.ts";
import type { ListQuery } from "../../../lib/vm/list_query.ts";
import { listHref } from "../../../lib/vm/list_query.ts";
import { ownHostname, systemOf } from "../../../lib/vm/os/guest_system.ts";
import { formatDisk } from "../../../lib/text/quantity.ts";
import { isLive, needsAttention } from "../../../lib/vm/state.ts";
import { otherAttention } from "../../../lib/vm/not_responding.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { firstAddress } from "../../../lib/vm/list.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { Icon } from "../../kit/Icon.tsx";
import { CpuLoad, MemoryLoad, RowFacts } from "./LoadCells.tsx";
import { TruncatedText } from "../../kit/TruncatedText.tsx";
import { OsMark } from "../OsMark.tsx";
import { RowActions } from "./RowActions.tsx";
import { SelectBox } from "./SelectBox.tsx";
import { TagList } from "../TagList.tsx";
import { Uptime } from "../Uptime.tsx";
import { VmStateBadge } from "../VmStateBadge.tsx";
import { ageOf } from "./AwayHosts.tsx";
import { hostLabelOf, type VmItemProps } from "./vm_item.ts";

/** Props of {@link VmRow}. */
export interface VmRowProps extends VmItemProps {
  /** Place in the whole table, for screen readers; the header is 1. */
  rowIndex: number;
  query: ListQuery;
}

/**
 * Small text next to the name: the title, else the operating system; the guest's own name; and while its host is away,
 * the age of the row.
 */
function subtitleOf({ vm, model, now }: VmRowProps): string {
  const about = vm.title !== undefined && vm.title !== "" ? vm.title : systemOf(vm)?.name;
  return [about, ownHostname(vm), ageOf(vm, model.awayOf(vm), now)].filter((part) => part !== undefined)
    .join(" · ");
}

/** One VM in the table. Rendered again when something about the VM changed; its loads render themselves. */
export const VmRow = memo(function VmRow(props: VmRowProps) {
  const { vm, model, rowIndex, query, now, enabled, onMenu } = props;
  const tags = <TagList tags={vm.tags} hrefOf={(tag) => listHref(query, { tag })} />;
  const stats = model.stats(vm.id), recent = model.recentCpu(vm.id);
  const address = firstAddress(vm);
  const host = hostLabelOf(props), subtitle = subtitleOf(props), isAway = model.awayOf(vm) !== undefined;
  return (
    <tr
      class="vm-row"
      data-vm={vm.id}
      data-away={isAway ? "" : undefined}
      data-selected={props.selected ? "" : undefined}
      aria-rowindex={rowIndex}
      onContextMenu={(event) => {
        event.preventDefault();
        const { clientX: x, clientY: y } = event;
        onMenu(vm, new DOMRect(x, y, 0, 0));
      }}
    >
      <td class="col-select">
        <SelectBox vm={vm} model={model} selected={props.selected} />
      </td>
      <td class="col-state">
        <VmStateBadge vm={vm} now={now} />
      </td>
      <th scope="row" class="col-name">
        <span class="name-cell">
          {needsAttention(vm) && (
            <span
              class="attention-mark"
              title={oneLine(otherAttention(vm).join(" · ") || t("state.attention"))}
            >
              <Icon name="alert" />
              <span class="visually-hidden">{t("state.attention")}</span>
            </span>
          )}
          <OsMark vm={vm} />
          <a class="vm-link" href={`/vms/${encodeURIComponent(vm.id)}`}>
            <TruncatedText text={vm.name} />
          </a>
          {host !== undefined && (
            <small class="row-host">
              <TruncatedText text={host} longest={40} />
            </small>
          )}
          {subtitle && (
            <small>
              <TruncatedText text={subtitle} longest={80} />
            </small>
          )}
          {isLive(vm) && !isAway && <RowFacts stats={stats} host={host} address={address} />}
          {/* Where there is no room for their column */}
          {vm.tags.length > 0 && <span class="row-tags">{tags}</span>}
        </span>
      </th>
      {host !== undefined && (
        <td class="col-host">
          <a href={listHref(query, { host: vm.host })}>
            <TruncatedText text={host} longest={40} />
          </a>
        </td>
      )}
      <td class="col-tags">
        {tags}
      </td>
      <td class="col-cpu">
        <CpuLoad vm={vm} stats={stats} recent={recent} />
      </td>
      <td class="col-memory">
        <MemoryLoad vm={vm} stats={stats} />
      </td>
      <td class="col-address">
        {address === undefined
          ? <span class="none">–</span>
          : <span class="mono" title={address}>{address}</span>}
      </td>
      <td class="col-disk">
        {/* Nothing: a VM without disks; a question mark: not known. */}
        {vm.diskSizeGb
          ? formatDisk(vm.diskSizeGb)
          : <span class="none">{vm.diskSizeGb === null ? "?" : "–"}</span>}
      </td>
      <td class="col-uptime">
        <Uptime vm={vm} now={now} />
      </td>
      <td class="col-actions">
        <RowActions vm={vm} place={rowIndex} enabled={enabled && !isAway} onMenu={onMenu} />
      </td>
    </tr>
  );
});
