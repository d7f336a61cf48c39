import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { menuKeys, place } from "../../lib/client/popover.ts";
import { t } from "../../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

/** Props of {@link MoreMenu}. */
export interface MoreMenuProps {
  /** Name of the menu's object, for screen readers. */
  label: string;
  /** Elements of the class `menu-item` with the role `menuitem`. */
  children: ComponentChildren;
  /** In a row: without a border. */
  quiet?: boolean;
}

/** The actions that are not the first choice, behind `⋯`. It opens without script, too; a choice closes it. */
export function MoreMenu({ label, children, quiet = false }: MoreMenuProps) {
  const id = `menu${useId()}`;
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // Islands count their ids each by itself: two of them may meet.
    if (button.current !== null) button.current.popoverTargetElement = menu.current;
  }, []);
  return (
    <>
      <button
        ref={button}
        type="button"
        class={quiet ? "icon-button" : "button square"}
        popovertarget={id}
        aria-haspopup="menu"
        aria-label={label}
        title={t("menu.more")}
      >
        <Icon name="more" />
      </button>
      <div
        ref={menu}
        id={id}
        class="menu"
        role="menu"
        popover="auto"
        aria-label={label}
        onKeyDown={menuKeys}
        // After the choice was carried out: it is shown until then.
        onClick={() => setTimeout(() => menu.current?.hidePopover())}
        onToggle={(event) => {
          if (event.newState !== "open" || button.current === null) return;
          place(event.currentTarget, button.current.getBoundingClientRect());
          event.currentTarget.querySelector<HTMLElement>('[role="menuitem"]:not(:disabled)')?.focus();
        }}
      >
        {children}
      </div>
    </>
  );
}
