/** The commands on images. */
import { ContractError, type imageCommands } from "../../../lib/contract/mod.ts";
import { isReachRule } from "../../../lib/network/address_scope.ts";
import type { Handlers } from "../../dispatch.ts";
import type { OperatingSystems } from "../../hosts/operating_systems.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { SiteCatalog } from "./catalog.ts";
import type { ImageDownloads } from "./downloads.ts";
import { ImageList } from "./list.ts";
import type { ImageRecords } from "./records.ts";

/** Services for the commands on images: the host, operating systems, records, the catalog, and downloads. */
export interface ImageServices {
  readonly host: LibvirtHost;
  readonly systems: OperatingSystems;
  readonly records: ImageRecords;
  readonly catalog: SiteCatalog;
  readonly downloads: ImageDownloads;
}

/** A handler for each of them. */
export function imageHandlers(
  { host, systems, records, catalog, downloads }: ImageServices,
): Pick<Handlers, keyof typeof imageCommands> {
  const list = new ImageList(host, systems);
  return {
    list_images: (input) => list.get(input),
    download_image: (input, context) => downloads.start(input, context),
    list_image_catalog: () => catalog.list(),
    get_image_policy: () => records.policy(),
    set_image_policy: (change) => {
      const wrong = change.hosts?.find((rule) => !isReachRule(rule));
      if (wrong !== undefined) {
        const reason = `hosts: ${JSON.stringify(wrong)} is no host name, *.domain, address or subnet`;
        throw new ContractError("InvalidInput", { reason, field: "hosts" });
      }
      records.setPolicy({ ...records.policy(), ...change });
      return null;
    },
  };
}
