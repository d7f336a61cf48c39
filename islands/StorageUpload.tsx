import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Field, TextField } from "../components/Field.tsx";
import { Icon } from "../components/Icon.tsx";
import { Panel } from "../components/Panel.tsx";
import { poolHref } from "../components/storage/PoolParts.tsx";
import { StorageFailure } from "../components/storage/StorageForm.tsx";
import { UploadDone, UploadProgress, UploadShell } from "../components/storage/UploadParts.tsx";
import { api, ApiError } from "../lib/client/api.ts";
import { attempt } from "../lib/client/act.ts";
import { type Progress, upload, type Uploaded } from "../lib/client/upload.ts";
import { wires } from "../lib/client/upload_wires.ts";
import { type Failure, failureOf } from "../lib/format/failure.ts";
import { formatBytes } from "../lib/format/quantity.ts";
import { storage as texts } from "../lib/i18n/en/storage.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Props of {@link StorageUpload}. */
export interface StorageUploadProps {
  pool: string;
  /** `http://host:port` of the server, for the line a shell takes. */
  origin: string;
}

/** What is sent now. */
interface Running {
  readonly name: string;
  readonly abort: AbortController;
}

/** What is found out before hours are spent. @throws {ApiError} */
async function check(pool: string, name: string, file: File): Promise<void> {
  if (file.size === 0) throw new ApiError("InvalidInput", t("storage.upload_empty"));
  const { availableBytes } = await api.getStoragePool({ pool });
  if (availableBytes !== undefined && file.size > availableBytes) {
    const sizes = { size: formatBytes(file.size), free: formatBytes(availableBytes) };
    throw new ApiError("DiskExceedsPool", t("storage.upload_no_room", sizes));
  }
  if ((await api.getVolumes({ pool })).some((volume) => volume.name === name)) {
    throw new ApiError("VolumeExists", t("storage.upload_taken", { name }));
  }
}

/** Uploading a file as a volume: dropped or chosen, with progress, and going on after a broken connection. */
export default function StorageUpload({ pool, origin }: StorageUploadProps) {
  const file = useSignal<File | null>(null);
  const name = useSignal("");
  const isOver = useSignal(false);
  const running = useSignal<Running | null>(null);
  const progress = useSignal<Progress | null>(null);
  const done = useSignal<Uploaded | null>(null);
  const failure = useSignal<Failure | null>(null);
  const input = useRef<HTMLInputElement>(null);
  const here = poolHref(pool);

  const choose = (chosen: File | undefined) => {
    if (chosen === undefined || running.value !== null) return;
    file.value = chosen;
    name.value = chosen.name;
    done.value = failure.value = null;
  };

  useEffect(() => {
    // What was chosen before this script ran.
    choose(input.current?.files?.[0]);
    // A page that is left ends the upload: the browser asks first.
    const stay = (event: BeforeUnloadEvent) => {
      if (running.peek() !== null) event.preventDefault();
    };
    addEventListener("beforeunload", stay);
    return () => removeEventListener("beforeunload", stay);
  }, []);
  const start = async (checksum: string) => {
    const chosen = file.value;
    if (chosen === null) return;
    const abort = new AbortController();
    const what = { pool, name: name.value.trim(), file: chosen, checksum: checksum.trim().toLowerCase() };
    running.value = { name: what.name, abort };
    progress.value = { sent: 0, size: chosen.size, secondsLeft: null, isWaiting: false };
    done.value = failure.value = null;
    try {
      await check(pool, what.name, chosen);
      done.value = await upload(wires, what, (now) => progress.value = now, abort.signal);
      file.value = null;
      if (input.current) input.current.value = "";
    } catch (error) {
      if (!abort.signal.aborted) failure.value = failureOf(error);
    } finally {
      running.value = null;
    }
  };
  /** Told to the server first: what breaks off without a word is kept for an hour. */
  const cancel = async ({ name, abort }: Running) => {
    await attempt(t("storage.upload_cancel_failed"), async () => {
      const job = await wires.job({ pool, name, file: new Blob(), checksum: "" });
      if (job?.state === "running") await api.cancelJob({ jobId: job.id });
    });
    abort.abort(new ApiError("JobCancelled", ""));
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    isOver.value = false;
    choose(event.dataTransfer?.files[0]);
  };

  return (
    <Panel title={t("storage.upload_title")} class="storage-form">
      <form
        class="needs-script"
        onSubmit={(event) => {
          event.preventDefault();
          start(String(new FormData(event.currentTarget).get("checksum") ?? ""));
        }}
      >
        <div
          class="upload-drop"
          data-over={isOver.value ? "" : undefined}
          onDragOver={(event) => {
            event.preventDefault();
            isOver.value = true;
          }}
          onDragLeave={() => isOver.value = false}
          onDrop={onDrop}
        >
          <Icon name="upload" />
          <Field
            label={t("storage.upload_file")}
            hint={file.value === null
              ? t("storage.upload_drop")
              : `${file.value.name} · ${formatBytes(file.value.size)}`}
            control={(ties) => (
              <input
                ref={input}
                type="file"
                class="input"
                disabled={running.value !== null}
                onChange={(event) => choose(event.currentTarget.files?.[0])}
                {...ties}
              />
            )}
          />
        </div>
        <div class="form-grid">
          <TextField
            label={t("storage.upload_name")}
            hint={t("storage.upload_name_hint")}
            required
            maxLength={128}
            pattern="[A-Za-z0-9_][A-Za-z0-9._+@ \-]*"
            title={t("storage.upload_name_hint")}
            value={name.value}
            disabled={running.value !== null}
            onInput={(event) => name.value = event.currentTarget.value}
          />
          <TextField
            label={t("storage.upload_sum")}
            hint={t("storage.upload_sum_hint")}
            name="checksum"
            maxLength={64}
            pattern="[0-9A-Fa-f]{64}"
            title={t("storage.upload_sum_hint")}
            disabled={running.value !== null}
          />
        </div>
        {running.value !== null && progress.value !== null && (
          <UploadProgress name={running.value.name} progress={progress.value} />
        )}
        {/* Where the progress was, and eyes are. */}
        {done.value !== null && <UploadDone volume={done.value} />}
        <StorageFailure failure={failure.value} />
        <div class="form-actions">
          <button
            type="submit"
            class="button primary"
            disabled={file.value === null || running.value !== null}
          >
            {t("storage.upload")}
          </button>
          {running.value === null
            ? (
              <a class="button" href={here}>
                {t(done.value === null ? "storage.cancel" : "storage.upload_close")}
              </a>
            )
            : (
              <button type="button" class="button" onClick={() => running.value && cancel(running.value)}>
                {t("storage.upload_cancel")}
              </button>
            )}
        </div>
      </form>
      <UploadShell pool={pool} origin={origin} />
    </Panel>
  );
}
