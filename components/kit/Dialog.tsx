import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { keepDialogFocus } from "../../lib/client/dialog_focus.ts";
import { t } from "../../lib/i18n/mod.ts";
import { Icon } from "./Icon.tsx";

/** Props of {@link Dialog}. */
export interface DialogProps {
  open: boolean;
  title: string;
  /** Escape, the cross, or a click outside it. */
  onClose: () => void;
  children: ComponentChildren;
  class?: string;
}

/** A modal dialog with a title. The focus begins on its first field; the browser keeps it inside, and gives it back afterwards. */
export function Dialog({ open, title, onClose, children, class: extra = "" }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (open && !element.current?.open) element.current?.showModal();
    if (!open && element.current?.open) element.current.close();
    if (open && element.current !== null) return keepDialogFocus(element.current);
  }, [open]);
  return (
    <dialog
      ref={element}
      class={`dialog ${extra}`.trim()}
      aria-labelledby={titleId}
      onClose={() => open && onClose()}
      onClick={(event) => event.target === element.current && onClose()}
    >
      {open && (
        <div class="dialog-box">
          <div class="dialog-head">
            <h2 id={titleId}>{title}</h2>
            <button type="button" class="icon-button" aria-label={t("dialog.close")} onClick={onClose}>
              <Icon name="close" />
            </button>
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}
