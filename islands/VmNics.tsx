import type { Signal } from "@preact/signals";
import { AddNicForm } from "../components/vm/devices/AddNic.tsx";
import { DeviceForm, LoadingOptions } from "../components/vm/devices/DeviceForm.tsx";
import { DevicePanel } from "../components/vm/devices/DevicePanel.tsx";
import { NicFields } from "../components/vm/devices/NicFields.tsx";
import { NicList, nicName, type NicVerb } from "../components/vm/devices/NicList.tsx";
import { attempt } from "../lib/client/run_action.ts";
import { live } from "../lib/client/live.ts";
import { type DeviceFormFrame, type OpenForm, useDeviceForms } from "../lib/client/use_device_forms.ts";
import { useDevices } from "../lib/client/use_devices.ts";
import type { DeviceOptions, VM, VmDevices, VmNic } from "../lib/contract/mod.ts";
import { devices } from "../lib/i18n/en/devices.ts";
import { nics } from "../lib/i18n/en/nics.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf({ ...devices, ...nics });

/** Verbs of the forms that a network page can open. */
export type NicFormVerb = NicVerb | "add";

/** Props of {@link VmNics}. */
export interface VmNicsProps {
  vm: Signal<VM>;
  connected: boolean;
  devices: VmDevices;
  /** The form that the address asks for. */
  form: OpenForm<NicFormVerb> | null;
  options: DeviceOptions | null;
  refused: NonNullable<DeviceFormFrame["refused"]> | null;
}

/** A VM's network cards, and everything that can be done to them. */
export default function VmNics(
  { vm: signal, connected, devices: first, form, options, refused }: VmNicsProps,
) {
  const vm = signal.value;
  const { devices, refresh } = useDevices(signal, first);
  const forms = useDeviceForms<NicFormVerb>(signal, { form, options, refused }, refresh);
  const enabled = live.controls(connected) &&
    vm.operation === undefined;
  const suspended = vm.state === "suspended";
  const here = `/vms/${encodeURIComponent(vm.id)}/network`;
  const show = (verb: NicFormVerb, device: string) => forms.show({ verb, device }, verb !== "detach");
  // Addresses come with the VM's own events: sooner than the next look at its devices.
  const nics = devices.value.nics.map((nic) => {
    const known = vm.networkInterfaces.find(({ mac }) => mac.toLowerCase() === nic.mac);
    return known === undefined ? nic : { ...nic, ipAddresses: known.ipAddresses };
  });
  return (
    <>
      <DevicePanel
        title={t("devices.nics")}
        add={{ label: t("devices.add_nic"), href: `${here}?do=add`, onAct: () => show("add", "") }}
        enabled={enabled && !suspended}
        empty={nics.length > 0
          ? undefined
          : { icon: "network", title: t("devices.no_nics"), what: t("devices.no_nics_what") }}
      >
        <NicList
          nics={nics}
          linkHref={(nic) => forms.frame(here).hrefOf("update_nic", { mac: nic.mac })}
          enabled={enabled}
          suspended={suspended}
          hrefOf={(verb, nic) => `${here}?do=${verb}&device=${encodeURIComponent(nic.mac)}`}
          onVerb={(verb, nic) => show(verb, nic.mac)}
          onLink={(form, submitter) =>
            void attempt(t("devices.failed_update_nic"), () => forms.send("update_nic", form, submitter))}
        />
      </DevicePanel>
      {forms.open.value !== null && (
        <OpenNicForm
          key={`${forms.open.value.verb} ${forms.open.value.device}`}
          vm={vm}
          nic={nics.find(({ mac }) => mac === forms.open.value?.device)}
          isFiltered={nics.some(({ filter }) => filter !== undefined)}
          verb={forms.open.value.verb}
          options={forms.options.value}
          frame={forms.frame(here)}
        />
      )}
    </>
  );
}

interface OpenNicFormProps {
  vm: VM;
  nic: VmNic | undefined;
  /** An interface of the VM has a network filter. */
  isFiltered: boolean;
  verb: NicFormVerb;
  options: DeviceOptions | null;
  frame: DeviceFormFrame;
}

function OpenNicForm({ vm, nic, isFiltered, verb, options, frame }: OpenNicFormProps) {
  const running = vm.state === "running" || vm.state === "paused";
  const common = { running, persistent: vm.persistent };
  if (verb === "add") return <AddNicForm vm={vm} options={options} frame={frame} isFiltered={isFiltered} />;
  if (nic === undefined) return null;
  const titled = (text: string) => t("devices.verb_of", { verb: text, device: nicName(nic) });
  if (verb === "edit") {
    return (
      <DeviceForm
        frame={frame}
        does="update_nic"
        about={{ mac: nic.mac }}
        title={titled(t("devices.edit"))}
        submit={t("devices.save")}
      >
        {(errorOf) =>
          options === null
            ? <LoadingOptions />
            : <NicFields options={options} errorOf={errorOf} nic={nic} {...common} />}
      </DeviceForm>
    );
  }
  return (
    <DeviceForm
      frame={frame}
      does="detach_nic"
      about={{ mac: nic.mac }}
      title={titled(t("devices.detach"))}
      submit={t("devices.detach")}
      working={running ? t("devices.asking") : t("devices.working")}
      danger
    >
      {() => <p>{t("devices.detach_nic_what")}</p>}
    </DeviceForm>
  );
}
