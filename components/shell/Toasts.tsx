import { useEffect, useRef } from "preact/hooks";
import { dismiss, type Toast, toasts, type ToastTone } from "../../lib/client/toasts.ts";
import { t } from "../../lib/i18n/mod.ts";
import { CopyButton } from "../kit/CopyButton.tsx";
import { FailureText } from "../kit/FailureText.tsx";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";

const ICONS: Readonly<Record<ToastTone, IconName>> = {
  ok: "check",
  info: "info",
  warn: "alert",
  bad: "circleAlert",
};

function One({ toast }: { toast: Toast }) {
  const { failure, action, tone = failure ? "bad" : "ok" } = toast;
  return (
    <li class="toast" data-tone={tone}>
      <Icon name={ICONS[tone]} />
      <div class="toast-text">
        <p class="toast-title">{toast.title}</p>
        {failure && (
          <>
            <FailureText failure={failure} />
            <CopyButton text={failure.details} what={t("copy.details")} labelled />
          </>
        )}
        {action && (
          <button
            type="button"
            class="button"
            onClick={() => {
              dismiss(toast.id);
              action.run();
            }}
          >
            {action.label}
          </button>
        )}
      </div>
      <button
        type="button"
        class="icon-button small"
        aria-label={t("toast.dismiss")}
        onClick={() => dismiss(toast.id)}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

/** The messages, in a corner. Always there, so that screen readers notice what is put into it. */
export function Toasts() {
  const list = useRef<HTMLUListElement>(null);
  const count = toasts.value.length;
  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    // In the top layer, above an open dialog: opened again, because the last one opened is on top.
    if (element.matches(":popover-open")) element.hidePopover();
    if (count === 0) return;
    element.showPopover();
    // Only where there is a message to place
    import("../../lib/client/clear_place.ts").then(({ keepClear }) => keepClear(element), console.warn);
  }, [count]);
  return (
    <div aria-live="polite" aria-relevant="additions">
      <ul ref={list} class="toasts" popover="manual" aria-label={t("toast.region")}>
        {toasts.value.map((toast) => <One key={toast.id} toast={toast} />)}
      </ul>
    </div>
  );
}
