/** Address of a storage pool's page. Pure. */
import { segmentOf } from "../text/path_segment.ts";

/** The address of a pool's page. */
export const poolHref = (pool: string): string => `/storage/${segmentOf(pool)}`;

/** The address of the page that copies a volume to another host. */
export const copyVolumeHref = (pool: string, volume: string): string =>
  `${poolHref(pool)}/copy?${new URLSearchParams({ volume })}`;
