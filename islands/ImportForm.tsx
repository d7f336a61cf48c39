import { leave } from "../lib/client/toasts.ts";
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { CheckField, Field, TextField } from "../components/kit/Field.tsx";
import { ManageForm, NAME_CODES } from "../components/vm/ManageForm.tsx";
import { api } from "../lib/client/api.ts";
import { answerWarnings } from "../lib/text/notice.ts";
import { type Failure, failureOf } from "../lib/text/failure.ts";
import { type ImportRequest, importRequest } from "../lib/vm/import_form.ts";
import { manage } from "../lib/i18n/en/manage.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(manage);

/** Props of {@link ImportForm}. */
export interface ImportFormProps {
  /** Values of a plain form that was sent before. */
  asked: ImportRequest;
  failure: Failure | null;
}

/** Checkbox that solves a refusal, by its code: ticked for the user to see, not sent unseen. */
const HELP: Readonly<Record<string, "newId" | "newMacs">> = { VmIdTaken: "newId", MacInUse: "newMacs" };

/** Bringing a VM in from XML. A plain form without script. */
export default function ImportForm({ asked, failure: before }: ImportFormProps) {
  const failure = useSignal(before);
  const isBusy = useSignal(false);
  const isEmpty = useSignal(false);
  const text = useRef<HTMLTextAreaElement>(null);
  const onSubmit = async (form: HTMLFormElement) => {
    const asked = await importRequest(new FormData(form));
    failure.value = null;
    isEmpty.value = asked.xml.trim() === "";
    if (isEmpty.value) return;
    isBusy.value = true;
    try {
      const imported = await api.importVm(asked), { vmId, name } = imported;
      leave(`/vms/${encodeURIComponent(vmId)}`, {
        word: "import_vm",
        name,
        warnings: answerWarnings(imported),
      });
    } catch (error) {
      failure.value = failureOf(error);
      isBusy.value = false;
    }
  };
  const read = async (input: HTMLInputElement) => {
    const file = input.files?.[0];
    if (!file || text.current === null) return;
    text.current.value = await file.text();
    input.value = ""; // what counts is the text, which can be seen
  };
  const { code, why } = failure.value ?? {};
  const helps = (name: "newId" | "newMacs") => code !== undefined && HELP[code] === name ? why : undefined;
  return (
    <ManageForm
      title={t("manage.import_title")}
      what={t("manage.import_what")}
      submit={t("manage.import_do")}
      doing={isBusy.value ? t("manage.import_doing") : null}
      failure={failure.value}
      cancel="/vms"
      files
      onSubmit={onSubmit}
    >
      <Field
        label={t("manage.import_file")}
        control={(ties) => (
          <input
            type="file"
            class="input"
            name="file"
            accept=".xml,application/xml,text/xml"
            onChange={(event) => read(event.currentTarget)}
            {...ties}
          />
        )}
      />
      <Field
        label={t("manage.import_xml")}
        error={isEmpty.value ? t("manage.import_empty") : undefined}
        control={(ties) => (
          <textarea
            ref={text}
            class="input xml-input"
            name="xml"
            rows={10}
            spellcheck={false}
            wrap="off"
            defaultValue={asked.xml}
            {...ties}
          />
        )}
      />
      <TextField
        label={t("manage.import_name")}
        error={code !== undefined && NAME_CODES.has(code) ? why : undefined}
        name="name"
        defaultValue={asked.name ?? ""}
        maxLength={64}
      />
      <CheckField
        label={t("manage.import_new_id")}
        error={helps("newId")}
        name="newId"
        value="yes"
        defaultChecked={asked.newId}
      />
      <CheckField
        label={t("manage.import_new_macs")}
        error={helps("newMacs")}
        name="newMacs"
        value="yes"
        defaultChecked={asked.newMacs}
      />
      <CheckField
        label={t("manage.import_allow_missing")}
        name="allowMissing"
        value="yes"
        defaultChecked={asked.allowMissing}
      />
    </ManageForm>
  );
}
