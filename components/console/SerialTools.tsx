import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { saveText } from "../../lib/client/save_file.ts";
import type { PageTerminal } from "../../lib/client/terminal.ts";
import { serial } from "../../lib/i18n/en/serial.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { clearOnEscape } from "../kit/clear_on_escape.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(serial);

/** Props of {@link SerialTools}. */
export interface SerialToolsProps {
  tools: RefObject<HTMLDivElement>;
  terminal: RefObject<PageTerminal>;
  isOpen: boolean;
  /** Types a text. */
  onSend: (text: string) => void;
}

/** Tools of the terminal. */
export function SerialTools({ tools, terminal, isOpen, onSend }: SerialToolsProps) {
  const query = useSignal("");
  const isMissing = useSignal(false);
  const find = (backwards: boolean) => {
    if (query.value !== "") isMissing.value = terminal.current?.find(query.value, backwards) === false;
  };
  const size = isOpen ? terminal.current?.size() : undefined;
  return (
    <div ref={tools} class="serial-tools needs-script" role="toolbar" aria-label={t("serial.tools")}>
      <button
        type="button"
        class="button"
        onClick={() => {
          terminal.current?.clear();
          terminal.current?.focus();
        }}
      >
        {t("serial.clear")}
      </button>
      <button
        type="button"
        class="button"
        onClick={() => saveText("serial.txt", terminal.current?.text() ?? "")}
      >
        {t("serial.save")}
      </button>
      <button
        type="button"
        class="button"
        disabled={!isOpen}
        title={size && t("serial.fit_what", size)}
        onClick={() => {
          const now = terminal.current?.size();
          if (now) onSend(`stty rows ${now.rows} cols ${now.cols}\r`);
          terminal.current?.focus();
        }}
      >
        {t("serial.fit")}
      </button>
      <form
        class="serial-find"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          find(true);
        }}
      >
        <Icon name="search" />
        <input
          type="search"
          class="input"
          aria-label={t("serial.find")}
          placeholder={t("serial.find")}
          value={query.value}
          onInput={(event) => {
            query.value = event.currentTarget.value;
            isMissing.value = false;
          }}
          onKeyDown={clearOnEscape(query.value, () => {
            query.value = "";
            isMissing.value = false;
          })}
        />
        <span class="text-muted" role="status">{isMissing.value ? t("serial.not_found") : ""}</span>
      </form>
      <kbd class="text-muted serial-leave">{t("serial.leave")}</kbd>
    </div>
  );
}
