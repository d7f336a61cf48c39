import { withBase } from "../../lib/fresh/base.ts";
import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import type { SendProgress, Uploaded } from "../../lib/client/upload.ts";
import { isPackedName, type UploadModel } from "../../lib/client/upload_model.ts";
import { quoted } from "../../lib/text/shell_word.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatSpan } from "../../lib/text/time.ts";
import { volumeContentHref } from "../../lib/storage/volume_page.ts";
import { newVmHref } from "../../lib/image/new_vm_href.ts";
import { uploads as texts } from "../../lib/i18n/en/uploads.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CopyButton } from "../kit/CopyButton.tsx";
import { CheckField, Field, TextField } from "../kit/Field.tsx";
import { Icon } from "../kit/Icon.tsx";
import { JobBar } from "../jobs/JobBar.tsx";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(texts);

/** Seconds below which they are counted down. */
const COUNTED = 90;

function timeLeft({ secondsLeft, isWaiting }: SendProgress): string | undefined {
  if (isWaiting) return t("uploads.waiting");
  if (secondsLeft === null) return undefined;
  return secondsLeft < COUNTED
    ? t("uploads.seconds", { seconds: secondsLeft })
    : t("uploads.left", { span: formatSpan(secondsLeft * 1000) });
}

/** Props of {@link UploadFile}. */
export interface UploadFileProps {
  model: UploadModel;
  input: RefObject<HTMLInputElement>;
  /** Text on accepted files; "an ISO or a disk image" if left out. */
  hint?: string;
}

/** The file: dropped or chosen. */
export function UploadFile({ model, input, hint = t("uploads.drop") }: UploadFileProps) {
  const isOver = useSignal(false);
  const file = model.file.value;
  return (
    <div
      class="upload-drop"
      data-over={isOver.value ? "" : undefined}
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => isOver.value = false}
      onDrop={(event) => {
        event.preventDefault();
        isOver.value = false;
        model.choose(event.dataTransfer?.files[0]);
      }}
    >
      <Icon name="upload" />
      <Field
        label={t("uploads.file")}
        hint={file === null ? hint : `${file.name} · ${formatBytes(file.size)}`}
        control={(ties) => (
          <input
            ref={input}
            type="file"
            class="input"
            disabled={model.sending.value !== null}
            onChange={(event) => model.choose(event.currentTarget.files?.[0])}
            {...ties}
          />
        )}
      />
    </div>
  );
}

/** Field for the volume's name. */
export function UploadName({ model }: { model: UploadModel }) {
  return (
    <TextField
      label={t("uploads.name")}
      hint={t("uploads.name_hint")}
      required
      maxLength={128}
      pattern="[A-Za-z0-9_][A-Za-z0-9._+@ \-]*"
      title={t("uploads.name_hint")}
      value={model.name.value}
      disabled={model.sending.value !== null}
      onInput={(event) => model.name.value = event.currentTarget.value}
    />
  );
}

/** Whether a packed file is kept as it is; nothing for other files. */
export function UploadPacked({ model }: { model: UploadModel }) {
  const file = model.file.value;
  if (file === null || !isPackedName(file.name)) return null;
  return (
    <CheckField
      wide
      label={t("uploads.keep_packed")}
      hint={t("uploads.keep_packed_hint")}
      checked={model.keepPacked.value}
      disabled={model.sending.value !== null}
      onChange={({ currentTarget: { checked } }) => model.keepPacked.value = checked}
    />
  );
}

/** How far an upload is. */
export function UploadProgress({ name, progress }: { name: string; progress: SendProgress }) {
  const { sent, size } = progress;
  const isChecked = sent === size && !progress.isWaiting;
  const left = isChecked ? t("uploads.checking") : timeLeft(progress);
  return (
    <div class="upload-progress">
      <p>
        <bdi>{oneLine(name, 80)}</bdi>
      </p>
      <JobBar progress={sent / size} label={t("uploads.progress", { name: oneLine(name, 80) })} />
      <p class="form-hint">
        {t("uploads.bytes", { done: formatBytes(sent), total: formatBytes(size) })}
        {left !== undefined && ` · ${left}`}
      </p>
    </div>
  );
}

/** Whether a VM can begin with a file, by its name. */
const isImageName = (name: string): boolean => /\.(iso|qcow2|img|raw)$/i.test(name);

/** Result of an upload. */
export function UploadDone({ volume }: { volume: Uploaded }) {
  return (
    <div role="status">
      <Flash
        quiet
        tone={volume.warnings.length > 0 ? "warn" : "ok"}
        title={t("uploads.done", { name: oneLine(volume.name, 80) })}
      >
        {volume.warnings.map(({ message }) => <p key={message}>{message}</p>)}
        {isImageName(volume.name) && (
          <p>
            <a href={newVmHref({ ...volume, kind: /\.iso$/i.test(volume.name) ? "iso" : "disk" })}>
              {t("uploads.new_vm")}
            </a>
          </p>
        )}
        <p class="upload-sum">
          SHA-256 <code>{volume.sha256}</code> <CopyButton text={volume.sha256} what="SHA-256" />
        </p>
      </Flash>
    </div>
  );
}

/** A line for a shell, to be copied. */
function ShellLine({ line }: { line: string }) {
  return (
    <p>
      <code>{line}</code> <CopyButton text={line} what={t("uploads.line")} />
    </p>
  );
}

/** How to upload without a browser: on the host as whoever may use its socket, from elsewhere with a token. */
export function UploadShell(
  { pool, server, file = "disk.qcow2" }: { pool: string; server: string; file?: string },
) {
  const url = server + withBase(volumeContentHref(pool, file));
  return (
    <div class="upload-shell">
      <p class="form-hint">{t("uploads.here")}</p>
      <ShellLine line={`kvm-manager volume upload ${quoted(pool)} ${file} --from ${file}`} />
      <p class="form-hint">
        {t("uploads.elsewhere")} <a href="/settings/tokens">{t("uploads.token")}</a>
      </p>
      <ShellLine line={`curl -T ${file} -H "Authorization: Bearer $KVMM_TOKEN" ${quoted(url)}`} />
    </div>
  );
}
