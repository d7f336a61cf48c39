/** A page of a pool's volumes. */
import type { StorageVolume } from "../contract/mod.ts";

/** Rows of a page. */
export const VOLUME_ROWS = 100;

/** Which part of the list is looked at. */
export interface VolumeQuery {
  /** Part of a name, a format or a machine's name; empty: all. */
  readonly q: string;
  /** From 1. */
  readonly page: number;
}

/** A page, and how much there is. */
export interface VolumePage {
  readonly rows: readonly StorageVolume[];
  readonly matching: number;
  readonly page: number;
  readonly pages: number;
}

/** The query in an address; what makes no sense there is left out. */
export function volumeQuery(params: URLSearchParams): VolumeQuery {
  const page = Number(params.get("page"));
  return {
    q: (params.get("q") ?? "").trim().slice(0, 200),
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
  };
}

/** The address of a query, below a pool's page. */
export function volumeHref(here: string, { q, page }: VolumeQuery): string {
  const params = new URLSearchParams();
  if (q !== "") params.set("q", q);
  if (page > 1) params.set("page", String(page));
  return params.size === 0 ? here : `${here}?${params}`;
}

/** The address of a volume's content: GET gives it, PUT makes a volume of it. */
export function contentHref(pool: string, name: string): string {
  return `/api/v1/pools/${encodeURIComponent(pool)}/volumes/${encodeURIComponent(name)}/content`;
}

/** The page that a query asks for; beyond the last one, the last. */
export function volumePage(volumes: readonly StorageVolume[], { q, page }: VolumeQuery): VolumePage {
  const word = q.toLowerCase();
  const found = word === ""
    ? volumes
    : volumes.filter(({ name, format, usedBy }) =>
      name.toLowerCase().includes(word) || format === word ||
      usedBy.some((user) => user.name.toLowerCase().includes(word))
    );
  const pages = Math.max(1, Math.ceil(found.length / VOLUME_ROWS));
  const at = Math.min(page, pages);
  return {
    rows: found.slice((at - 1) * VOLUME_ROWS, at * VOLUME_ROWS),
    matching: found.length,
    page: at,
    pages,
  };
}
