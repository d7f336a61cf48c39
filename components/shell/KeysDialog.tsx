import { palette as paletteTexts } from "../../lib/i18n/en/palette.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Dialog } from "../kit/Dialog.tsx";
import { SHORTCUTS } from "./keys.ts";

const texts = textsOf(paletteTexts);

/** The list of keys. */
export function KeysDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} title={texts.t("keys.title")} onClose={onClose}>
      <div class="dialog-body keys">
        {SHORTCUTS.map(({ title, shortcuts }) => (
          <section key={title}>
            <h3>{texts.t(title)}</h3>
            <dl>
              {shortcuts.map(({ keys, does }) => (
                <div key={does}>
                  <dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt>
                  <dd>{texts.t(does)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
