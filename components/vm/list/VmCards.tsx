import type { RefObject } from "preact";
import { t } from "../../../lib/i18n/mod.ts";
import { GroupHead } from "./GroupHead.tsx";
import { VmCard } from "./VmCard.tsx";
import type { VmLinesProps } from "./VmTable.tsx";

/** The VMs as cards. */
export function VmCards(
  { list, lines, window: { from, to, before, after }, query, selected, item }: VmLinesProps,
) {
  return (
    <div ref={list as RefObject<HTMLDivElement>} class="vm-cards" role="list" aria-label={t("nav.vms")}>
      {before > 0 && <div role="presentation" style={{ height: `${before}px` }} />}
      {lines.slice(from, to).map((line, index) =>
        line.kind === "group"
          ? (
            <h2 key={line.key} class="group-row" role="presentation">
              <GroupHead group={line.group} by={query.by} />
            </h2>
          )
          : line.kind === "cards" && (
            <div key={line.key} class="card-line" role="presentation">
              {line.vms.map((vm, column) => (
                <VmCard
                  key={vm.id}
                  vm={vm}
                  place={`${from + index} ${column}`}
                  selected={selected.has(vm.id)}
                  {...item}
                />
              ))}
            </div>
          )
      )}
      {after > 0 && <div role="presentation" style={{ height: `${after}px` }} />}
    </div>
  );
}
