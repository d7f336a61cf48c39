import type { Signal } from "@preact/signals";
import { AddDiskForm } from "../components/vm/devices/AddDisk.tsx";
import { AddShareForm } from "../components/vm/devices/AddShare.tsx";
import {
  DeviceForm,
  type DeviceFormProps,
  type ErrorOf,
  LoadingOptions,
} from "../components/vm/devices/DeviceForm.tsx";
import { DevicePanel } from "../components/vm/devices/DevicePanel.tsx";
import { DiskLimitFields } from "../components/vm/devices/LimitFields.tsx";
import { MediumFields, SizeFields } from "../components/vm/devices/DiskFields.tsx";
import {
  DETACH_DISK,
  EJECT_MEDIA,
  INSERT_MEDIA,
  TUNED,
  TUNED_DRIVE,
  UPDATE_DISK,
} from "../components/vm/devices/disk_fields.const.ts";
import { DiskList, diskName, type DiskVerb } from "../components/vm/devices/DiskList.tsx";
import { ShareList, type ShareVerb } from "../components/vm/devices/ShareList.tsx";
import { DiskMoves, MoveDiskForm } from "../components/vm/devices/MoveDisk.tsx";
import { ContractField, ContractFields } from "../components/kit/ContractField.tsx";
import { live } from "../lib/client/live.ts";
import { useMoves } from "../lib/client/use_moves.ts";
import { type DeviceFormFrame, type OpenForm, useDeviceForms } from "../lib/client/use_device_forms.ts";
import { useDevices } from "../lib/client/use_devices.ts";
import type { DeviceOptions, Job, VM, VmDevices, VmDisk } from "../lib/contract/mod.ts";
import { devices } from "../lib/i18n/en/devices.ts";
import { disks } from "../lib/i18n/en/disks.ts";
import { textsOf } from "../lib/i18n/mod.ts";
import { diskTexts } from "../lib/text/disk_texts.ts";
import { asNext } from "../lib/vm/device_next.ts";

const { t } = textsOf({ ...devices, ...disks });

/** Verbs of the forms that a disks page can open. */
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
  refused: NonNullable<DeviceFormFrame["refused"]> | null;
  /** Whether the user may share folders of the host. */
  mayShare: boolean;
}

/** Forms that need to know what there is on the host. */
const NEED_OPTIONS: ReadonlySet<DiskFormVerb> = new Set(["add", "insert", "move", "share"]);

/** A VM's disks and drives, and everything that can be done to them. */
export default function VmDisks(props: VmDisksProps) {
  const { vm: signal, connected, devices: first, form, options, refused, mayShare } = props;
  const vm = signal.value;
  const { devices, refresh } = useDevices(signal, first);
  const moves = useMoves(vm.id, props.moves);
  const forms = useDeviceForms<DiskFormVerb>(signal, { form, options, refused }, refresh);
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
          frame={forms.frame(here)}
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

/** Fields of a disk that can be changed. @param isStored it is in the stored configuration of its VM */
function EditedFields(
  { disk, running, isStored, errorOf }: {
    disk: VmDisk;
    running: boolean;
    isStored: boolean;
    errorOf: ErrorOf;
  },
) {
  const form = { of: UPDATE_DISK, texts: diskTexts, errorOf }, next = asNext(disk);
  return (
    <>
      {isStored && running && <p class="text-muted">{t("devices.edit_running")}</p>}
      {isStored && (
        <div class="device-grid">
          <ContractFields
            form={form}
            fields={disk.device === "disk" ? TUNED : TUNED_DRIVE}
            values={{ ...next, bootOrder: next.bootOrder ?? 0 }}
            isChange
          />
        </div>
      )}
      <DiskLimitFields form={form} limits={next} isOpen={!isStored} />
    </>
  );
}

/** Explanation of detaching a disk or a drive, and the choice to delete its volume. */
function DetachFields({ disk }: { disk: VmDisk }) {
  return (
    <>
      <p>{t(disk.device === "disk" ? "devices.detach_disk_what" : "devices.detach_drive_what")}</p>
      {disk.source !== undefined && <p class="mono">{disk.source}</p>}
      {disk.device === "disk" && (
        <ContractField form={{ of: DETACH_DISK, texts: diskTexts }} field="deleteVolume" wide={false} />
      )}
      {/* The form itself is the question. */}
      <input type="hidden" name="confirmed" value="yes" />
    </>
  );
}

/** Fields of the medium of a drive. */
function InsertFields({ options, errorOf }: { options: DeviceOptions | null; errorOf: ErrorOf }) {
  if (options === null) return <LoadingOptions />;
  const form = { of: INSERT_MEDIA, texts: diskTexts, errorOf };
  return (
    <div class="device-grid">
      <MediumFields form={form} options={options} />
      <ContractField form={form} field="anyMedium" wide={false} />
    </div>
  );
}

/** Explanation of ejecting a medium while the VM runs, and the choice to force it. */
function EjectFields({ errorOf }: { errorOf: ErrorOf }) {
  return (
    <>
      <p>{t("devices.eject_what")}</p>
      <ContractField form={{ of: EJECT_MEDIA, texts: diskTexts, errorOf }} field="force" wide={false} />
    </>
  );
}

/** Props of {@link DiskForm}. */
interface DiskFormProps extends Omit<DeviceFormProps, "about" | "title" | "submit"> {
  disk: VmDisk;
  /** Verb of the title and, unless `submit` is another, of the button. */
  verb: string;
  submit?: string;
}

/** A form that does something to a disk or a drive. */
function DiskForm({ disk, verb, submit = verb, ...form }: DiskFormProps) {
  const title = t("devices.verb_of", { verb, device: diskName(disk) });
  return <DeviceForm {...form} about={{ target: disk.target }} title={title} submit={submit} />;
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
        frame={frame}
        does="detach_share"
        about={{ tag: named }}
        title={t("devices.remove_share", { tag: named })}
        submit={t("devices.remove")}
        danger
      >
        {() => <p>{t(running ? "devices.remove_share_running" : "devices.remove_share_what")}</p>}
      </DeviceForm>
    );
  }
  if (disk === undefined) return null;
  // What QEMU takes at the next start alone is nothing for a disk that is gone by then.
  const isStored = vm.persistent && disk.place !== "live", at = { frame, disk };
  switch (verb) {
    case "resize":
      return (
        <DiskForm {...at} does="resize_disk" verb={t("devices.resize")}>
          {(errorOf) => <SizeFields disk={disk} errorOf={errorOf} />}
        </DiskForm>
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
        <DiskForm {...at} does="update_disk" verb={t("devices.edit")} submit={t("devices.save")}>
          {(errorOf) => <EditedFields disk={disk} running={running} errorOf={errorOf} isStored={isStored} />}
        </DiskForm>
      );
    case "insert":
      return (
        <DiskForm {...at} does="insert_media" verb={t("devices.insert")}>
          {(errorOf) => <InsertFields options={options} errorOf={errorOf} />}
        </DiskForm>
      );
    case "eject":
      return (
        <DiskForm {...at} does="eject_media" verb={t("devices.eject")} working={t("devices.asking")}>
          {(errorOf) => running && <EjectFields errorOf={errorOf} />}
        </DiskForm>
      );
    case "detach":
      return (
        <DiskForm
          {...at}
          does="detach_disk"
          verb={t("devices.detach")}
          working={t(running ? "devices.asking" : "devices.working")}
          danger
        >
          {() => <DetachFields disk={disk} />}
        </DiskForm>
      );
  }
}
