import type { ComponentChildren } from "preact";
import type { Failure } from "../../lib/text/failure.ts";
import { isStorageAction, STORAGE_ACTIONS } from "../../lib/storage/forms.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Panel } from "../kit/Panel.tsx";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(texts);

/** What a form that led here did, from `?done=`: a word of ours, whatever the address says. */
export function storageDoneText(done: string | null): string | undefined {
  if (done === "create") return t("storage.done_create");
  return isStorageAction(done) ? t(STORAGE_ACTIONS[done].done) : undefined;
}

/** What a form that led here began, from `?started=`. */
export function StorageStarted({ started }: { started: string | null }) {
  if (!isStorageAction(started)) return null;
  return (
    <Flash tone="info" icon="loader">
      {t("storage.started")} <a class="button small" href="/tasks">{t("storage.tasks")}</a>
    </Flash>
  );
}

/** Why something was not done. */
export function StorageFailure({ failure }: { failure: Failure | null }) {
  return <Flash tone="bad" title={t("storage.failed")} failure={failure} />;
}

/** Props of {@link StorageForm}. */
export interface StorageFormProps {
  title: string;
  action: string;
  /** The deed's name. */
  does: string;
  submit: string;
  cancel: string;
  danger?: boolean;
  failure: Failure | null;
  children: ComponentChildren;
}

/** A form about a pool or a volume, as a part of the page. */
export function StorageForm(
  { title, action, does, submit, cancel, danger = false, failure, children }: StorageFormProps,
) {
  return (
    <Panel title={title} class="storage-form">
      <form method="post" action={action}>
        <StorageFailure failure={failure} />
        <div class="form-grid">{children}</div>
        <div class="form-actions">
          <button
            type="submit"
            class={danger ? "button danger" : "button primary"}
            name="action"
            value={does}
          >
            {submit}
          </button>
          <a class="button" href={cancel}>{t("storage.cancel")}</a>
        </div>
      </form>
    </Panel>
  );
}
