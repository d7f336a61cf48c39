import type { Signal } from "@preact/signals";
import {
  AddDiskForm,
  AddShareForm,
  type DeviceFormFrame,
  LoadingOptions,
} from "../components/vm/devices/AddDevice.tsx";
import { DeviceForm } from "../components/vm/devices/DeviceForm.tsx";
import { DevicePanel } from "../components/vm/devices/DevicePanel.tsx";
import { DiskLimitFields } from "../components/vm/devices/LimitFields.tsx";
import { MediumFields, SizeFields, TuningFields } from "../components/vm/devices/DiskFields.tsx";
import { DiskList, diskName, type DiskVerb } from "../components/vm/devices/DiskList.tsx";
import { ShareList, type ShareVerb } from "../components/vm/devices/ShareList.tsx";
import { DiskMoves, MoveDiskForm } from "../components/vm/devices/MoveDisk.tsx";
import { CheckField } from "../components/kit/Field.tsx";
import { live } from "../lib/client/live.ts";
import { useMoves } from "../lib/client/use_moves.ts";
import { deviceFormHref, type OpenForm, useDeviceForms } from "../lib/client/use_device_forms.ts";
import { useDevices } from "../lib/client/use_devices.ts";
import type { DeviceOptions, Job, VM, VmDevices, VmDisk } from "../lib/contract/mod.ts";
import { devices as texts } from "../lib/i18n/en/devices.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { asNext } from "../lib/vm/device_next.ts";

const { t } = textsOf(texts);

/** What a disks page can be asked to open. */
export type DiskFormVerb = DiskVerb | "add" | ShareVerb;

/** Props of {@link VmDisks}. */
export interface VmDisksProps {
  vm: Signal<VM>;
  connected: boolean;
  devices: VmDevices;
  /** The moves of its disks that are under way. */
  moves: readonly Job[];
  /** The form that the address asks for. */
  form: OpenForm<DiskFormVerb> | null;
  options: DeviceOptions | null;
  /** Who looks may share folders of the host. */
  mayShare: boolean;
}

/** Forms that need to know what there is on the host. */
const NEED_OPTIONS: ReadonlySet<DiskFormVerb> = new Set(["add", "insert", "move", "share"]);

/** A VM's disks and drives, and everything that can be done to them. */
export default function VmDisks(props: VmDisksProps) {
  const { vm: signal, connected, devices: first, form, options, mayShare } = props;
  const vm = signal.value;
  const { devices, refresh } = useDevices(signal, first);
  const moves = useMoves(vm.id, props.moves);
  const forms = useDeviceForms<DiskFormVerb>(signal, { form, options }, refresh);
  const enabled = live.controls(connected) &&
    vm.operation === undefined;
  const suspended = vm.state === "suspended";
  const here = `/vms/${encodeURIComponent(vm.id)}/disks`;
  const show = (verb: DiskFormVerb, device: string) => forms.show({ verb, device }, NEED_OPTIONS.has(verb));
  const { disks, shares } = devices.value;
  return (
    <>
      <DevicePanel
        title={t("devices.disks")}
        add={{ label: t("devices.add_disk"), href: `${here}?do=add`, onAct: () => show("add", "") }}
        enabled={enabled && !suspended}
        empty={disks.length > 0
          ? undefined
          : { icon: "disk", title: t("devices.no_disks"), what: t("devices.no_disks_what") }}
      >
        <DiskMoves moves={moves.value} />
        <DiskList
          disks={disks}
          enabled={enabled}
          suspended={suspended}
          hrefOf={(verb, disk) => `${here}?do=${verb}&device=${encodeURIComponent(disk.target)}`}
          onVerb={(verb, disk) => show(verb, disk.target)}
        />
      </DevicePanel>
      {(mayShare || shares.length > 0) && (
        <div class="device-second">
          <DevicePanel
            title={t("devices.shares")}
            add={{ label: t("devices.add_share"), href: `${here}?do=share`, onAct: () => show("share", "") }}
            enabled={enabled && mayShare}
            empty={shares.length > 0
              ? undefined
              : { icon: "folder", title: t("devices.no_shares"), what: t("devices.no_shares_what") }}
          >
            <ShareList
              shares={shares}
              enabled={enabled}
              hrefOf={({ tag }) => `${here}?do=unshare&device=${encodeURIComponent(tag)}`}
              onRemove={({ tag }) => show("unshare", tag)}
            />
          </DevicePanel>
        </div>
      )}
      {forms.open.value !== null && (
        <OpenDiskForm
          key={`${forms.open.value.verb} ${forms.open.value.device}`}
          vm={vm}
          disk={disks.find(({ target }) => target === forms.open.value?.device)}
          verb={forms.open.value.verb}
          named={forms.open.value.device}
          isDrive={forms.open.value.device === "cdrom"}
          options={forms.options.value}
          frame={{
            action: deviceFormHref(here, forms.open.value),
            inline: forms.inline.value,
            onSend: forms.send,
            onClose: forms.close,
          }}
        />
      )}
    </>
  );
}

interface OpenDiskFormProps {
  vm: VM;
  disk: VmDisk | undefined;
  verb: DiskFormVerb;
  /** The device as the form was opened for it. */
  named: string;
  /** A new one is proposed to be a drive. */
  isDrive: boolean;
  options: DeviceOptions | null;
  frame: DeviceFormFrame;
}

function OpenDiskForm({ vm, disk, verb, named, isDrive, options, frame }: OpenDiskFormProps) {
  const running = vm.state === "running" || vm.state === "paused";
  if (verb === "add") {
    return <AddDiskForm vm={vm} options={options} frame={frame} isDrive={isDrive} />;
  }
  if (verb === "share") return <AddShareForm vm={vm} options={options} frame={frame} />;
  if (verb === "unshare") {
    return (
      <DeviceForm
        {...frame}
        does="detach_share"
        device={named}
        title={t("devices.remove_share", { tag: named })}
        submit={t("devices.remove")}
        danger
      >
        {() => <p>{t(running ? "devices.remove_share_running" : "devices.remove_share_what")}</p>}
      </DeviceForm>
    );
  }
  if (disk === undefined) return null;
  const device = disk.target;
  // What QEMU takes at the next start alone is nothing for a disk that is gone by then.
  const isStored = vm.persistent && disk.place !== "live";
  const titled = (text: string) => t("devices.verb_of", { verb: text, device: diskName(disk) });
  switch (verb) {
    case "resize":
      return (
        <DeviceForm
          {...frame}
          does="resize_disk"
          device={device}
          title={titled(t("devices.resize"))}
          submit={t("devices.resize")}
        >
          {(errorOf) => <SizeFields disk={disk} errorOf={errorOf} />}
        </DeviceForm>
      );
    case "move":
      return (
        <MoveDiskForm
          disk={disk}
          title={t("devices.move_title", { device: diskName(disk) })}
          options={options}
          running={running}
          frame={frame}
        />
      );
    case "edit":
      return (
        <DeviceForm
          {...frame}
          does="update_disk"
          device={device}
          title={titled(t("devices.edit"))}
          submit={t("devices.save")}
        >
          {(errorOf) => (
            <>
              {isStored && running && <p class="text-muted">{t("devices.edit_running")}</p>}
              {isStored && (
                <div class="device-grid">
                  <TuningFields disk={asNext(disk)} errorOf={errorOf} />
                </div>
              )}
              <DiskLimitFields limits={asNext(disk)} errorOf={errorOf} isOpen={!isStored} />
            </>
          )}
        </DeviceForm>
      );
    case "insert":
      return (
        <DeviceForm
          {...frame}
          does="insert_media"
          device={device}
          title={titled(t("devices.insert"))}
          submit={t("devices.insert")}
        >
          {(errorOf) =>
            options === null ? <LoadingOptions /> : (
              <div class="device-grid">
                <MediumFields options={options} errorOf={errorOf} />
                <CheckField
                  label={t("devices.any_medium")}
                  hint={t("devices.any_medium_hint")}
                  name="anyMedium"
                  value="yes"
                  error={errorOf("anyMedium")}
                />
              </div>
            )}
        </DeviceForm>
      );
    case "eject":
      return (
        <DeviceForm
          {...frame}
          does="eject_media"
          device={device}
          title={titled(t("devices.eject"))}
          submit={t("devices.eject")}
          working={t("devices.asking")}
        >
          {(errorOf) => (
            <>
              {running && <p>{t("devices.eject_what")}</p>}
              {running && (
                <CheckField
                  label={t("devices.force")}
                  hint={t("devices.force_hint")}
                  name="force"
                  value="yes"
                  error={errorOf("force")}
                />
              )}
            </>
          )}
        </DeviceForm>
      );
    case "detach":
      return (
        <DeviceForm
          {...frame}
          does="detach_disk"
          device={device}
          title={titled(t("devices.detach"))}
          submit={t("devices.detach")}
          working={running ? t("devices.asking") : t("devices.working")}
          danger
        >
          {() => (
            <>
              <p>{t(disk.device === "disk" ? "devices.detach_disk_what" : "devices.detach_drive_what")}</p>
              {disk.source !== undefined && <p class="mono">{disk.source}</p>}
              {disk.device === "disk" && (
                <CheckField label={t("devices.delete_volume")} name="deleteVolume" value="yes" />
              )}
            </>
          )}
        </DeviceForm>
      );
  }
}
