import { devices } from "../../../lib/i18n/en/devices.ts";
import { disks } from "../../../lib/i18n/en/disks.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { type AddDeviceProps, DeviceForm, LoadingOptions } from "./DeviceForm.tsx";
import { ShareFields } from "./ShareFields.tsx";

const { t } = textsOf({ ...devices, ...disks });

/** Shares a folder of the host. */
export function AddShareForm({ vm, options, frame }: AddDeviceProps) {
  return (
    <DeviceForm frame={frame} does="attach_share" title={t("devices.add_share")} submit={t("devices.add")}>
      {(errorOf) =>
        options === null ? <LoadingOptions /> : (
          <ShareFields
            options={options}
            errorOf={errorOf}
            running={isLive(vm)}
            persistent={vm.persistent}
          />
        )}
    </DeviceForm>
  );
}
