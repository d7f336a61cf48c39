import { useRef } from "preact/hooks";
import { act } from "../lib/client/act.ts";
import { menuKeys, place } from "../lib/client/popover.ts";
import type { VM } from "../lib/contract/mod.ts";
import { type ActionName, ACTIONS, choiceOf, isActionName } from "../lib/format/actions.ts";
import { oneLine } from "../lib/format/text.ts";
import { t } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";
import { ManageLinks } from "./ManageLinks.tsx";

/** Props of {@link ActionForm}. */
export interface ActionFormProps {
  vm: VM;
  /** Whether anything can be done now. */
  enabled: boolean;
  /** Called after an action was carried out. */
  onDone?: (action: ActionName) => void;
}

const MENU = "vm-menu";

function ActionButton({ name, look, enabled }: { name: ActionName; look: string; enabled: boolean }) {
  const { icon, label, danger } = ACTIONS[name];
  const isItem = look === "menu-item";
  return (
    <button
      type="submit"
      class={look}
      name="action"
      value={name}
      disabled={!enabled}
      role={isItem ? "menuitem" : undefined}
      data-danger={danger ? "" : undefined}
    >
      <Icon name={icon} />
      <span>{t(label)}</span>
    </button>
  );
}

/** The actions that make sense in a machine's state. A plain form without script, menu included. */
export function ActionForm({ vm, enabled, onDone }: ActionFormProps) {
  const menu = useRef<HTMLDivElement>(null);
  const more = useRef<HTMLButtonElement>(null);
  const { primary, buttons, menu: rest } = choiceOf(vm);
  const usable = enabled && vm.operation === undefined;
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    menu.current?.hidePopover();
    const name = event.submitter instanceof HTMLButtonElement ? event.submitter.value : "";
    if (isActionName(name) && await act(name, vm)) onDone?.(name);
  };
  return (
    <form
      class="actions"
      method="post"
      action={`/vms/${encodeURIComponent(vm.id)}/actions`}
      onSubmit={submit}
    >
      <ActionButton
        name={primary}
        look={ACTIONS[primary].begins ? "button primary" : "button"}
        enabled={usable}
      />
      {buttons.map((name) => <ActionButton key={name} name={name} look="button" enabled={usable} />)}
      {rest.length > 0 && (
        <>
          <button
            ref={more}
            type="button"
            class="button square"
            popovertarget={MENU}
            aria-haspopup="menu"
            aria-label={t("menu.of", { name: oneLine(vm.name, 60) })}
            title={t("menu.more")}
          >
            <Icon name="more" />
          </button>
          <div
            ref={menu}
            id={MENU}
            class="menu"
            role="menu"
            popover="auto"
            aria-label={t("menu.of", { name: oneLine(vm.name, 60) })}
            onKeyDown={menuKeys}
            onToggle={(event) => {
              if (event.newState !== "open" || more.current === null) return;
              place(event.currentTarget, more.current.getBoundingClientRect());
              event.currentTarget.querySelector<HTMLElement>('[role="menuitem"]')?.focus();
            }}
          >
            <ManageLinks vm={vm} />
            {rest.map((name) => <ActionButton key={name} name={name} look="menu-item" enabled={usable} />)}
          </div>
        </>
      )}
    </form>
  );
}
