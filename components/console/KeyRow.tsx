import type { Signal } from "@preact/signals";
import { useSignal } from "@preact/signals";
import { MORE, ROW } from "../../lib/console/key_row.ts";
import type { Modifier, NamedKey } from "../../lib/formats/rfb/keys.ts";
import { touchKeys } from "../../lib/i18n/en/touch_keys.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Icon } from "../kit/Icon.tsx";

const { t } = textsOf(touchKeys);

/** Signs on keys that have no word. */
const SIGNS: Partial<Record<NamedKey, string>> = {
  ArrowLeft: "←",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowRight: "→",
};

type RowKey = typeof ROW[number] | typeof MORE[number];

/** Whether a key has the same name in every language. */
const isFunctionKey = (key: RowKey): key is Extract<RowKey, `F${number}`> => /^F\d/.test(key);

const wordOf = (key: RowKey): string => isFunctionKey(key) ? key : t(`touch.${key}`);

/** Props of {@link KeyRow}. */
export interface KeyRowProps {
  /** Whether keys reach the guest now. */
  enabled: boolean;
  /** The keys that can be held. */
  modifiers: readonly Modifier[];
  /** Those that are held for the next key; what presses it lets them go. */
  held: Signal<ReadonlySet<Modifier>>;
  /** Whether what is typed goes to the guest: then a soft keyboard is shown. */
  typing: boolean;
  onKeyboard: (show: boolean) => void;
  onKey: (key: NamedKey) => void;
}

/**
 * The keys that the keyboard of a phone does not have, and the button that shows that keyboard. Seen where a screen can be
 * touched, or is narrow.
 */
export function KeyRow({ enabled, modifiers, held, typing, onKeyboard, onKey }: KeyRowProps) {
  const isOpen = useSignal(false);
  const hold = (modifier: Modifier) => {
    held.value = held.value.symmetricDifference(new Set([modifier]));
  };
  const keys = isOpen.value ? [...ROW, ...MORE] : ROW;
  return (
    // The keyboard goes away when its field loses the focus
    <div
      class="key-row needs-script"
      role="toolbar"
      aria-label={t("touch.row")}
      onMouseDown={(event) => event.preventDefault()}
    >
      <button
        type="button"
        class="key"
        disabled={!enabled}
        aria-pressed={typing ? "true" : "false"}
        onClick={() => onKeyboard(!typing)}
      >
        <Icon name="keyboard" />
        {t("touch.keyboard")}
      </button>
      {modifiers.map((modifier) => (
        <button
          key={modifier}
          type="button"
          class="key"
          disabled={!enabled}
          aria-pressed={held.value.has(modifier) ? "true" : "false"}
          title={t("touch.held", { key: t(`touch.${modifier}`) })}
          onClick={() => hold(modifier)}
        >
          {t(`touch.${modifier}`)}
        </button>
      ))}
      {keys.map((key) => (
        <button
          key={key}
          type="button"
          class="key"
          disabled={!enabled}
          aria-label={SIGNS[key] && wordOf(key)}
          onClick={() => onKey(key)}
        >
          {SIGNS[key] ?? wordOf(key)}
        </button>
      ))}
      <button
        type="button"
        class="key"
        aria-expanded={isOpen.value ? "true" : "false"}
        onClick={() => isOpen.value = !isOpen.value}
      >
        {t("touch.more")}
      </button>
    </div>
  );
}
