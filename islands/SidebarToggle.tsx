import { useSignal } from "@preact/signals";
import { Icon } from "../components/kit/Icon.tsx";
import { keep } from "../lib/client/preferences.ts";
import { t } from "../lib/i18n/mod.ts";

/** Folds the sidebar to its icons, and unfolds it. A plain form without script. */
export default function SidebarToggle({ folded }: { folded: boolean }) {
  const isFolded = useSignal(folded);
  const toggle = (event: Event) => {
    event.preventDefault();
    isFolded.value = !isFolded.value;
    const value = isFolded.value ? "folded" : "open";
    document.documentElement.dataset.sidebar = value;
    keep("sidebar", value);
  };
  const label = t(isFolded.value ? "nav.unfold" : "nav.fold");
  return (
    <form method="post" action="/preferences" class="side-toggle">
      <button
        type="submit"
        class="icon-button"
        name="sidebar"
        value={isFolded.value ? "open" : "folded"}
        aria-label={label}
        title={label}
        aria-expanded={!isFolded.value}
        aria-controls="sidebar"
        onClick={toggle}
      >
        <Icon name="panel" />
      </button>
    </form>
  );
}
