/** Address of the page that creates a VM on a host. Pure. */
import { LOCAL_HOST } from "../contract/local_host.ts";
import { hrefOn } from "../text/host_path.ts";

/** The parameter that says that a host was chosen: addresses of the local host do not name it. */
export const CHOSEN = "host";

/** Leads to the form itself, not to the choice of a host. */
export const newVmHrefOn = (host: string): string =>
  hrefOn(host, host === LOCAL_HOST ? `/vms/new?${CHOSEN}=${LOCAL_HOST}` : "/vms/new");
