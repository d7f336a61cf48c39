/** Images of operating systems: which there are, where they come from, and what may be downloaded. */
import type { imageCommands } from "../../../lib/contract/mod.ts";
import { feature } from "../../feature.ts";
import { SiteCatalog } from "./catalog.ts";
import { ImageDownloads } from "./downloads.ts";
import { imageHandlers } from "./handlers.ts";
import { LEFT_DISK_MIGRATIONS } from "./left_disks.ts";

export const imageFeature = feature<never, keyof typeof imageCommands>({
  name: "images",
  migrations: LEFT_DISK_MIGRATIONS,
  open: ({ settings, systems, images: records }) => {
    const catalog = new SiteCatalog(settings.imageCatalog);
    return {
      host: (host) => {
        const downloads = new ImageDownloads(host, records, catalog);
        return { handlers: imageHandlers({ host, systems, records, catalog, downloads }) };
      },
    };
  },
});
