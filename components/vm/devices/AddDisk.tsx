import { devices } from "../../../lib/i18n/en/devices.ts";
import { disks } from "../../../lib/i18n/en/disks.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { type AddDeviceProps, DeviceForm, LoadingOptions } from "./DeviceForm.tsx";
import { NewDiskFields } from "./DiskFields.tsx";

const { t } = textsOf({ ...devices, ...disks });

/** Adds a disk or a drive. @param isDrive a drive is proposed */
export function AddDiskForm({ vm, options, frame, isDrive }: AddDeviceProps & { isDrive: boolean }) {
  return (
    <DeviceForm frame={frame} does="attach_disk" title={t("devices.add_disk")} submit={t("devices.add")}>
      {(errorOf) =>
        options === null ? <LoadingOptions /> : (
          <NewDiskFields
            options={options}
            errorOf={errorOf}
            running={isLive(vm)}
            persistent={vm.persistent}
            isDrive={isDrive}
          />
        )}
    </DeviceForm>
  );
}
