import type { Waiting } from "../../lib/client/power_requests.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { type ActionName, ACTIONS } from "../../lib/vm/actions.ts";
import { STATES } from "../../lib/vm/state.ts";
import { hangLine } from "../../lib/hangs/words.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatStopwatch } from "../../lib/text/time.ts";
import { t } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const WAITING = {
  stop: { label: "doing.stop", overdue: "state.stop_ignored" },
  reboot: { label: "doing.reboot", overdue: "state.reboot_ignored" },
} as const;

/** Props of {@link StateBadge}. */
export interface StateBadgeProps {
  vm: Pick<VM, "state" | "stateReason" | "operation" | "responsive" | "notResponding">;
  /** Action requested a moment ago, before the server reports it. */
  pending?: ActionName | undefined;
  /** Request that the guest has not followed yet, and its age. */
  waiting?: Waiting | undefined;
}

/** That a VM does not respond: whatever else is known of its state is old. */
function SilentState({ notResponding }: Pick<VM, "notResponding">) {
  const title = notResponding && hangLine(notResponding, notResponding.since);
  return (
    <span class="state" data-tone="bad" title={title}>
      <Icon name="circleAlert" />
      <span class="state-word">{t("state.unresponsive")}</span>
    </span>
  );
}

/** A VM's state as icon, word and colour; while something is being done to it, that. */
export function StateBadge({ vm, pending, waiting }: StateBadgeProps) {
  const { icon, word, tone } = STATES[vm.state];
  if (!vm.responsive && pending === undefined) return <SilentState {...vm} />;
  const doing = pending ? t(ACTIONS[pending].doing) : vm.operation;
  if (doing !== undefined && doing !== "") {
    return (
      <span class="state" data-tone="busy">
        <Icon name="loader" class="spin" />
        <span class="state-word">{oneLine(doing, 40)}</span>
      </span>
    );
  }
  if (waiting !== undefined) {
    const { label, overdue } = WAITING[waiting.action];
    return (
      <span
        class="state"
        data-tone={waiting.isOverdue ? "warn" : "busy"}
        title={waiting.isOverdue ? t(overdue) : undefined}
      >
        <Icon name={waiting.isOverdue ? "alert" : "loader"} {...(!waiting.isOverdue && { class: "spin" })} />
        <span class="state-word">
          {t(label)}
          {/* Every second would be too much to be told. */}
          <span class="state-clock" aria-hidden="true">{formatStopwatch(waiting.span)}</span>
        </span>
      </span>
    );
  }
  return (
    <span class="state" data-tone={tone} title={vm.stateReason && oneLine(vm.stateReason)}>
      <Icon name={icon} />
      <span class="state-word">{t(word)}</span>
    </span>
  );
}
