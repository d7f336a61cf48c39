import { devices } from "../../../lib/i18n/en/devices.ts";
import { nics } from "../../../lib/i18n/en/nics.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { type AddDeviceProps, DeviceForm, LoadingOptions } from "./DeviceForm.tsx";
import { NicFields } from "./NicFields.tsx";

const { t } = textsOf({ ...devices, ...nics });

/** Adds a network interface. @param isFiltered an interface of the VM has a network filter, as far as is known */
export function AddNicForm({ vm, options, frame, isFiltered }: AddDeviceProps & { isFiltered: boolean }) {
  return (
    <DeviceForm frame={frame} does="attach_nic" title={t("devices.add_nic")} submit={t("devices.add")}>
      {(errorOf) =>
        options === null
          ? <LoadingOptions />
          : isFiltered && !options.mayLoosenFilters
          ? <p class="text-muted">{t("devices.filter_add_locked")}</p>
          : <NicFields options={options} errorOf={errorOf} running={isLive(vm)} persistent={vm.persistent} />}
    </DeviceForm>
  );
}
