import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { LONGEST, PADDING, typedBetween } from "../../lib/console/soft_keyboard.ts";
import { NAMED_KEYS, type NamedKey } from "../../lib/formats/rfb/keys.ts";
import { touchKeys } from "../../lib/i18n/en/touch_keys.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(touchKeys);

/** A key of a real keyboard that goes to the guest; Tab leaves the field, as it does everywhere. */
const isNamed = (key: string): key is NamedKey => key !== "Tab" && key in NAMED_KEYS;

/** Props of {@link SoftKeyboard}. */
export interface SoftKeyboardProps {
  field: RefObject<HTMLTextAreaElement>;
  /** Characters to type; `\b` deletes one. */
  onText: (characters: string) => void;
  onKey: (key: NamedKey) => void;
  onFocused: (focused: boolean) => void;
}

/** A field that is not seen: while it has the focus, a phone shows its keyboard. What is written in it goes to the guest. */
export function SoftKeyboard({ field, onText, onKey, onFocused }: SoftKeyboardProps) {
  const before = useRef(PADDING);
  const restart = () => {
    if (field.current === null) return;
    field.current.value = before.current = PADDING;
    field.current.setSelectionRange(PADDING.length, PADDING.length);
  };
  useEffect(restart, []);
  return (
    <textarea
      ref={field}
      class="soft-keyboard"
      aria-label={t("touch.typing")}
      tabIndex={-1}
      rows={1}
      autocapitalize="off"
      autocomplete="off"
      autocorrect="off"
      spellcheck={false}
      onFocus={() => {
        restart();
        onFocused(true);
      }}
      onBlur={() => onFocused(false)}
      onKeyDown={(event) => {
        if (event.isComposing || !isNamed(event.key) || event.key === "Backspace") return;
        event.preventDefault();
        onKey(event.key);
      }}
      onInput={(event) => {
        const { value } = event.currentTarget;
        const characters = typedBetween(before.current, value);
        before.current = value;
        if (characters !== "") onText(characters);
        const isLong = value.length > LONGEST || value.length < PADDING.length / 2;
        if (isLong && !event.isComposing) restart();
      }}
    />
  );
}
