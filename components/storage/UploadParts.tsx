import type { Progress, Uploaded } from "../../lib/client/upload.ts";
import { formatBytes } from "../../lib/format/quantity.ts";
import { oneLine } from "../../lib/format/text.ts";
import { formatSpan } from "../../lib/format/time.ts";
import { contentHref } from "../../lib/format/volume_page.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CopyButton } from "../CopyButton.tsx";
import { Icon } from "../Icon.tsx";
import { JobBar } from "../JobBar.tsx";

const { t } = textsOf(texts);

/** Seconds below which they are counted down. */
const COUNTED = 90;

function timeLeft({ secondsLeft, isWaiting }: Progress): string | undefined {
  if (isWaiting) return t("storage.upload_waiting");
  if (secondsLeft === null) return undefined;
  return secondsLeft < COUNTED
    ? t("storage.upload_seconds", { seconds: secondsLeft })
    : t("storage.upload_left", { span: formatSpan(secondsLeft * 1000) });
}

/** How far an upload is. */
export function UploadProgress({ name, progress }: { name: string; progress: Progress }) {
  const { sent, size } = progress;
  const isChecked = sent === size && !progress.isWaiting;
  const left = isChecked ? t("storage.upload_checking") : timeLeft(progress);
  return (
    <div class="upload-progress">
      <p>
        <bdi>{oneLine(name, 80)}</bdi>
      </p>
      <JobBar progress={sent / size} label={t("storage.upload_progress", { name: oneLine(name, 80) })} />
      <p class="form-hint">
        {t("storage.upload_bytes", { done: formatBytes(sent), total: formatBytes(size) })}
        {left !== undefined && ` · ${left}`}
      </p>
    </div>
  );
}

/** What an upload came to. */
export function UploadDone({ volume }: { volume: Uploaded }) {
  return (
    <div class="banner inset" data-tone="ok" role="status">
      <Icon name="check" />
      <div>
        <strong>{t("storage.upload_done", { name: oneLine(volume.name, 80) })}</strong>
        <p class="upload-sum">
          SHA-256 <code>{volume.sha256}</code> <CopyButton text={volume.sha256} what="SHA-256" />
        </p>
      </div>
    </div>
  );
}

/** A word that a shell takes as it is. */
const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

/** A line for a shell, to be copied. */
function ShellLine({ line }: { line: string }) {
  return (
    <p>
      <code>{line}</code> <CopyButton text={line} what={t("storage.upload_line")} />
    </p>
  );
}

/** How to upload without a browser: on the host as whoever may use its socket, from elsewhere with a token. */
export function UploadShell({ pool, origin }: { pool: string; origin: string }) {
  const url = origin + contentHref(pool, "disk.qcow2");
  return (
    <div class="upload-shell">
      <p class="form-hint">{t("storage.upload_here")}</p>
      <ShellLine line={`kvm-manager volume upload ${quoted(pool)} disk.qcow2 --from disk.qcow2`} />
      <p class="form-hint">
        {t("storage.upload_elsewhere")} <a href="/settings/tokens">{t("storage.upload_token")}</a>
      </p>
      <ShellLine line={`curl -T disk.qcow2 -H "Authorization: Bearer $KVMM_TOKEN" ${quoted(url)}`} />
    </div>
  );
}
