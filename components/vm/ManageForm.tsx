import type { ComponentChildren } from "preact";
import type { Failure } from "../../lib/text/failure.ts";
import { manage } from "../../lib/i18n/en/manage.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(manage);

/** Codes that are about the name: said at its field, not above the form. */
export const NAME_CODES: ReadonlySet<string> = new Set(["InvalidName", "VmNameExists"]);

/** Props of {@link ManageForm}. */
export interface ManageFormProps {
  title: string;
  what: string;
  failure: Failure | null;
  /** Work in progress; null if there is none. */
  doing: string | null;
  submit: string;
  cancel: string;
  files?: boolean;
  onSubmit: (form: HTMLFormElement) => void;
  children: ComponentChildren;
}

/** The frame of a form that does something to a whole VM: its title, what failed, its buttons. */
export function ManageForm(
  { title, what, failure, doing, submit, cancel, files = false, onSubmit, children }: ManageFormProps,
) {
  const said = failure !== null && !NAME_CODES.has(failure.code) ? failure : null;
  return (
    <form
      class="panel narrow"
      method="post"
      encType={files ? "multipart/form-data" : undefined}
      onSubmit={(event) => {
        event.preventDefault();
        if (doing === null) onSubmit(event.currentTarget);
      }}
    >
      <div class="dialog-body">
        <h1>{title}</h1>
        <p>{what}</p>
        <Flash tone="bad" failure={said} />
        {children}
      </div>
      <footer class="dialog-foot">
        <span class="text-muted grow" role="status">{doing}</span>
        <a class="button" href={cancel}>{t("manage.cancel")}</a>
        <button type="submit" class="button primary" disabled={doing !== null}>{submit}</button>
      </footer>
    </form>
  );
}
