import { useEffect, useRef } from "preact/hooks";
import { runAction } from "../../../lib/client/run_action.ts";
import { type Anchor, menuKeys, place } from "../../../lib/client/popover.ts";
import { isOfferedNow } from "../../../lib/access/looking.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { ACTIONS, actionWords, BUTTON_SLOTS, MENU_SLOTS, slotsOf } from "../../../lib/vm/actions.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { t } from "../../../lib/i18n/mod.ts";
import { Icon } from "../../kit/Icon.tsx";
import { ManageLinks } from "../ManageLinks.tsx";

/** A menu to open: for which VM, and where. */
export interface MenuTarget {
  readonly vm: VM;
  readonly anchor: Anchor;
}

/** The actions on a VM as a menu: opened by a row's button, or by the right mouse button. */
export function VmMenu(
  { target, enabled, onClose }: { target: MenuTarget | null; enabled: boolean; onClose: () => void },
) {
  const menu = useRef<HTMLDivElement>(null);
  const opener = useRef<Element | null>(null);
  useEffect(() => {
    const element = menu.current;
    if (element === null || target === null) return;
    opener.current = document.activeElement;
    element.showPopover();
    place(element, target.anchor);
    element.querySelector<HTMLElement>('[role="menuitem"]:not(:disabled)')?.focus();
  }, [target]);

  return (
    <div
      ref={menu}
      class="menu"
      role="menu"
      popover="auto"
      aria-label={target ? t("menu.of", { name: oneLine(target.vm.name, 60) }) : undefined}
      onKeyDown={menuKeys}
      onToggle={(event) => {
        if (event.newState !== "closed") return;
        onClose();
        if (document.activeElement === document.body && opener.current instanceof HTMLElement) {
          opener.current.focus();
        }
      }}
    >
      {target && (
        <>
          <a role="menuitem" class="menu-item" href={`/vms/${encodeURIComponent(target.vm.id)}`}>
            <Icon name="external" />
            {t("menu.open")}
          </a>
          <ManageLinks vm={target.vm} />
          <hr />
          {slotsOf([...BUTTON_SLOTS, ...MENU_SLOTS], target.vm).map(({ name, allowed, reason }) => (
            <button
              key={name}
              type="button"
              role="menuitem"
              class="menu-item"
              data-danger={ACTIONS[name].danger ? "" : undefined}
              disabled={!enabled || !allowed || !isOfferedNow(ACTIONS[name].command, target.vm.id)}
              title={reason && t(reason)}
              onClick={() => {
                menu.current?.hidePopover();
                void runAction(name, target.vm);
              }}
            >
              <Icon name={ACTIONS[name].icon} />
              {t(actionWords(name, target.vm).label)}
            </button>
          ))}
        </>
      )}
    </div>
  );
}
