/** The form that uploads a file: what was chosen, how far it is, and what it came to. In the browser alone. */
import { batch, computed, signal } from "@preact/signals";
import { type Failure, failureOf } from "../text/failure.ts";
import { formatBytes } from "../text/quantity.ts";
import { uploads as texts } from "../i18n/en/uploads.ts";
import { textsOf } from "../i18n/mod.ts";
import { attempt } from "./run_action.ts";
import { api, ApiError } from "./api.ts";
import { type Sending, type SendProgress, sendVolume, type Uploaded } from "./upload.ts";
import { uploadTransport } from "./upload_transport.ts";

const { t } = textsOf(texts);

/** Whether a file is packed, as its name says: only then is it asked whether it is unpacked. */
export const isPackedName = (name: string): boolean => /\.(gz|xz|zst|bz2)$/i.test(name);

/** The running upload. */
interface Running {
  readonly what: Sending;
  readonly abort: AbortController;
}

/** Checks an upload before it takes hours. @throws {ApiError} */
async function check({ pool, name, file }: Sending): Promise<void> {
  if (file.size === 0) throw new ApiError("InvalidInput", t("uploads.empty"));
  const { availableBytes } = await api.getStoragePool({ pool });
  if (availableBytes !== undefined && file.size > availableBytes) {
    const sizes = { size: formatBytes(file.size), free: formatBytes(availableBytes) };
    throw new ApiError("DiskExceedsPool", t("uploads.no_room", sizes));
  }
  if ((await api.getVolumes({ pool })).some((volume) => volume.name === name)) {
    throw new ApiError("VolumeExists", t("uploads.taken", { name }));
  }
}

/** One upload after another. */
export class UploadModel {
  readonly file = signal<File | null>(null);
  readonly name = signal("");
  /** A packed file is kept as it is. */
  readonly keepPacked = signal(false);
  readonly progress = signal<SendProgress | null>(null);
  readonly done = signal<Uploaded | null>(null);
  readonly failure = signal<Failure | null>(null);
  readonly #running = signal<Running | null>(null);

  /** The name of what is sent now; null while nothing is. */
  readonly sending = computed(() => this.#running.value?.what.name ?? null);

  /** Takes a file, and its name for the volume. */
  choose(file: File | undefined): void {
    if (file === undefined || this.#running.peek() !== null) return;
    batch(() => {
      this.file.value = file;
      this.name.value = file.name;
      this.done.value = this.failure.value = null;
    });
  }

  /** Sends the file. @returns what it became; null when it was cancelled, or `failure` says why not */
  async start(pool: string, checksum: string): Promise<Uploaded | null> {
    const file = this.file.peek();
    if (file === null || this.#running.peek() !== null) return null;
    const abort = new AbortController();
    const what: Sending = {
      pool,
      name: this.name.peek(),
      file,
      checksum: checksum.trim().toLowerCase(),
      ...(this.keepPacked.peek() && isPackedName(file.name) && { keepPacked: true }),
    };
    batch(() => {
      this.#running.value = { what, abort };
      this.progress.value = { sent: 0, size: file.size, secondsLeft: null, isWaiting: false };
      this.done.value = this.failure.value = null;
    });
    try {
      await check(what);
      this.done.value = await sendVolume(
        uploadTransport,
        what,
        (now) => this.progress.value = now,
        abort.signal,
      );
      this.file.value = null;
      return this.done.peek();
    } catch (error) {
      if (!abort.signal.aborted) this.failure.value = failureOf(error);
      return null;
    } finally {
      this.#running.value = null;
    }
  }

  /** Stops it. The server is told first: what breaks off without a word is kept for an hour. */
  async cancel(): Promise<void> {
    const running = this.#running.peek();
    if (running === null) return;
    await attempt(t("uploads.cancel_failed"), async () => {
      const job = await uploadTransport.job(running.what);
      if (job?.state === "running") await api.cancelJob({ jobId: job.id });
    });
    running.abort.abort(new ApiError("JobCancelled", ""));
  }
}

/** Has the browser ask before a page is left, which ends its upload. @returns ends that */
export function stayWhileSending(model: UploadModel): () => void {
  const stay = (event: BeforeUnloadEvent) => {
    if (model.sending.peek() !== null) event.preventDefault();
  };
  addEventListener("beforeunload", stay);
  return () => removeEventListener("beforeunload", stay);
}
