import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { chooseKeyboard, chosenKeyboard, KEYBOARDS } from "../../lib/client/keyboard_layout.ts";
import { report } from "../../lib/client/toasts.ts";
import type { VncSession } from "../../lib/client/vnc_session.ts";
import { oneLine } from "../../lib/text/text.ts";
import { console as consoleTexts } from "../../lib/i18n/en/console.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { LAYOUTS } from "../../lib/formats/keymaps/layouts.ts";
import { type KeyboardLayout, typingOf } from "../../lib/formats/rfb/keys.ts";
import { CopyButton } from "../kit/CopyButton.tsx";
import { Dialog } from "../kit/Dialog.tsx";
import { SelectField } from "../kit/Field.tsx";

const { t } = textsOf(consoleTexts);
const CHOICES = KEYBOARDS.map((value) => ({ value, label: LAYOUTS[value][0] }));
/** Characters of a text that may be typed: at 24 ms each, four minutes. */
const LONGEST = 10_000;

/** Props of {@link ConsoleClipboard}. */
export interface ConsoleClipboardProps {
  open: boolean;
  session: VncSession;
  onClose: () => void;
}

/** Texts to and from a VM: typed as keys, or by its clipboard. Nothing is copied without being asked for. */
export function ConsoleClipboard({ open, session, onClose }: ConsoleClipboardProps) {
  const text = useSignal("");
  const typing = useSignal<AbortController | null>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  const keyboard = useSignal<KeyboardLayout>("us");
  const { strokes, untypable } = typingOf(text.value, keyboard.value);
  const copied = session.clipboard.value;
  useEffect(() => {
    if (open) {
      keyboard.value = chosenKeyboard();
      area.current?.focus();
    } else typing.peek()?.abort();
  }, [open]);

  const type = async (event: SubmitEvent) => {
    event.preventDefault();
    const controller = typing.value = new AbortController();
    const isDone = await session.type(strokes, controller.signal);
    typing.value = null;
    if (!isDone) return;
    report(t("console.paste_typed"));
    onClose();
  };
  return (
    <Dialog open={open} title={t("console.paste_title")} onClose={onClose}>
      <form onSubmit={type}>
        <div class="dialog-body">
          <label class="console-paste">
            <span>{t("console.paste_text")}</span>
            <textarea
              ref={area}
              class="input"
              rows={5}
              maxLength={LONGEST}
              spellcheck={false}
              value={text.value}
              onInput={(event) => text.value = event.currentTarget.value}
            />
          </label>
          <SelectField
            label={t("console.paste_keyboard")}
            hint={t("console.paste_hint")}
            name="keyboard"
            choices={CHOICES}
            value={keyboard.value}
            onChange={({ currentTarget: { value } }) => {
              keyboard.value = KEYBOARDS.find((each) => each === value) ?? "us";
              chooseKeyboard(keyboard.value);
            }}
          />
          {untypable.length > 0 && (
            <p class="form-error">
              {t("console.paste_cannot", { characters: oneLine(untypable.slice(0, 20).join(" "), 80) })}
            </p>
          )}
          <h3>{t("console.paste_from")}</h3>
          {copied === "" ? <p class="text-muted">{t("console.paste_none")}</p> : (
            <div class="console-copied">
              <pre tabIndex={0}>{copied.slice(0, 2000)}</pre>
              <CopyButton text={copied} what={t("console.paste_from")} />
            </div>
          )}
        </div>
        <footer class="dialog-foot">
          <button
            type="button"
            class="button"
            disabled={text.value === ""}
            onClick={() => {
              session.giveClipboard(text.value);
              report(t("console.paste_given"));
            }}
          >
            {t("console.paste_give")}
          </button>
          {typing.value === null
            ? (
              <button
                type="submit"
                class="button primary"
                disabled={strokes.length === 0 || untypable.length > 0}
              >
                {t("console.paste_type")}
              </button>
            )
            : (
              <button type="button" class="button" onClick={() => typing.value?.abort()}>
                {t("console.paste_stop")}
              </button>
            )}
        </footer>
      </form>
    </Dialog>
  );
}
