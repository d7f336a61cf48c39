/**
 * Downloads of images: from another host through libvirt's stream into a new volume, a piece at a time, hashed and
 * unpacked on the way. What is not whole, not what was published, or not to be trusted is removed again.
 */
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { ContractError, type Input, type Output } from "../../../lib/contract/mod.ts";
import { type Checksum, checksumOf } from "../../../lib/image/checksums.ts";
import type { CallContext } from "../../dispatch.ts";
import type { OpenJob } from "../../jobs/jobs.ts";
import { log } from "../../log.ts";
import { t } from "../../operations/outcome.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { convertArrived } from "../arrived_disk.ts";
import { storageError } from "../shared.ts";
import { uploaderOf } from "../upload_limits.ts";
import { findVolumeNamed } from "../volumes.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { SiteCatalog } from "./catalog.ts";
import { Arriving } from "./arriving.ts";
import { allowedAddresses, ask, type Resolve, shownUrl } from "../../outbound/fetch.ts";
import { fetchFailure } from "./fetch_failure.ts";
import { type DownloadPlan, planOf, urlFileName, urlPath } from "./plan.ts";
import type { ImageRecords } from "./records.ts";
import { requireFits, Sink } from "./sink.ts";
import { DownloadSource, SourceChanged } from "./source.ts";
import { unpacked } from "./unpack.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";

/** Downloads at once, and of one account: their servers may take all the time they like. */
const MOST_DOWNLOADS = 8, MOST_OF_ONE = 4;
/** Milliseconds whoever asked waits to hear that it has begun, or why not. */
const BEGIN_MS = 15_000;
/** Beginnings, when the file changes on its server meanwhile. */
const MOST_BEGINNINGS = 3;
/** Largest file of checksums, in bytes. */
const MOST_SUMS = 4 * 1024 * 1024;

export class ImageDownloads {
  readonly #host: LibvirtHost;
  readonly #records: ImageRecords;
  readonly #catalog: SiteCatalog;
  readonly #resolve: Resolve | undefined;
  /** Volumes that are not whole yet, and who has each of them made. */
  readonly #filling = new Map<string, string>();

  /** @param resolve replaces the system's resolver */
  constructor(host: LibvirtHost, records: ImageRecords, catalog: SiteCatalog, resolve?: Resolve) {
    this.#host = host;
    this.#records = records;
    this.#catalog = catalog;
    this.#resolve = resolve;
  }

  /** Whether a volume is not whole yet. */
  isFilling(pool: string, name: string): boolean {
    return this.#filling.has(`${pool}/${name}`);
  }

  /** Begins a download. Answers when content comes, or after a while. @throws {ContractError} why it did not begin */
  async start(
    input: Input<"download_image">,
    { principal }: CallContext,
  ): Promise<Output<"download_image">> {
    const plan = await planOf(this.#host, this.#records, this.#catalog, input);
    const { pool, name } = plan;
    const key = `${pool}/${name}`;
    await this.#host.operations.ready([keyOf.volume(pool, name)]);
    const caller = uploaderOf(principal);
    this.#requirePlace(caller);
    const taken = this.#host.locks.take(pool, name, { hold: "make" });
    this.#filling.set(key, caller);
    const release = () => {
      this.#filling.delete(key);
      taken[Symbol.dispose]();
    };
    let job: OpenJob;
    try {
      if (await findVolumeNamed(this.#host.link, pool, name)) {
        throw new ContractError("VolumeExists", { pool, name });
      }
      await this.#requireAllowed(plan);
      job = await this.#host.jobs.open({
        command: "download_image",
        title: message`Download ${name} to ${pool}`,
        actor: principal.name,
        subject: key,
        ifInterrupted: t("operations.later"),
      });
    } catch (error) {
      release();
      throw this.#told(error, plan);
    }
    const begun = Promise.withResolvers<void>();
    const running = this.#run(plan, job, principal.name, begun.resolve).finally(release);
    running.catch(() => {/* told by the job, and below to whoever still waits */});
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, BEGIN_MS));
    await Promise.race([begun.promise, running, late]).finally(() => clearTimeout(timer));
    return { jobId: job.id, pool, name };
  }

  /** @throws {ContractError} TooManyRequests */
  #requirePlace(caller: string): void {
    const own = [...this.#filling.values()].filter((each) => each === caller).length;
    if (own >= MOST_OF_ONE) {
      throw new ContractError("TooManyRequests", { what: "image downloads of yours", limit: MOST_OF_ONE });
    }
    if (this.#filling.size >= MOST_DOWNLOADS) {
      throw new ContractError("TooManyRequests", { what: "image downloads", limit: MOST_DOWNLOADS });
    }
  }

  /** Says no at once to what would be refused anyway. Every connection is judged again when it is made. */
  async #requireAllowed({ url, checksumUrl, policy }: DownloadPlan): Promise<void> {
    await allowedAddresses(new URL(url), policy, this.#resolve);
    if (checksumUrl !== undefined) await allowedAddresses(new URL(checksumUrl), policy, this.#resolve);
  }

  async #run(plan: DownloadPlan, job: OpenJob, actor: string, begun: () => void): Promise<void> {
    const { url, pool, name } = plan;
    try {
      job.log(message`Fetching ${shownUrl(url)}`);
      const checksum = plan.checksum ?? await this.#published(plan, job);
      if (checksum === undefined) {
        job.log("No checksum was given: that it is what was published is not checked");
      }
      for (let beginnings = 1;; beginnings++) {
        try {
          await this.#fetch(plan, checksum, job, actor, begun);
          break;
        } catch (error) {
          if (!(error instanceof SourceChanged) || beginnings === MOST_BEGINNINGS) throw error;
          job.log("The file cannot be gone on with: its server has another one now. Beginning again");
        }
      }
      job.done();
    } catch (error) {
      throw job.failed(this.#told(error, plan));
    }
    log.info("an image was downloaded", { pool, name });
  }

  /** The error of a download, in the contract's words. */
  #told(error: unknown, { url, pool, name }: DownloadPlan): unknown {
    const details = { url: shownUrl(url) };
    if (error instanceof SourceChanged) {
      return new ContractError("ImageFetchFailed", {
        ...details,
        error: "the connection broke off, and its server cannot go on with it or has another file now",
      });
    }
    if (error instanceof LibvirtError && error.code === VIR_ERR.STORAGE_VOL_EXIST) {
      return new ContractError("VolumeExists", { pool, name });
    }
    return storageError(fetchFailure(error, details.url), "ImageFetchFailed", details);
  }

  /** The sum that is published. @throws {ContractError} ImageChecksumMissing, ImageFetchFailed */
  async #published(plan: DownloadPlan, job: OpenJob): Promise<Checksum | undefined> {
    const { checksumUrl, url } = plan;
    if (checksumUrl === undefined) return undefined;
    const answer = await ask({ ...this.#asked(plan), url: checksumUrl, signal: job.signal });
    await using _closed = answer;
    const shown = shownUrl(checksumUrl);
    const failed = (error: Sentence) => new ContractError("ImageFetchFailed", { url: shown, error });
    if (answer.status !== 200) throw failed(`the server says HTTP ${answer.status}`);
    const decoder = new TextDecoder();
    let text = "", length = 0;
    for await (const piece of answer.content()) {
      length += piece.length;
      if (length > MOST_SUMS) throw failed("it is too large for a file of checksums");
      text += decoder.decode(piece, { stream: true });
    }
    const file = urlFileName(url);
    const found = checksumOf(text, urlPath(url), urlPath(checksumUrl));
    if (found === undefined) throw new ContractError("ImageChecksumMissing", { url: shown, file });
    if (found === "ambiguous") throw new ContractError("ImageChecksumAmbiguous", { url: shown, file });
    job.log(message`Its published ${found.algorithm} is ${found.hex}`);
    return found;
  }

  #asked({ url, policy }: DownloadPlan) {
    return { url, rules: policy, ...(this.#resolve && { resolve: this.#resolve }) };
  }

  /** Fetches the whole file into a new volume; whatever goes wrong, the volume is gone. */
  async #fetch(
    plan: DownloadPlan,
    checksum: Checksum | undefined,
    job: OpenJob,
    actor: string,
    begun: () => void,
  ): Promise<void> {
    const { pool, name } = plan;
    const { link, inventory, operations } = this.#host;
    await using source = await DownloadSource.open(
      { ...this.#asked(plan), mayDowngrade: checksum !== undefined },
      job,
    );
    await requireFits(this.#host, plan, source.size);
    const algorithm = checksum?.algorithm ?? "sha256";
    let sink: Sink | undefined = undefined;
    const tell = () => {
      const { received, size } = source;
      // What is converted then has as much to do again.
      job.progress(received, size !== null && sink?.isConverted ? 2 * size : size);
    };
    const stream = await Arriving.of(source, algorithm, tell, plan.unpack);
    // What is unpacked grows to a size that is not known before.
    const size = stream.packing === undefined ? source.size : null;
    const operation = operations.begin({
      command: "download_image",
      subject: `${pool}/${name}`,
      actor,
      keys: [keyOf.volume(pool, name)],
    });
    operation.showsAs(job.id);
    sink = await Sink.create(this.#host, operation, plan, size);
    try {
      job.log(message`Writing ${sink.path}`);
      begun();
      const { sum, written } = await this.#pour(stream, source, sink, job);
      job.log(`${algorithm} ${sum}`);
      if (checksum !== undefined && checksum.hex !== sum) {
        throw new ContractError("ImageChecksumMismatch", { algorithm, found: sum, wanted: checksum.hex });
      }
      if (sink.isConverted) {
        const arrived = { pool, name, path: sink.path, size: written };
        const how = { command: "download_image", policy: plan.policy, job, actor } as const;
        inventory.storage.put(await convertArrived(this.#host, arrived, how));
        return await sink.remove(); // the image is whole: what was fetched goes, now or later
      }
      await link.call("poolRefresh", { pool });
      const volume = await findVolumeNamed(link, pool, name);
      sink.keep();
      if (volume !== undefined) inventory.storage.put(volume);
    } catch (error) {
      job.log("Removing the unfinished volume");
      await sink.remove();
      throw error;
    }
  }

  /** Moves everything. @returns the hash of the file as it came, in hex; how many bytes were written */
  async #pour(
    stream: Arriving,
    source: DownloadSource,
    sink: Sink,
    job: OpenJob,
  ): Promise<{ readonly sum: string; readonly written: number }> {
    const { all, packing } = stream;
    if (packing !== undefined) job.log(message`Unpacking ${packing}`);
    const written = await sink.fill(packing === undefined ? all : unpacked(all, packing), {
      job,
      received: () => source.received,
      isPacked: packing !== undefined,
    });
    // What follows the end of the packed content belongs to the file that was hashed.
    for await (const _ of all);
    if (packing !== undefined) job.log(message`Unpacked to ${written} bytes`);
    return { sum: stream.sum(), written };
  }
}
