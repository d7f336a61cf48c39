import { useSignal } from "@preact/signals";
import { useEffect, useId, useMemo, useRef } from "preact/hooks";
import { Icon } from "../components/Icon.tsx";
import { KeysDialog } from "../components/KeysDialog.tsx";
import { Marked } from "../components/Marked.tsx";
import { act } from "../lib/client/act.ts";
import { live } from "../lib/client/live.ts";
import { type Effect, findCommands } from "../lib/client/palette.ts";
import { setTheme } from "../lib/client/preferences.ts";
import { reportFailure } from "../lib/client/toasts.ts";
import { isTyping } from "../lib/client/typing.ts";
import { number, plural, t } from "../lib/i18n/mod.ts";

/** Ctrl+K: go anywhere, do anything, by typing. A combobox in a dialog. */
export default function CommandPalette() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = useSignal(false);
  const typed = useSignal("");
  const active = useSignal(0);
  const showKeys = useSignal(false);
  const listId = useId();

  const open = () => {
    if (isOpen.value) return;
    typed.value = "";
    active.value = 0;
    isOpen.value = true;
    live.complete().catch((error) => reportFailure("failed.list", error));
  };

  useEffect(() => {
    if (isOpen.value) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen.value]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault(); // the browser's own search bar
        if (isOpen.value) isOpen.value = false;
        else open();
      } else if (event.key === "?" && !isTyping(event)) showKeys.value = true;
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const vms = isOpen.value ? live.vms.all.value : [];
  const controllable = live.controllable.value;
  const found = useMemo(
    () => isOpen.value ? findCommands(typed.value, vms, controllable) : [],
    [isOpen.value, typed.value, vms, controllable],
  );
  const at = Math.min(active.value, found.length - 1);
  const optionId = (index: number) => `${listId}-${index}`;

  const run = (effect: Effect) => {
    isOpen.value = false;
    if (effect.kind === "go") location.assign(effect.href);
    else if (effect.kind === "theme") setTheme(effect.theme);
    else if (effect.kind === "keys") showKeys.value = true;
    else void act(effect.action, effect.vm);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      active.value = (at + step + found.length) % found.length;
    } else if (event.key === "Enter") {
      event.preventDefault();
      const chosen = found[at];
      if (chosen) run(chosen.command.effect);
    }
  };

  return (
    <>
      <button
        type="button"
        class="palette-button needs-script"
        aria-haspopup="dialog"
        aria-keyshortcuts="Control+K"
        onClick={open}
      >
        <Icon name="search" />
        <span class="palette-hint">{t("palette.open")}</span>
        <kbd aria-hidden="true">Ctrl K</kbd>
      </button>
      <dialog
        ref={dialog}
        class="dialog palette"
        aria-label={t("palette.title")}
        onClose={() => isOpen.value = false}
        onClick={(event) => event.target === dialog.current && (isOpen.value = false)}
      >
        {isOpen.value && (
          <div class="palette-box">
            <div class="palette-field">
              <Icon name="search" />
              <input
                type="text"
                role="combobox"
                aria-expanded="true"
                aria-controls={listId}
                aria-activedescendant={found.length > 0 ? optionId(at) : undefined}
                aria-autocomplete="list"
                aria-label={t("palette.open")}
                placeholder={t("palette.placeholder")}
                autocomplete="off"
                spellcheck={false}
                autoFocus
                value={typed.value}
                onInput={(event) => {
                  typed.value = event.currentTarget.value;
                  active.value = 0;
                }}
                onKeyDown={onKeyDown}
              />
            </div>
            <ul id={listId} role="listbox" class="palette-list" aria-label={t("palette.results")}>
              {found.map(({ command, match }, index) => (
                <li
                  key={command.id}
                  id={optionId(index)}
                  role="option"
                  class="palette-option"
                  aria-selected={index === at}
                  ref={(element) => {
                    if (index === at) element?.scrollIntoView({ block: "nearest" });
                  }}
                  onPointerMove={() => active.value = index}
                  onClick={() => run(command.effect)}
                >
                  <Icon name={command.icon} />
                  <Marked text={command.label} positions={match.positions} />
                  <span class="palette-kind">{command.hint}</span>
                </li>
              ))}
            </ul>
            {found.length === 0 && <p class="palette-none">{t("palette.none")}</p>}
            <p class="palette-foot" role="status">
              {plural("palette.found", found.length)}
              {!live.vms.complete.value && ` ${t("palette.loading")}`}
              {live.vms.complete.value && ` ${t("palette.of", { count: number(vms.length) })}`}
            </p>
          </div>
        )}
      </dialog>
      <KeysDialog open={showKeys.value} onClose={() => showKeys.value = false} />
    </>
  );
}
