import { useSignal } from "@preact/signals";
import type { FunctionComponent } from "preact";
import { useEffect } from "preact/hooks";
import { Icon } from "../kit/Icon.tsx";
import type { PaletteDialogProps, PaletteRights } from "./PaletteDialog.tsx";
import { reportFailure } from "../../lib/client/toasts.ts";
import { isTyping } from "../../lib/client/typing.ts";
import { t } from "../../lib/i18n/mod.ts";

const loadDialogs = () => Promise.all([import("./PaletteDialog.tsx"), import("./KeysDialog.tsx")]);

/** Modules that are loaded when they are first needed: most pages are left without it. */
interface Loaded {
  readonly Palette: FunctionComponent<PaletteDialogProps>;
  readonly Keys: FunctionComponent<{ open: boolean; onClose: () => void }>;
}

/** Ctrl+K: go anywhere, do anything, by typing. `?`: the list of keys. */
export function CommandPalette({ rights }: { rights: PaletteRights }) {
  const isOpen = useSignal(false);
  const showKeys = useSignal(false);
  const loaded = useSignal<Loaded | null>(null);

  const load = () => {
    if (loaded.peek() !== null) return;
    loadDialogs()
      .then(([{ PaletteDialog: Palette }, { KeysDialog: Keys }]) => loaded.value = { Palette, Keys })
      .catch((error) => reportFailure(undefined, error));
  };
  const open = (what: typeof isOpen) => {
    load();
    what.value = true;
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      // The first half of Ctrl+K: by the time of the K the palette is here, and no letter typed after it is lost.
      if (event.key === "Control" || event.key === "Meta") load();
      else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault(); // the browser's own search bar
        if (isOpen.peek()) isOpen.value = false;
        else open(isOpen);
      } else if (event.key === "?" && !isTyping(event)) open(showKeys);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

  const { Palette, Keys } = loaded.value ?? {};
  return (
    <>
      <button
        type="button"
        class="palette-button needs-script"
        aria-haspopup="dialog"
        aria-keyshortcuts="Control+K"
        onPointerEnter={load}
        onFocus={load}
        onClick={() => open(isOpen)}
      >
        <Icon name="search" />
        <span class="palette-hint">{t("palette.open")}</span>
        <kbd aria-hidden="true">Ctrl K</kbd>
      </button>
      {Palette && isOpen.value && (
        <Palette
          rights={rights}
          onClose={() => isOpen.value = false}
          onKeys={() => open(showKeys)}
        />
      )}
      {Keys && <Keys open={showKeys.value} onClose={() => showKeys.value = false} />}
    </>
  );
}
