import { tagMany } from "../../../lib/client/bulk.ts";
import type { VM } from "../../../lib/contract/mod.ts";
import { parseTags } from "../../../lib/vm/tags.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { plural, t } from "../../../lib/i18n/mod.ts";
import { Dialog } from "../../kit/Dialog.tsx";

/** Gives VMs tags, and takes tags from them. */
export function TagDialog(
  { open, vms, onClose }: { open: boolean; vms: readonly VM[]; onClose: () => void },
) {
  const present = [...new Set(vms.flatMap(({ tags }) => tags))].sort();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const add = parseTags(String(form.get("add") ?? ""));
    const remove = form.getAll("remove").map(String);
    onClose();
    if (add.length > 0 || remove.length > 0) void tagMany(vms, add, remove);
  };
  return (
    <Dialog open={open} title={plural("tags.title", vms.length)} onClose={onClose}>
      <form onSubmit={submit}>
        <div class="dialog-body">
          <label class="stack">
            <span>{t("tags.add")}</span>
            <input class="input" name="add" autoFocus autocomplete="off" spellcheck={false} />
            <small>{t("tags.hint")}</small>
          </label>
          {present.length > 0 && (
            <fieldset class="tag-choice">
              <legend>{t("tags.remove")}</legend>
              {present.map((tag) => (
                <label key={tag} class="check">
                  <input type="checkbox" name="remove" value={tag} />
                  <bdi>{oneLine(tag, 40)}</bdi>
                </label>
              ))}
            </fieldset>
          )}
        </div>
        <div class="dialog-foot">
          <button type="button" class="button" onClick={onClose}>{t("danger.cancel")}</button>
          <button type="submit" class="button primary">{t("tags.apply")}</button>
        </div>
      </form>
    </Dialog>
  );
}
