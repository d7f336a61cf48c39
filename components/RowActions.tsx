import { act } from "../lib/client/act.ts";
import type { VM } from "../lib/contract/mod.ts";
import { ACTIONS, choiceOf } from "../lib/format/actions.ts";
import { oneLine } from "../lib/format/text.ts";
import { t } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

/** Props of {@link RowActions}. */
export interface RowActionsProps {
  vm: VM;
  enabled: boolean;
  onMenu: (vm: VM, anchor: DOMRect) => void;
}

/** The id of the form that the list's buttons and boxes belong to without script. */
export const BULK_FORM = "bulk";

/** A row's most likely action, and the menu with the rest. */
export function RowActions({ vm, enabled, onMenu }: RowActionsProps) {
  const { primary } = choiceOf(vm);
  const name = oneLine(vm.name, 60);
  const label = t("action.on", { action: t(ACTIONS[primary].label), name });
  return (
    <span class="row-actions">
      <button
        type="submit"
        class="icon-button"
        form={BULK_FORM}
        formAction={`/vms/${encodeURIComponent(vm.id)}/actions`}
        name="action"
        value={primary}
        aria-label={label}
        title={label}
        disabled={!enabled || vm.operation !== undefined}
        onClick={(event) => {
          event.preventDefault();
          void act(primary, vm);
        }}
      >
        <Icon name={ACTIONS[primary].icon} />
      </button>
      <button
        type="button"
        class="icon-button needs-script"
        aria-haspopup="menu"
        aria-label={t("menu.of", { name })}
        title={t("menu.more")}
        onClick={(event) => onMenu(vm, event.currentTarget.getBoundingClientRect())}
      >
        <Icon name="more" />
      </button>
    </span>
  );
}
