import { useSignal } from "@preact/signals";
import { t } from "../../lib/i18n/mod.ts";
import { copyText } from "../../lib/client/clipboard.ts";
import { Icon } from "./Icon.tsx";

const SHOWN_MS = 1_600;

/** Props of {@link CopyButton}. */
export interface CopyButtonProps {
  text: string;
  /** Name of the copied text, for the button's name. */
  what: string;
  /** Shows the words, too; otherwise the icon alone. */
  labelled?: boolean;
}

/** Copies a text, and says so in place. */
export function CopyButton({ text, what, labelled = false }: CopyButtonProps) {
  const result = useSignal<"copied" | "failed" | undefined>(undefined);
  const copy = async () => {
    result.value = await copyText(text) ? "copied" : "failed";
    setTimeout(() => result.value = undefined, SHOWN_MS);
  };
  const said = result.value === "copied" ? t("copy.done") : result.value === "failed" ? t("copy.failed") : "";
  return (
    <button
      type="button"
      class={labelled ? "button needs-script" : "icon-button small needs-script"}
      aria-label={t("copy.what", { what })}
      title={t("copy.what", { what })}
      onClick={copy}
    >
      <Icon name={result.value === "copied" ? "check" : "copy"} />
      {labelled && <span>{said || t("copy.what", { what })}</span>}
      <span class="visually-hidden" role="status">{said}</span>
    </button>
  );
}
