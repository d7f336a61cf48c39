import { runAction } from "../../../lib/client/run_action.ts";
import { pending } from "../../../lib/client/pending.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { ACTIONS, actionWords, ROW_SLOTS, slotsOf } from "../../../lib/vm/actions.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { Icon } from "../../kit/Icon.tsx";
import { actionTarget } from "../action_target.ts";
import { SteadyButton } from "../../kit/SteadyButton.tsx";

/** Props of {@link RowActions}. */
export interface RowActionsProps {
  vm: VM;
  /** Place of the VM in the list: if another row takes its place, clicks are ignored for a moment, too. */
  place: string | number;
  enabled: boolean;
  onMenu: (vm: VM, anchor: DOMRect) => void;
}

/** The id of the form that the list's boxes belong to without script. */
export const BULK_FORM = "bulk";

/** A row's most likely actions, each in its own place, and the menu with the rest. */
export function RowActions({ vm, place, enabled, onMenu }: RowActionsProps) {
  const name = oneLine(vm.name, 60);
  const asked = pending.of(vm.id).value;
  return (
    <form class="row-actions" method="post">
      {slotsOf(ROW_SLOTS, vm).map((slot, index) => {
        const label = t("action.on", { action: t(actionWords(slot.name, vm).label), name });
        return (
          <SteadyButton
            key={index}
            type="submit"
            class="icon-button"
            {...actionTarget(slot.name, vm)}
            aria-label={label}
            title={slot.reason === undefined ? label : t(slot.reason)}
            what={`${slot.name} ${slot.allowed} ${place}`}
            busy={asked !== undefined || vm.operation !== undefined}
            disabled={!enabled || !slot.allowed}
            onClick={(event) => {
              event.preventDefault();
              void runAction(slot.name, vm);
            }}
          >
            {asked === slot.name
              ? <Icon name="loader" class="spin" />
              : <Icon name={ACTIONS[slot.name].icon} />}
          </SteadyButton>
        );
      })}
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
    </form>
  );
}
