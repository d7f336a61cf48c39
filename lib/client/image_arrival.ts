/** An image that a form needs and the host lacks: fetched from the catalogue, from a URL or by upload. */
import { batch, computed, effect, signal } from "@preact/signals";
import type { CatalogImage, Image, Input, Job } from "../contract/mod.ts";
import { type Failure, failureOf } from "../text/failure.ts";
import { checksumIn, heldImages } from "../image/images.ts";
import { api } from "./api.ts";
import { isOpen, pageJobs } from "./jobs.ts";
import { imageRef, type ImageWay } from "./image_way.ts";
import { UploadModel } from "./upload_model.ts";

/** A download that this form has begun. */
interface Download {
  readonly jobId: string;
  readonly ref: string;
}

export class ImageArrival {
  /** The way that is open. */
  readonly way = signal<ImageWay | null>(null);
  /** The pool it goes into; empty for the server's choice. */
  readonly pool = signal("");
  /** The catalogue; null before it was asked for. */
  readonly catalog = signal<readonly CatalogImage[] | null>(null);
  readonly catalogId = signal("");
  readonly url = signal("");
  readonly checksum = signal("");
  readonly failure = signal<Failure | null>(null);
  /** `pool/name` of what came last. */
  readonly arrived = signal<string | null>(null);
  readonly upload = new UploadModel();
  readonly #asking = signal(false);
  readonly #download = signal<Download | null>(null);
  readonly #onArrived: (ref: string) => Promise<boolean>;

  /** @param onArrived takes what has come, by `pool/name`; false where it does not find it */
  constructor(pool: string, onArrived: (ref: string) => Promise<boolean>) {
    this.pool.value = pool;
    this.#onArrived = onArrived;
  }

  /** The download under way. */
  readonly job = computed<Job | undefined>(() => {
    const id = this.#download.value?.jobId;
    return id === undefined ? undefined : pageJobs.list.value.find((job) => job.id === id);
  });

  /** Something is on its way. */
  readonly isBusy = computed(() =>
    this.#asking.value || this.#download.value !== null || this.upload.sending.value !== null
  );

  /** Opens a way, or closes it. */
  async toggle(way: ImageWay): Promise<void> {
    batch(() => {
      this.way.value = this.way.peek() === way ? null : way;
      this.failure.value = this.arrived.value = null;
    });
    if (this.way.peek() !== "catalog" || this.catalog.peek() !== null) return;
    await this.#attempt(async () => {
      const catalog = await api.listImageCatalog();
      batch(() => {
        this.catalog.value = catalog;
        this.catalogId.value = catalog[0]?.id ?? "";
      });
    });
  }

  /** Begins to fetch what the open way names. */
  async fetch(images: readonly Image[]): Promise<void> {
    if (this.isBusy.peek()) return;
    const way = this.way.peek();
    if (way === "catalog") {
      const catalogId = this.catalogId.peek();
      const pool = heldImages(this.catalog.peek() ?? [], images)[catalogId];
      if (pool !== undefined) await this.#attempt(() => this.#take(`${pool.pool}/${pool.name}`));
      else await this.#downloadFrom({ catalogId });
    } else if (way === "url") {
      const checksum = this.checksum.peek().trim();
      await this.#downloadFrom({
        url: this.url.peek().trim(),
        ...(checksum !== "" && checksumIn(checksum)),
        unpack: "auto",
      });
    } else if (way === "upload") {
      this.arrived.value = this.failure.value = null;
      const done = await this.upload.start(this.pool.peek(), "");
      if (done !== null) await this.#attempt(() => this.#take(imageRef(done)));
    }
  }

  /** Follows the download until it is over. @returns ends that */
  follow(): () => void {
    return effect(() => {
      const download = this.#download.value, job = this.job.value;
      if (download === null || job === undefined || isOpen(job)) return;
      this.#download.value = null;
      if (job.state === "done") void this.#attempt(() => this.#take(download.ref));
      else if (job.state !== "cancelled" && job.error !== null) this.failure.value = failureOf(job.error);
    });
  }

  async #downloadFrom(what: Input<"download_image">): Promise<void> {
    const pool = this.pool.peek();
    await this.#attempt(async () => {
      const begun = await api.downloadImage({ ...what, ...(pool !== "" && { pool }) });
      const { job } = await api.getJob({ jobId: begun.jobId });
      batch(() => {
        pageJobs.seed([job]);
        this.#download.value = { jobId: begun.jobId, ref: imageRef(begun) };
      });
    });
  }

  /** Gives the form what has come. */
  async #take(ref: string): Promise<void> {
    const isChosen = await this.#onArrived(ref);
    batch(() => {
      this.arrived.value = isChosen ? ref : null;
      this.way.value = null;
    });
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.#asking.value = true;
    this.failure.value = null;
    try {
      await work();
    } catch (error) {
      this.failure.value = failureOf(error);
    } finally {
      this.#asking.value = false;
    }
  }
}
