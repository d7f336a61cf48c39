import type { ComponentChildren } from "preact";
import type { Failure } from "../../lib/format/failure.ts";
import { isStorageDeed, STORAGE_DEEDS } from "../../lib/format/storage_forms.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { FailureText } from "../FailureText.tsx";
import { Icon } from "../Icon.tsx";
import { Panel } from "../Panel.tsx";

const { t } = textsOf(texts);

/** What a form that led here did, from `?done=`: a word of ours, whatever the address says. */
export function StorageDone({ done }: { done: string | null }) {
  const text = done === "create"
    ? t("storage.done_create")
    : isStorageDeed(done)
    ? t(STORAGE_DEEDS[done].done)
    : undefined;
  if (text === undefined) return null;
  return (
    <p class="banner inset" data-tone="ok" role="status">
      <Icon name="check" />
      <span>{text}</span>
    </p>
  );
}

/** What a form that led here began, from `?started=`. */
export function StorageStarted({ started }: { started: string | null }) {
  if (!isStorageDeed(started)) return null;
  return (
    <p class="banner inset" data-tone="info" role="status">
      <Icon name="loader" />
      <span>{t("storage.started")}</span>
      <a class="button small" href="/tasks">{t("storage.tasks")}</a>
    </p>
  );
}

/** Why something was not done. */
export function StorageFailure({ failure }: { failure: Failure | null }) {
  if (failure === null) return null;
  return (
    <div class="banner inset" data-tone="bad" role="alert">
      <Icon name="circleAlert" />
      <div>
        <strong>{t("storage.failed")}</strong>
        <FailureText failure={failure} />
      </div>
    </div>
  );
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
