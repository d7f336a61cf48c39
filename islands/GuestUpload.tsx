import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { JobBar } from "../components/jobs/JobBar.tsx";
import { Icon } from "../components/kit/Icon.tsx";
import { type GuestUpload as Upload, GuestUploads } from "../lib/client/guest_uploads.ts";
import { guest as texts } from "../lib/i18n/en/guest.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { formatBytes } from "../lib/text/quantity.ts";
import { oneLine } from "../lib/text/text.ts";

const { t } = textsOf(texts);

/** Props of {@link GuestUpload}. */
export interface GuestUploadProps {
  vmId: string;
  /** The folder they go into. */
  folder: string;
  /** Names that are in it. */
  taken: readonly string[];
  /** Id of what takes dropped files, in addition to this. */
  target: string;
}

function Line({ upload: { id, name, size, state, sent, failure }, uploads }: {
  upload: Upload;
  uploads: GuestUploads;
}) {
  const shown = oneLine(name, 80);
  return (
    <li>
      <p class="guest-line">
        <span>
          <bdi>{shown}</bdi> <span class="text-muted">{formatBytes(size)}</span>
        </span>
        {state === "done" ? <span class="text-muted">{t("guest.upload_done")}</span> : (
          <span class="actions">
            {state === "asks" && (
              <button
                type="button"
                class="button small"
                onClick={() => uploads.replace(id)}
              >
                {t("guest.upload_replace")}
              </button>
            )}
            <button
              type="button"
              class="button small"
              aria-label={t("guest.upload_drop_one", { name: shown })}
              onClick={() => uploads.drop(id)}
            >
              {t(state === "failed" ? "guest.upload_close" : "guest.upload_cancel")}
            </button>
          </span>
        )}
      </p>
      {state === "asks" && <p class="text-muted">{t("guest.upload_taken")}</p>}
      {state === "runs" && (
        <JobBar
          progress={size === 0 ? 0 : sent / size}
          label={t("guest.upload_progress", { name: shown })}
        />
      )}
      {failure !== null && <p class="error-text" role="alert">{failure.why}</p>}
    </li>
  );
}

/** Takes files, dropped or chosen, and copies them into a folder of a guest. */
export default function GuestUpload({ vmId, folder, taken, target }: GuestUploadProps) {
  const uploads = useMemo(
    () => new GuestUploads(vmId, folder, new Set(taken), () => location.reload()),
    [],
  );
  const input = useRef<HTMLInputElement>(null), isOver = useSignal(false);
  useEffect(() => {
    const place = document.getElementById(target), ended = new AbortController(), { signal } = ended;
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      isOver.value = true;
    };
    place?.addEventListener("dragover", over, { signal });
    place?.addEventListener("dragleave", () => isOver.value = false, { signal });
    place?.addEventListener("drop", (event) => {
      event.preventDefault();
      isOver.value = false;
      uploads.add(event.dataTransfer?.files ?? []);
    }, { signal });
    addEventListener("beforeunload", (event) => {
      if (uploads.isSending.peek()) event.preventDefault();
    }, { signal });
    return () => ended.abort();
  }, []);
  return (
    <div class="needs-script">
      <div class="upload-drop guest-drop" data-over={isOver.value ? "" : undefined}>
        <Icon name="upload" />
        <p>{t("guest.upload_drop")}</p>
        <button type="button" class="button" onClick={() => input.current?.click()}>
          {t("guest.upload_choose")}
        </button>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          aria-label={t("guest.upload_choose")}
          onChange={({ currentTarget }) => {
            uploads.add(currentTarget.files ?? []);
            currentTarget.value = "";
          }}
        />
      </div>
      {uploads.all.value.length > 0 && (
        <ol class="guest-history" aria-live="polite">
          {uploads.all.value.map((each) => <Line key={each.id} upload={each} uploads={uploads} />)}
        </ol>
      )}
    </div>
  );
}
