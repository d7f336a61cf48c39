import { type ActionDone, runAction } from "../../lib/client/run_action.ts";
import { pending } from "../../lib/client/pending.ts";
import type { VM } from "../../lib/contract/mod.ts";
import {
  type ActionName,
  ACTIONS,
  actionWords,
  BUTTON_SLOTS,
  isActionName,
  MENU_SLOTS,
  type Slot,
  slotsOf,
} from "../../lib/vm/actions.ts";
import { oneLine } from "../../lib/text/text.ts";
import { offersConsole } from "../../lib/vm/manage.ts";
import { t } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";
import { MoreMenu } from "../kit/MoreMenu.tsx";
import { actionTarget } from "./action_target.ts";
import { ActionLink } from "../kit/ActionLink.tsx";
import { ManageLinks } from "./ManageLinks.tsx";
import { SteadyButton } from "../kit/SteadyButton.tsx";

/** Props of {@link ActionForm}. */
export interface ActionFormProps {
  vm: VM;
  /** Whether anything can be done now. */
  enabled: boolean;
  /** Whether its console is offered: everywhere but on the console's own page. */
  toConsole: boolean;
  /** Called after an action was carried out. */
  onDone?: (action: ActionName, done: ActionDone) => void;
}

function ActionButton({ slot: { name, allowed, reason }, vm, look, enabled }: {
  slot: Slot;
  vm: VM;
  look: string;
  enabled: boolean;
}) {
  const { icon, danger, always } = ACTIONS[name];
  const { label } = actionWords(name, vm);
  const isItem = look === "menu-item";
  const asked = pending.of(vm.id).value;
  const isBusy = !always && (asked !== undefined || vm.operation !== undefined);
  return (
    <SteadyButton
      type="submit"
      class={look}
      {...actionTarget(name, vm)}
      what={`${name} ${allowed}`}
      busy={isBusy}
      disabled={!enabled || !allowed}
      title={reason && t(reason)}
      role={isItem ? "menuitem" : undefined}
      data-danger={danger ? "" : undefined}
    >
      {asked === name ? <Icon name="loader" class="spin" /> : <Icon name={icon} />}
      <span>{t(label)}</span>
    </SteadyButton>
  );
}

/** Actions for a VM, each in its own place. A plain form without script, menu included. */
export function ActionForm({ vm, enabled, toConsole, onDone }: ActionFormProps) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const name = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "";
    if (!isActionName(name)) return;
    const done = await runAction(name, vm);
    if (done !== null) onDone?.(name, done);
  };
  return (
    <form class="actions" method="post" onSubmit={submit}>
      {toConsole && vm.graphics.length > 0 && (
        // It keeps its place while the VM is off, so that the buttons next to it stay where they are on a phone
        <ActionLink
          class="button primary to-console"
          href={`/vms/${encodeURIComponent(vm.id)}/console`}
          enabled={offersConsole(vm)}
          title={vm.responsive ? undefined : t("action.no_response")}
        >
          <Icon name="monitor" />
          <span>{t("vm.tab_console")}</span>
        </ActionLink>
      )}
      {slotsOf(BUTTON_SLOTS, vm).map((slot, place) => (
        <ActionButton
          key={place}
          slot={slot}
          vm={vm}
          look={ACTIONS[slot.name].begins ? "button primary" : "button"}
          enabled={enabled}
        />
      ))}
      <MoreMenu label={t("menu.of", { name: oneLine(vm.name, 60) })}>
        <ManageLinks vm={vm} />
        {slotsOf(MENU_SLOTS, vm).map((slot, place) => (
          <ActionButton key={place} slot={slot} vm={vm} look="menu-item" enabled={enabled} />
        ))}
      </MoreMenu>
    </form>
  );
}
