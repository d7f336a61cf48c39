/** The forms that add a disk, a drive, a network interface or a shared folder, wherever they are opened. */
import type { FormDevice } from "../../../lib/vm/add_hardware.ts";
import { AddDiskForm } from "./AddDisk.tsx";
import { AddNicForm } from "./AddNic.tsx";
import { AddShareForm } from "./AddShare.tsx";
import type { AddDeviceProps } from "./DeviceForm.tsx";

/** The form that adds a device of this kind. */
export function AddDeviceForm({ kind, ...props }: AddDeviceProps & { kind: FormDevice }) {
  // The server knows whether an interface has a filter that another would get around.
  if (kind === "nic") return <AddNicForm {...props} isFiltered={false} />;
  if (kind === "share") return <AddShareForm {...props} />;
  return <AddDiskForm {...props} isDrive={kind === "cdrom"} />;
}
