/** A page of a pool's volumes. */
import type { StorageVolume } from "../contract/mod.ts";
import { type ListPage, pageOf, type PageQuery } from "../text/list_page.ts";

/** The address of a volume's content: GET gives it, PUT makes a volume of it. */
export function volumeContentHref(pool: string, name: string): string {
  return `/api/v1/storage/pools/${encodeURIComponent(pool)}/volumes/${encodeURIComponent(name)}/content`;
}

/** The page that a query asks for: its word is part of a name, a format or a VM's name. */
export function volumePage(
  volumes: readonly StorageVolume[],
  { q, page }: PageQuery,
): ListPage<StorageVolume> {
  const word = q.toLowerCase();
  const found = word === ""
    ? volumes
    : volumes.filter(({ name, format, usedBy }) =>
      name.toLowerCase().includes(word) || format === word ||
      usedBy.some((user) => user.name.toLowerCase().includes(word))
    );
  return pageOf(found, page);
}
