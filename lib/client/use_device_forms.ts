/** The forms of a VM's device pages: which is open, what it needs to know, and carrying it out. */
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { CommandName, DeviceOptions, VM } from "../contract/mod.ts";
import { devices as texts } from "../i18n/en/devices.ts";
import { textsOf } from "../i18n/mod.ts";
import type { RefusedForm } from "../text/refused_form.ts";
import { formHref } from "../text/form_href.ts";
import { api, callByForm } from "./api.ts";
import { pageJobs } from "./jobs.ts";
import { reportDone, reportFailure } from "./toasts.ts";

const { t } = textsOf(texts);

/** A form that is open: what it does, and to which device. */
export interface OpenForm<V extends string> {
  readonly verb: V;
  /** Target or MAC address; empty for a new device. */
  readonly device: string;
}

/** A page's own address with a form of it. */
const openHref = (page: string, { verb, device }: OpenForm<string>): string =>
  `${page}?${new URLSearchParams({ do: verb, ...(device !== "" && { device }) })}`;

/** Common settings of all forms of a page: their addresses, and the function that sends them. */
export interface DeviceFormFrame {
  /** The page that they are about. */
  readonly page: string;
  /** Address to send a command to. @param to the page to show afterwards, if it is another one */
  hrefOf(command: CommandName, fields: Readonly<Record<string, string>>, to?: string): string;
  /** In the page instead of above it: where there is no script. */
  readonly inline: boolean;
  /** A form of it that was refused, where there is no script. */
  readonly refused?: Pick<RefusedForm, "command" | "failure" | "field"> | null;
  /** Carries it out; throws what the server says no with. */
  onSend(command: CommandName, form: HTMLFormElement, submitter: HTMLElement | null): Promise<void>;
  onClose(): void;
}

/** How the forms of a page are opened and carried out. */
export interface DeviceForms<V extends string> {
  readonly open: Signal<OpenForm<V> | null>;
  readonly options: Signal<DeviceOptions | null>;
  /** Whether it stands in the page: that is how the server renders it, and how it stays until closed. */
  readonly inline: Signal<boolean>;
  show(form: OpenForm<V>, needsOptions: boolean): void;
  close(): void;
  send(command: CommandName, form: HTMLFormElement, submitter: HTMLElement | null): Promise<void>;
  /** The frame of the form that is open. @param page its page's path */
  frame(page: string): DeviceFormFrame;
}

/**
 * @param first What the page was asked for by its address, and what it brought for it.
 * @param onDone Called after a change was made.
 */
export function useDeviceForms<V extends string>(
  vm: Signal<VM>,
  first: Pick<DeviceFormFrame, "refused"> & {
    readonly form: OpenForm<V> | null;
    readonly options: DeviceOptions | null;
  },
  onDone: () => Promise<void>,
): DeviceForms<V> {
  const open = useSignal(first.form);
  const options = useSignal(first.options);
  const inline = useSignal(first.form !== null);
  useEffect(() => {
    // What the form was opened by is no place to come back to.
    if (first.form !== null) history.replaceState(null, "", location.pathname);
  }, []);
  const forms: DeviceForms<V> = {
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
    async send(command, form, submitter) {
      const begun = await pageJobs.begun(
        callByForm(form, submitter),
        (job) => job.command === command && job.vmId === vm.peek().id,
      );
      if ("job" in begun) return;
      reportDone(begun.result.done, begun.result.warnings);
      await onDone();
    },
    frame: (page) => ({
      page,
      hrefOf: (command, fields, to = page) =>
        formHref(
          command,
          { vmId: vm.peek().id, ...fields },
          to,
          open.value === null ? page : openHref(page, open.value),
        ),
      inline: inline.value,
      refused: first.refused ?? null,
      onSend: forms.send,
      onClose: forms.close,
    }),
  };
  return forms;
}
