/** Devices that a VM loses when a copy takes its place, apart from disks. Pure. */
import { nicDevicesOf, sharesOf } from "../formats/xml/device_diff.ts";
import { oneLine } from "../text/text.ts";

/**
 * A sentence for each shared folder and network card that goes.
 *
 * @param now the VM's definition
 * @param copy the definition that takes its place
 */
export function goneDevices(now: string, copy: string): string[] {
  const tags = new Set(sharesOf(copy).map(({ tag }) => tag)),
    macs = new Set(nicDevicesOf(copy).map(({ mac }) => mac));
  return [
    ...sharesOf(now).filter(({ tag }) => !tags.has(tag)).map(({ tag }) =>
      `The shared folder ${oneLine(tag, 60)}`
    ),
    ...nicDevicesOf(now).filter(({ mac }) => !macs.has(mac)).map(({ mac }) => `Network card ${mac}`),
  ].map((what) =>
    `${what} is not in the copy: the VM no longer has it. Add it again if it belongs to the VM`
  );
}
