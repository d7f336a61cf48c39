/** Queries and inputs of the pages on images. Pure; the server checks it all. */
import type { CatalogImage, Image, Input, StoragePool } from "../contract/mod.ts";
import { FILE_TYPES } from "../storage/pool_types.ts";
import { type ListPage, pageHref, pageOf, type PageQuery, pageQuery } from "../text/list_page.ts";

/** Parts of the list: all images, or some of them. */
export const IMAGE_FILTERS = ["library", "iso", "disk", "free"] as const;
export type ImageFilter = typeof IMAGE_FILTERS[number];

/** Query of the list: its word is part of a name, a pool, a system or a VM's name. */
export interface ImageQuery extends PageQuery {
  readonly kind: ImageFilter;
  /** Whether disks that VMs have are shown, too. */
  readonly vmDisks: boolean;
}

/** The query in an address; what makes no sense there is left out. */
export function imageQuery(params: URLSearchParams): ImageQuery {
  return {
    ...pageQuery(params),
    kind: IMAGE_FILTERS.find((kind) => kind === params.get("kind")) ?? "library",
    vmDisks: params.get("vmDisks") === "yes",
  };
}

/** The address of a query. */
export function imagesHref({ kind, vmDisks, ...query }: ImageQuery): string {
  return pageHref("/images", query, {
    kind: kind === "library" ? "" : kind,
    vmDisks: vmDisks ? "yes" : "",
  });
}

const FITS: Readonly<Record<ImageFilter, (image: Image) => boolean>> = {
  library: () => true,
  iso: ({ kind }) => kind === "iso",
  disk: ({ kind }) => kind === "disk",
  free: isFree,
};

const { compare: order } = new Intl.Collator("en");

/** The page that a query asks for; beyond the last one, the last. */
export function imagePage(
  images: readonly Image[],
  { kind, q, page }: Omit<ImageQuery, "vmDisks">,
): ListPage<Image> {
  const word = q.toLowerCase();
  const has = (text: string | undefined) => text?.toLowerCase().includes(word) ?? false;
  const found = images.filter((image) =>
    FITS[kind](image) &&
    (word === "" || has(image.name) || has(image.pool) || has(image.osName) || has(image.format) ||
      image.usedBy.some(({ name }) => has(name)))
  ).sort((a, b) => order(a.name, b.name) || order(a.pool, b.pool));
  return pageOf(found, page);
}

/** Pools that an image can be downloaded into, the usual one first. */
export function poolsForImages(pools: readonly StoragePool[]): string[] {
  return pools.filter(({ state, type }) => state !== "inactive" && FILE_TYPES.has(type)).map(({ name }) =>
    name
  )
    .sort((a, b) => Number(b === "default") - Number(a === "default") || (a < b ? -1 : 1));
}

/** Images of a catalogue that are present already, found by the names they are downloaded under: id → image. */
export function heldImages<Held extends Pick<Image, "name">>(
  catalog: readonly CatalogImage[],
  images: readonly Held[],
): Readonly<Record<string, Held>> {
  const byName = new Map(images.map((image) => [image.name, image]));
  return Object.fromEntries(catalog.flatMap(({ id, url }) => {
    const image = byName.get(url.slice(url.lastIndexOf("/") + 1).replace(/\.(gz|xz|zst|bz2)$/, ""));
    return image === undefined ? [] : [[id, image]];
  }));
}

/** The images of a catalogue that run on a host, and those of other architectures. */
export function byArchitecture(
  catalog: readonly CatalogImage[],
  host: string | undefined,
): { readonly fitting: CatalogImage[]; readonly other: CatalogImage[] } {
  const fits = ({ arch }: CatalogImage) => arch === (host ?? arch);
  return { fitting: catalog.filter(fits), other: catalog.filter((image) => !fits(image)) };
}

/** Two letters that stand for a distribution: `Debian 13` → `De`. */
export function initialsOf(name: string): string {
  const [first = "", ...more] = name.match(/\p{L}/gu) ?? [];
  return first.toUpperCase() + more.slice(0, 1).join("").toLowerCase();
}

/** Whether nothing writes to an image or stands on it: it may be copied, and deleted. */
export function isFree({ usedBy, isBase }: Pick<Image, "usedBy" | "isBase">): boolean {
  return usedBy.length === 0 && !isBase;
}

/** A checksum as people paste it: a sum in hex, or the address of a published file. */
export function checksumIn(text: string): Pick<Input<"download_image">, "sha256" | "sha512" | "checksumUrl"> {
  // Tools print the file's name behind the sum.
  const [first = ""] = text.split(/\s/);
  if (/^[0-9a-f]{128}$/i.test(first)) return { sha512: first };
  // What is neither a sum nor a URL is refused by its field's name.
  return /^[a-z]+:\/\//i.test(text) ? { checksumUrl: text } : { sha256: first };
}
