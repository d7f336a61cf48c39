import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { type FieldChoice, SelectField } from "../components/kit/Field.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { StorageFailure } from "../components/storage/StorageForm.tsx";
import { UploadFile, UploadName, UploadProgress, UploadShell } from "../components/storage/UploadParts.tsx";
import { based } from "../lib/client/base.ts";
import { stayWhileSending, UploadModel } from "../lib/client/upload_model.ts";
import { ova as texts } from "../lib/i18n/en/ova.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Props of {@link OvaUpload}. */
export interface OvaUploadProps {
  /** Pools that take files. */
  pools: readonly FieldChoice[];
  pool: string;
  /** `http://host:port` of the server, for the line a shell takes. */
  server: string;
}

/** Uploading an archive: dropped or chosen; then its preview is shown. */
export default function OvaUpload({ pools, pool: first, server }: OvaUploadProps) {
  const model = useMemo(() => new UploadModel(), []);
  const input = useRef<HTMLInputElement>(null);
  const pool = useSignal(first);
  useEffect(() => {
    // What was chosen before this script ran.
    model.choose(input.current?.files?.[0]);
    return stayWhileSending(model);
  }, []);
  const start = async () => {
    const done = await model.start(pool.value, "");
    if (done === null) return;
    location.assign(based(`/vms/import-ova?${new URLSearchParams({ pool: pool.value, volume: done.name })}`));
  };
  const sending = model.sending.value, progress = model.progress.value;
  return (
    <Panel title={t("ova.upload_title")} class="storage-form">
      <form
        class="needs-script"
        onSubmit={(event) => {
          event.preventDefault();
          start();
        }}
      >
        <UploadFile model={model} input={input} hint={t("ova.upload_drop")} />
        <div class="form-grid">
          <UploadName model={model} />
          <SelectField
            label={t("ova.upload_pool")}
            choices={pools}
            value={pool.value}
            disabled={sending !== null}
            onChange={(event) => pool.value = event.currentTarget.value}
          />
        </div>
        {sending !== null && progress !== null && <UploadProgress name={sending} progress={progress} />}
        <StorageFailure failure={model.failure.value} />
        <div class="form-actions">
          <button
            type="submit"
            class="button primary"
            disabled={model.file.value === null || sending !== null}
          >
            {t("ova.upload")}
          </button>
          {sending !== null && (
            <button type="button" class="button" onClick={() => model.cancel()}>
              {t("ova.upload_cancel")}
            </button>
          )}
        </div>
      </form>
      <UploadShell pool={pool.value} server={server} file="vm.ova" />
    </Panel>
  );
}
