/** The forms of a VM's device pages: which is open, what it needs to know, and carrying it out. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { DeviceOptions, VM } from "../contract/mod.ts";
import type { DeviceAction, DeviceDone } from "../vm/device_forms.ts";
import { DEVICE_DONE } from "../vm/device_outcome.ts";
import { devices as texts } from "../i18n/en/devices.ts";
import { textsOf } from "../i18n/mod.ts";
import { oneLine } from "../text/text.ts";
import { isLive } from "../vm/state.ts";
import { api } from "./api.ts";
import { jobs } from "./jobs.ts";
import { report, reportFailure } from "./toasts.ts";

const { t } = textsOf(texts);

/** A form that is open: what it does, and to which device. */
export interface OpenForm<V extends string> {
  readonly verb: V;
  /** Target or MAC address; empty for a new device. */
  readonly device: string;
}

/** Where a form is sent without script: to its own address, which shows it again when it is refused. */
export const deviceFormHref = (page: string, { verb, device }: OpenForm<string>): string =>
  `${page}?${new URLSearchParams({ do: verb, ...(device !== "" && { device }) })}`;

/** How the forms of a page are opened and carried out. */
export interface DeviceForms<V extends string> {
  readonly open: Signal<OpenForm<V> | null>;
  readonly options: Signal<DeviceOptions | null>;
  /** Whether it stands in the page: that is how the server renders it, and how it stays until closed. */
  readonly inline: Signal<boolean>;
  show(form: OpenForm<V>, needsOptions: boolean): void;
  close(): void;
  send(does: DeviceAction, form: FormData): Promise<void>;
}

/** Carries out what a form asks for. What reads the form is loaded here: no page needs it before. */
async function perform(does: DeviceAction, vmId: string, form: FormData): Promise<DeviceDone> {
  const { performDevice } = await import("../vm/device_forms.ts");
  return await performDevice(api, does, vmId, form);
}

/**
 * @param first What the page was asked for by its address, and what it brought for it.
 * @param onDone Called after a change was made.
 */
export function useDeviceForms<V extends string>(
  vm: Signal<VM>,
  first: { readonly form: OpenForm<V> | null; readonly options: DeviceOptions | null },
  onDone: () => Promise<void>,
): DeviceForms<V> {
  const open = useSignal(first.form);
  const options = useSignal(first.options);
  const inline = useSignal(first.form !== null);
  useEffect(() => {
    // What the form was opened by is no place to come back to.
    if (first.form !== null) history.replaceState(null, "", location.pathname);
  }, []);
  return {
    open,
    options,
    inline,
    show(form, needsOptions) {
      inline.value = false;
      open.value = form;
      if (!needsOptions) return;
      options.value = null;
      api.getDeviceOptions({ vmId: vm.peek().id }).then(
        (found) => options.value = found,
        (error) => {
          open.value = null;
          reportFailure({ sentence: t("devices.failed_options") }, error);
        },
      );
    },
    close() {
      open.value = null;
    },
    async send(does, form) {
      const { id: vmId, name } = vm.peek();
      const begun = await jobs.begun(
        perform(does, vmId, form),
        (job) => job.command === does && job.vmId === vmId,
      );
      if ("job" in begun) return;
      const { live = true, persistent, waiting = [], warnings = [] } = begun.result;
      const done = t("devices.done_on", { done: t(DEVICE_DONE[does]), name: oneLine(name, 60) });
      const waits = isLive(vm.peek()) && persistent === true;
      const when = waits && !live
        ? t("devices.done_next", { done })
        : waits && waiting.length > 0
        ? t("devices.done_partly", { done })
        : done;
      report([when, ...warnings.map(({ message }) => message)].join(" "));
      await onDone();
    },
  };
}
