import { useSignal } from "@preact/signals";
import { actOnMany, BULK_ACTIONS, eligible } from "../../../lib/client/bulk.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { compareHref, MOST_COMPARED } from "../../../lib/metrics/compare_href.ts";
import { isOfferedNow } from "../../../lib/access/looking.ts";
import { MOST_MOVED, moveHref } from "../../../lib/vm/move_href.ts";
import { ACTIONS } from "../../../lib/vm/actions.ts";
import { number, plural, t } from "../../../lib/i18n/mod.ts";
import { ActionLink } from "../../kit/ActionLink.tsx";
import { Icon } from "../../kit/Icon.tsx";
import { TagDialog } from "./TagDialog.tsx";

/** Actions for the selected VMs. Says for how many of them, unless for all. */
export function BulkBar(
  { vms, enabled, onClear }: { vms: readonly VM[]; enabled: boolean; onClear: () => void },
) {
  const tagging = useSignal(false);
  return (
    <>
      {vms.length > 0 && (
        <div class="bulk" role="toolbar" aria-label={t("bulk.label")}>
          <span class="bulk-count" role="status">{plural("bulk.selected", vms.length)}</span>
          {BULK_ACTIONS.map((name) => {
            const count = eligible(name, vms).length;
            return (
              <button
                key={name}
                type="button"
                class={ACTIONS[name].danger ? "button ghost danger" : "button ghost"}
                disabled={!enabled || count === 0}
                onClick={() => void actOnMany(name, vms)}
              >
                <Icon name={ACTIONS[name].icon} />
                <span>{t(ACTIONS[name].label)}</span>
                {/* Keeps its room: a count that comes or goes must not move the next button under the pointer. */}
                <span class="count" data-same={count === 0 || count === vms.length ? "" : undefined}>
                  {number(count)}
                </span>
              </button>
            );
          })}
          <button type="button" class="button ghost" disabled={!enabled} onClick={() => tagging.value = true}>
            <Icon name="tag" />
            <span>{t("bulk.tag")}</span>
          </button>
          {isOfferedNow("batch_migrate_vms") && (
            <ActionLink
              class="button ghost"
              href={moveHref(vms.map(({ id }) => id))}
              enabled={enabled && vms.length <= MOST_MOVED}
              title={vms.length > MOST_MOVED ? t("bulk.move_most", { n: MOST_MOVED }) : undefined}
            >
              <Icon name="upload" />
              <span>{t("bulk.move")}</span>
            </ActionLink>
          )}
          <ActionLink
            class="button ghost"
            href={compareHref(vms.map(({ id }) => id))}
            enabled={vms.length <= MOST_COMPARED}
            title={vms.length > MOST_COMPARED ? t("bulk.compare_most", { n: MOST_COMPARED }) : undefined}
          >
            <Icon name="activity" />
            <span>{t("bulk.compare")}</span>
          </ActionLink>
          <button
            type="button"
            class="icon-button"
            aria-label={t("bulk.clear")}
            title={t("bulk.clear")}
            onClick={onClear}
          >
            <Icon name="close" />
          </button>
        </div>
      )}
      <TagDialog open={tagging.value} vms={vms} onClose={() => tagging.value = false} />
    </>
  );
}
