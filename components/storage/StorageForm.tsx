import type { ComponentChildren } from "preact";
import type { Failure } from "../../lib/text/failure.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Panel } from "../kit/Panel.tsx";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(texts);

/** Why something was not done. */
export function StorageFailure({ failure }: { failure: Failure | null }) {
  return <Flash tone="bad" title={t("storage.failed")} failure={failure} />;
}

/** Props of {@link StorageForm}. */
export interface StorageFormProps {
  title: string;
  /** Of `formHref()`. */
  action: string;
  submit: string;
  cancel: string;
  /** Something is lost by it: its button is the confirmation. */
  danger?: boolean;
  children: ComponentChildren;
}

/** A form about a pool or a volume, as a part of the page. */
export function StorageForm({ title, action, submit, cancel, danger = false, children }: StorageFormProps) {
  return (
    <Panel title={title} class="storage-form">
      <form method="post" action={action}>
        <div class="form-grid">{children}</div>
        <div class="form-actions">
          <button
            type="submit"
            class={danger ? "button danger" : "button primary"}
            {...(danger && { name: "confirmed", value: "yes" })}
          >
            {submit}
          </button>
          <a class="button" href={cancel}>{t("storage.cancel")}</a>
        </div>
      </form>
    </Panel>
  );
}
