import type { VM } from "../lib/contract/mod.ts";
import { type ActionName, ACTIONS } from "../lib/format/actions.ts";
import { STATES } from "../lib/format/state.ts";
import { oneLine } from "../lib/format/text.ts";
import { t } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

/** Props of {@link StateBadge}. */
export interface StateBadgeProps {
  vm: Pick<VM, "state" | "stateReason" | "operation" | "responsive">;
  /** What was asked for a moment ago, before the server tells. */
  pending?: ActionName | undefined;
}

/** A machine's state as icon, word and colour; while something is being done to it, that. */
export function StateBadge({ vm, pending }: StateBadgeProps) {
  const { icon, word, tone } = STATES[vm.state];
  const doing = pending ? t(ACTIONS[pending].doing) : vm.operation;
  if (doing !== undefined && doing !== "") {
    return (
      <span class="state" data-tone="busy">
        <Icon name="loader" class="spin" />
        <span class="state-word">{oneLine(doing, 40)}</span>
      </span>
    );
  }
  if (!vm.responsive) {
    return (
      <span class="state" data-tone="bad" title={t("state.unresponsive_long")}>
        <Icon name="circleAlert" />
        <span class="state-word">{t("state.unresponsive")}</span>
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
