/** A download as it is asked for, made whole: from where, to where, what it must come to. */
import { ContractError, type ImagePolicy, type Input } from "../../../lib/contract/mod.ts";
import { type Algorithm, ALGORITHMS, type Checksum } from "../../../lib/image/checksums.ts";
import { FILE_TYPES } from "../../../lib/storage/pool_types.ts";
import { describePool } from "../../../lib/formats/xml/pool.ts";
import { requireActiveNow } from "../shared.ts";
import { defaultPool } from "../volumes.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { SiteCatalog } from "./catalog.ts";
import { imageUrl } from "./fetch_failure.ts";
import type { ImageRecords } from "./records.ts";
import { unpackedName } from "./unpack.ts";
import { message, type Sentence } from "../../../lib/i18n/message.ts";

/** Source and target of a download. */
export interface DownloadPlan {
  readonly url: string;
  readonly pool: string;
  readonly name: string;
  readonly policy: ImagePolicy;
  /** The sum that was given. */
  readonly checksum: Checksum | undefined;
  /** URL of the published checksum. */
  readonly checksumUrl: string | undefined;
  readonly unpack: boolean;
  readonly refusesPages: true;
}

/** A step of a URL's path, as it is called. */
function decodedStep(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

/** The path of a URL, decoded. */
export const urlPath = (url: string): string => new URL(url).pathname.split("/").map(decodedStep).join("/");

/** The file name at the end of a URL. */
export const urlFileName = (url: string): string =>
  decodedStep(new URL(url).pathname.split("/").at(-1) ?? "");

const invalid = (reason: Sentence) => new ContractError("InvalidInput", { reason });

/**
 * Completes a request with the defaults of everything that it leaves out.
 *
 * @throws {ContractError} InvalidInput, ImageUrlRefused, CatalogImageNotFound, CatalogUnusable,
 *   StoragePoolNotFound, StoragePoolNotActive, NotOnThisHost, StoreUnavailable
 */
export async function planOf(
  host: LibvirtHost,
  records: ImageRecords,
  catalog: SiteCatalog,
  input: Input<"download_image">,
): Promise<DownloadPlan> {
  const { url: given, catalogId, unpack = "auto" } = input;
  if ((given === undefined) === (catalogId === undefined)) {
    throw invalid("give either url or catalogId");
  }
  const sums = [input.sha256, input.sha512, input.checksumUrl].filter((sum) => sum !== undefined);
  if (sums.length > 1) throw invalid("give one of sha256, sha512 and checksumUrl");
  const image = catalogId === undefined ? undefined : await catalog.image(catalogId);
  const wanted = sums.length > 0 ? input : { ...input, ...image };
  const url = imageUrl(given ?? image!.url);
  const policy = records.policy();
  const algorithm = ALGORITHMS.find((each) =>
    (wanted as Partial<Record<Algorithm, string>>)[each] !== undefined
  );
  const checksum = algorithm &&
    { algorithm, hex: (wanted as Record<Algorithm, string>)[algorithm].toLowerCase() };
  const file = urlFileName(url);
  const name = input.name ?? (unpack === "auto" ? unpackedName(file) : file);
  if (!/^[A-Za-z0-9_][A-Za-z0-9._+@ -]{0,127}$/.test(name)) {
    throw invalid("name: the URL ends in no name that a volume can have. Say one");
  }
  const pool = input.pool ?? await defaultPool(host.link);
  const { type } = describePool((await requireActiveNow(host, pool)).xml);
  if (!FILE_TYPES.has(type)) {
    const reason = `a pool of type ${type} keeps no files`;
    throw new ContractError("NotOnThisHost", { what: message`Downloading to the pool ${pool}`, reason });
  }
  return {
    url,
    pool,
    name,
    policy,
    checksum,
    checksumUrl: checksum === undefined && wanted.checksumUrl !== undefined
      ? imageUrl(wanted.checksumUrl)
      : undefined,
    unpack: unpack === "auto",
    refusesPages: true,
  };
}
