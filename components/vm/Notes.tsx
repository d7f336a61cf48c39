import type { VM } from "../../lib/contract/mod.ts";
import { lostLabelsText, OPEN_SCREEN_TEXT } from "../../lib/vm/attention.ts";
import { otherAttention } from "../../lib/vm/not_responding.ts";
import { formatWhen } from "../../lib/text/time.ts";
import { oneLine } from "../../lib/text/text.ts";
import { type PlainKey, plural, t } from "../../lib/i18n/mod.ts";
import { changes } from "./change_form.ts";
import { Flash, type FlashTone } from "../kit/Flash.tsx";

/** Notes from a VM's own fields, in addition to those of the server. */
const NOTES: readonly { applies: (vm: VM) => boolean; tone: FlashTone; text: PlainKey; log?: true }[] = [
  { applies: ({ state }) => state === "crashed", tone: "bad", text: "note.crashed", log: true },
  {
    applies: ({ state, stateReason }) => state === "stopped" && stateReason === "failed to start",
    tone: "bad",
    text: "note.start_failed",
    log: true,
  },
  { applies: (vm) => !vm.persistent, tone: "warn", text: "note.transient" },
];

/** Gives the screen of a VM a password. */
function ProtectScreens({ vm, enabled }: { vm: VM; enabled: boolean }) {
  return (
    <form {...changes(vm, "protect_screens", {}, "failed.protect_screens")}>
      <button
        type="submit"
        class="button small"
        title={t("note.screen_passwords")}
        disabled={!enabled}
      >
        {t("note.protect_screens")}
      </button>
    </form>
  );
}

/** Puts tags and a group back that another program took away, or says that it is meant to be so. */
function LostLabels(
  { vm, lost, enabled }: { vm: VM; lost: NonNullable<VM["lostLabels"]>; enabled: boolean },
) {
  const back = {
    tags: [...vm.tags, ...lost.tags].join(" "),
    ...(lost.group !== undefined && { group: lost.group }),
  };
  return (
    <>
      <form {...changes(vm, "update_vm", back, "failed.put_back")}>
        <button type="submit" class="button small" disabled={!enabled}>{t("note.put_back")}</button>
      </form>
      <form {...changes(vm, "set_tags", { tags: vm.tags.join(" ") }, "failed.set_tags")}>
        <button type="submit" class="button small" disabled={!enabled}>{t("note.leave_so")}</button>
      </form>
    </>
  );
}

/** Actions at once for a note of the server. */
function actionsFor(text: string, vm: VM, enabled: boolean) {
  if (text === OPEN_SCREEN_TEXT && vm.persistent) return <ProtectScreens vm={vm} enabled={enabled} />;
  const { lostLabels } = vm;
  const isLost = lostLabels !== undefined && text === lostLabelsText(vm.name, lostLabels);
  return isLost && <LostLabels vm={vm} lost={lostLabels} enabled={enabled} />;
}

/** Reasons for which a VM needs attention, one line each. */
export function Notes({ vm, enabled }: { vm: VM; enabled: boolean }) {
  const own = NOTES.filter(({ applies }) => applies(vm));
  const attention = otherAttention(vm);
  const { pendingChanges = 0 } = vm;
  const { notUnderstoodSince: stale } = vm;
  if (own.length + attention.length + pendingChanges === 0 && stale === undefined) return null;
  return (
    <ul class="notes stack">
      {stale !== undefined && (
        <li data-not-understood>
          <Flash tone="warn">{t("note.not_understood", { time: formatWhen(stale) })}</Flash>
        </li>
      )}
      {attention.map((text) => (
        <li key={text}>
          <Flash
            tone="warn"
            actions={actionsFor(text, vm, enabled)}
          >
            {oneLine(text, 400)}
          </Flash>
        </li>
      ))}
      {own.map(({ tone, text, log }) => (
        <li key={text}>
          <Flash tone={tone} quiet>
            {t(text)} {log && <a href={`/vms/${encodeURIComponent(vm.id)}/log`}>{t("vm.qemu_log")}</a>}
          </Flash>
        </li>
      ))}
      {pendingChanges > 0 && (
        <li>
          <Flash tone="info" icon="reboot" quiet>
            {plural("note.pending", pendingChanges)}{" "}
            <a href={`/vms/${encodeURIComponent(vm.id)}/hardware`}>{t("note.pending_show")}</a>
          </Flash>
        </li>
      )}
    </ul>
  );
}
