/** Names of the kernel's objects that belong to this KVM Manager. */
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { ForwardNames } from "../../../lib/formats/nft/forwards.ts";
import { FORWARD_DEVICES } from "../../machine/network_devices.ts";

/** The data folder of the one KVM Manager that most hosts have. */
const USUAL = "/var/lib/kvm-manager";

/** Names for a data folder: a second KVM Manager on the same host, with another folder, has others. */
export function forwardNames(dataDir: string): ForwardNames {
  const path = resolve(dataDir);
  const hash = createHash("sha256").update(path).digest("hex").slice(0, 6);
  const [table, device] = path === USUAL
    ? ["kvm_manager", `${FORWARD_DEVICES}wd`]
    : [`kvm_manager_${hash}`, `${FORWARD_DEVICES}${hash}`];
  // The first byte tells our marks from small numbers that others like.
  return {
    table: table!,
    out: `${device}0`,
    in: `${device}1`,
    mark: 0x6b000000 + Number.parseInt(hash, 16),
  };
}
