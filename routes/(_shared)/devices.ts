import { vmObjectOf } from "../../lib/vm/object.ts";
import type { DeviceOptions, VM, VmDevices } from "../../lib/contract/mod.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import type { PageState } from "../../lib/page_state.ts";
import { fail } from "./fail.ts";
import { vmOf } from "./vm.ts";

interface Context {
  readonly params: Record<string, string>;
  readonly state: PageState;
  readonly url: URL;
}

/** Data of a page of a VM's devices. */
export interface DevicesData<V extends string> {
  readonly vm: VM;
  readonly devices: VmDevices;
  /** The form that the address asks for, as links do where there is no script. */
  readonly form: { readonly verb: V; readonly device: string } | null;
  readonly options: DeviceOptions | null;
  /** The form that was refused. */
  readonly refused: Pick<RefusedForm, "command" | "failure" | "field"> | null;
  readonly now: number;
}

/** Reads what a page of a VM's devices shows. */
export async function devicesOf<V extends string>(
  { params, state, url }: Context,
  verbs: readonly V[],
): Promise<DevicesData<V>> {
  const vm = await vmOf({ params, state });
  const devices = await state.api.getVmDevices({ vmId: vm.id }).catch(fail);
  const verb = verbs.find((each) => each === url.searchParams.get("do"));
  const form = verb === undefined ? null : { verb, device: url.searchParams.get("device") ?? "" };
  const options = form === null || !state.may("get_device_options", vmObjectOf(vm))
    ? null
    : await state.api.getDeviceOptions({ vmId: vm.id }).catch(fail);
  const { command, failure, field } = state.refused ?? {};
  const refused = command && failure ? { command, failure, field } : null;
  return { vm, devices, form, options, refused, now: Date.now() };
}
