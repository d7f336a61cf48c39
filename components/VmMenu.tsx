import { useEffect, useRef } from "preact/hooks";
import { act } from "../lib/client/act.ts";
import { type Anchor, menuKeys, place } from "../lib/client/popover.ts";
import type { VM } from "../lib/contract/mod.ts";
import { ACTIONS, choiceOf } from "../lib/format/actions.ts";
import { oneLine } from "../lib/format/text.ts";
import { t } from "../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";
import { ManageLinks } from "./ManageLinks.tsx";

/** A menu to open: for which machine, and where. */
export interface MenuTarget {
  readonly vm: VM;
  readonly anchor: Anchor;
}

/** The actions on a machine as a menu: opened by a row's button, or by the right mouse button. */
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

  const choice = target && choiceOf(target.vm);
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
      {target && choice && (
        <>
          <a role="menuitem" class="menu-item" href={`/vms/${encodeURIComponent(target.vm.id)}`}>
            <Icon name="external" />
            {t("menu.open")}
          </a>
          <ManageLinks vm={target.vm} />
          <hr />
          {[choice.primary, ...choice.buttons, ...choice.menu].map((name) => (
            <button
              key={name}
              type="button"
              role="menuitem"
              class="menu-item"
              data-danger={ACTIONS[name].danger ? "" : undefined}
              disabled={!enabled}
              onClick={() => {
                menu.current?.hidePopover();
                void act(name, target.vm);
              }}
            >
              <Icon name={ACTIONS[name].icon} />
              {t(ACTIONS[name].label)}
            </button>
          ))}
        </>
      )}
    </div>
  );
}
