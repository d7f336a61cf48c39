/** The forms that add a disk, a drive, a network interface or a shared folder, wherever they are opened. */
import type { DeviceOptions, VM } from "../../../lib/contract/mod.ts";
import { devices as texts } from "../../../lib/i18n/en/devices.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { FormDevice } from "../../../lib/vm/add_hardware.ts";
import { isLive } from "../../../lib/vm/state.ts";
import { DeviceForm, type DeviceFormProps } from "./DeviceForm.tsx";
import { NewDiskFields } from "./DiskFields.tsx";
import { ShareFields } from "./ShareFields.tsx";
import { NicFields } from "./NicFields.tsx";

const { t } = textsOf(texts);

/** What a page gives every form of its devices. */
export type DeviceFormFrame = Pick<DeviceFormProps, "action" | "inline" | "onSend" | "onClose">;

/** What these forms are drawn from. */
export interface AddDeviceProps {
  vm: VM;
  /** Null while it is asked for. */
  options: DeviceOptions | null;
  frame: DeviceFormFrame;
}

/** Said while a form waits to know what there is on the host. */
export const LoadingOptions = () => <p class="text-muted" role="status">{t("devices.loading")}</p>;

/** Adds a disk or a drive. @param isDrive a drive is proposed */
export function AddDiskForm({ vm, options, frame, isDrive }: AddDeviceProps & { isDrive: boolean }) {
  return (
    <DeviceForm {...frame} does="attach_disk" title={t("devices.add_disk")} submit={t("devices.add")}>
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

/** Adds a network interface. @param isFiltered an interface of the VM has a network filter, as far as is known */
export function AddNicForm({ vm, options, frame, isFiltered }: AddDeviceProps & { isFiltered: boolean }) {
  return (
    <DeviceForm {...frame} does="attach_nic" title={t("devices.add_nic")} submit={t("devices.add")}>
      {(errorOf) =>
        options === null
          ? <LoadingOptions />
          : isFiltered && !options.mayLoosenFilters
          ? <p class="text-muted">{t("devices.filter_add_locked")}</p>
          : <NicFields options={options} errorOf={errorOf} running={isLive(vm)} persistent={vm.persistent} />}
    </DeviceForm>
  );
}

/** Shares a folder of the host. */
export function AddShareForm({ vm, options, frame }: AddDeviceProps) {
  return (
    <DeviceForm {...frame} does="attach_share" title={t("devices.add_share")} submit={t("devices.add")}>
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

/** The form that adds a device of this kind. */
export function AddDeviceForm({ kind, ...props }: AddDeviceProps & { kind: FormDevice }) {
  // The server knows whether an interface has a filter that another would get around.
  if (kind === "nic") return <AddNicForm {...props} isFiltered={false} />;
  if (kind === "share") return <AddShareForm {...props} />;
  return <AddDiskForm {...props} isDrive={kind === "cdrom"} />;
}
