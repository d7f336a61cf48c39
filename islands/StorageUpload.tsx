import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { SelectField, TextField } from "../components/kit/Field.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { StorageFailure } from "../components/storage/StorageForm.tsx";
import {
  UploadDone,
  UploadFile,
  UploadName,
  UploadPacked,
  UploadProgress,
  UploadShell,
} from "../components/storage/UploadParts.tsx";
import { stayWhileSending, UploadModel } from "../lib/client/upload_model.ts";
import { storage as texts } from "../lib/i18n/en/storage.ts";
import { uploads as uploadTexts } from "../lib/i18n/en/uploads.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);
const uploads = textsOf(uploadTexts);

/** Props of {@link StorageUpload}. */
export interface StorageUploadProps {
  /** The pools it may go to: the first, or one that is chosen. */
  pools: readonly string[];
  /** The page without the form. */
  closeHref: string;
  /** `http://host:port` of the server, for the line a shell takes. */
  server: string;
}

/** Uploading a file as a volume: dropped or chosen, with progress, and going on after a broken connection. */
export default function StorageUpload({ pools, closeHref, server }: StorageUploadProps) {
  const pool = useSignal(pools[0]!);
  const model = useMemo(() => new UploadModel(), []);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    // What was chosen before this script ran.
    model.choose(input.current?.files?.[0]);
    return stayWhileSending(model);
  }, []);
  const start = async (checksum: string) => {
    if (await model.start(pool.value, checksum) !== null && input.current) input.current.value = "";
  };
  const sending = model.sending.value, progress = model.progress.value, done = model.done.value;
  return (
    <Panel title={uploads.t("uploads.title")} class="storage-form">
      <form
        class="needs-script"
        onSubmit={(event) => {
          event.preventDefault();
          start(String(new FormData(event.currentTarget).get("checksum") ?? ""));
        }}
      >
        <UploadFile model={model} input={input} />
        <div class="form-grid">
          {pools.length > 1 && (
            <SelectField
              label={uploads.t("uploads.pool")}
              name="pool"
              choices={pools.map((each) => ({ value: each, label: each }))}
              value={pool.value}
              disabled={sending !== null}
              onChange={(event) => pool.value = event.currentTarget.value}
            />
          )}
          <UploadName model={model} />
          <UploadPacked model={model} />
          <TextField
            label={uploads.t("uploads.sum")}
            hint={uploads.t("uploads.sum_hint")}
            name="checksum"
            maxLength={64}
            pattern="[0-9A-Fa-f]{64}"
            title={uploads.t("uploads.sum_hint")}
            disabled={sending !== null}
          />
        </div>
        {sending !== null && progress !== null && <UploadProgress name={sending} progress={progress} />}
        {/* Where the progress was, and eyes are. */}
        {done !== null && <UploadDone volume={done} />}
        <StorageFailure failure={model.failure.value} />
        <div class="form-actions">
          <button
            type="submit"
            class="button primary"
            disabled={model.file.value === null || sending !== null}
          >
            {uploads.t("uploads.upload")}
          </button>
          {sending === null
            ? (
              <a class="button" href={closeHref}>
                {done === null ? t("storage.cancel") : uploads.t("uploads.close")}
              </a>
            )
            : (
              <button type="button" class="button" onClick={() => model.cancel()}>
                {uploads.t("uploads.cancel")}
              </button>
            )}
        </div>
      </form>
      <UploadShell pool={pool.value} server={server} />
    </Panel>
  );
}
