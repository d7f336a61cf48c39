import { HttpError } from "fresh";
import {
  type Command,
  COMMANDS,
  type DeviceOptions,
  type VM,
  type VmDevices,
} from "../../lib/contract/mod.ts";
import { isDeviceAction, performDevice } from "../../lib/vm/device_forms.ts";
import { answerWarnings } from "../../lib/text/notice.ts";
import { t } from "../../lib/i18n/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import { fail } from "./fail.ts";
import { begin } from "./long_work.ts";
import { vmOf } from "./vm.ts";

interface Context {
  readonly params: Record<string, string>;
  readonly state: PageState;
  readonly url: URL;
}

/** What a page of a VM's devices shows. */
export interface DevicesData<V extends string> {
  readonly vm: VM;
  readonly devices: VmDevices;
  /** The form that the address asks for, as links do where there is no script. */
  readonly form: { readonly verb: V; readonly device: string } | null;
  readonly options: DeviceOptions | null;
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
  const options = form === null || !state.may("get_device_options", { vmId: vm.id, group: vm.group })
    ? null
    : await state.api.getDeviceOptions({ vmId: vm.id }).catch(fail);
  return { vm, devices, form, options, now: Date.now() };
}

/** Milliseconds a form waits for what becomes a task: a refusal comes by then, and so does the end of what is small. */
const TASK_WAIT_MS = 2500;

/** Does what a form asks for, where there is no script to ask instead. @returns the page to go on to: here, or its task's */
export async function devicePost({ params, state, url }: Context, form: FormData): Promise<string> {
  const action = form.get("action");
  if (!isDeviceAction(action)) throw new HttpError(400, t("error.form"));
  const { api } = state, row: Command = COMMANDS[action];
  const work = () => performDevice(api, action, params.id ?? "", form);
  const begun = row.isJob
    ? await begin(api, action, TASK_WAIT_MS, work).catch(fail)
    : { isOver: true as const, result: await work().catch(fail) };
  if (!begun.isOver) return begun.href;
  const { name } = await vmOf({ params, state });
  state.notify({ is: "done", word: action, name, warnings: answerWarnings(begun.result) });
  return url.pathname;
}
