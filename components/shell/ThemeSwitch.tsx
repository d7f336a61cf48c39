import { useSignal } from "@preact/signals";
import { Icon } from "../kit/Icon.tsx";
import type { IconName } from "../kit/icons.ts";
import { setTheme } from "../../lib/client/preferences.ts";
import type { Theme } from "../../lib/page_state.ts";
import { type PlainKey, t } from "../../lib/i18n/mod.ts";

const CHOICES: readonly { theme: Theme; icon: IconName; label: PlainKey }[] = [
  { theme: "system", icon: "system", label: "theme.system" },
  { theme: "light", icon: "sun", label: "theme.light" },
  { theme: "dark", icon: "moon", label: "theme.dark" },
];

/** Light, dark, or as the device has it. A plain form without script. */
export function ThemeSwitch({ theme }: { theme: Theme }) {
  const chosen = useSignal<Theme>(theme);
  const choose = (event: Event, wanted: Theme) => {
    event.preventDefault();
    chosen.value = wanted;
    setTheme(wanted);
  };
  return (
    <form method="post" action="/preferences">
      <div class="segments" role="group" aria-label={t("theme.label")}>
        {CHOICES.map(({ theme: wanted, icon, label }) => (
          <button
            type="submit"
            key={wanted}
            name="theme"
            value={wanted}
            class="segment"
            aria-label={t(label)}
            title={t(label)}
            aria-pressed={chosen.value === wanted}
            onClick={(event) => choose(event, wanted)}
          >
            <Icon name={icon} />
          </button>
        ))}
      </div>
    </form>
  );
}
