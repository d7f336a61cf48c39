/** Files that a page sends into a guest, one after the other. In the browser alone. */
import { computed, signal } from "@preact/signals";
import { contentHref, inFolder } from "../guest/paths.ts";
import { type Failure, failureOf } from "../text/failure.ts";
import { api } from "./api.ts";
import { based } from "./base.ts";
import { sendFile } from "./send_file.ts";

/** A file on its way. */
export interface GuestUpload {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  /** `asks`: something of that name is there, and it would replace it. */
  readonly state: "asks" | "waits" | "runs" | "done" | "failed";
  /** Bytes that have left. */
  readonly sent: number;
  readonly failure: Failure | null;
}

/** The uploads into one folder of a guest. */
export class GuestUploads {
  readonly #all = signal<readonly GuestUpload[]>([]);
  readonly #files = new Map<number, File>();
  readonly #aborts = new Map<number, AbortController>();
  #isSending = false;
  #nextId = 1;

  /** Those to be shown, in the order they were chosen. */
  readonly all = computed(() => this.#all.value);
  /** Whether one is on its way, or waits for its turn. */
  readonly isSending = computed(() =>
    this.#all.value.some(({ state }) => state === "runs" || state === "waits")
  );

  /**
   * @param taken names that are in the folder
   * @param onIdle is called when nothing is left to be sent, and something was
   */
  constructor(
    private readonly vmId: string,
    private readonly folder: string,
    private readonly taken: ReadonlySet<string>,
    private readonly onIdle: () => void,
  ) {}

  /** Takes files to be sent. */
  add(files: Iterable<File>): void {
    for (const file of files) {
      const id = this.#nextId++;
      this.#files.set(id, file);
      const state = this.taken.has(file.name) ? "asks" : "waits";
      const { name, size } = file;
      this.#all.value = [...this.#all.peek(), { id, name, size, state, sent: 0, failure: null }];
    }
    void this.#sendAll();
  }

  /** It may replace what is there. */
  replace(id: number): void {
    this.#change(id, { state: "waits" });
    void this.#sendAll();
  }

  /** Takes one out of the list; it ends when it is on its way. */
  drop(id: number): void {
    this.#aborts.get(id)?.abort();
    this.#files.delete(id);
    this.#all.value = this.#all.peek().filter((each) => each.id !== id);
  }

  #change(id: number, change: Partial<GuestUpload>): void {
    this.#all.value = this.#all.peek().map((each) => each.id === id ? { ...each, ...change } : each);
  }

  async #sendAll(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    let hasSent = false;
    for (;;) {
      const next = this.#all.peek().find(({ state }) => state === "waits");
      if (next === undefined) break;
      hasSent = await this.#send(next) || hasSent;
    }
    this.#isSending = false;
    if (hasSent && this.#all.peek().every(({ state }) => state === "done")) this.onIdle();
  }

  async #send({ id, name }: GuestUpload): Promise<boolean> {
    const file = this.#files.get(id)!, { vmId } = this, path = inFolder(this.folder, name);
    const abort = new AbortController();
    this.#aborts.set(id, abort);
    this.#change(id, { state: "runs" });
    try {
      // A request without a body says nothing of a file
      if (file.size === 0) await api.guestWriteFile({ vmId, path, content: "" });
      else {
        await sendFile(based(contentHref(vmId, path)), file, {
          onSent: (sent) => this.#change(id, { sent: Math.min(sent, file.size) }),
          signal: abort.signal,
        });
      }
      this.#change(id, { state: "done", sent: file.size });
      return true;
    } catch (error) {
      this.#change(id, { state: "failed", failure: failureOf(error) });
      return false;
    } finally {
      this.#aborts.delete(id);
      this.#files.delete(id);
    }
  }
}
