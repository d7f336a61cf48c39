import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { DeviceFormFrame } from "../../../lib/client/use_device_forms.ts";
import type { CommandName, DeviceOptions, VM } from "../../../lib/contract/mod.ts";
import { fieldOf, fieldsOf } from "../../../lib/vm/device_outcome.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { devices as texts } from "../../../lib/i18n/en/devices.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { Dialog } from "../../kit/Dialog.tsx";
import { FailureText } from "../../kit/FailureText.tsx";
import { Icon } from "../../kit/Icon.tsx";
import { Panel } from "../../kit/Panel.tsx";

const { t } = textsOf(texts);

/** Gives the error of a form's field, by its name. */
export type ErrorOf = (field: string) => string | undefined;

/** Props of {@link DeviceForm}. */
export interface DeviceFormProps {
  frame: DeviceFormFrame;
  does: CommandName;
  /** Fields of the command that stand fast: the device that it is about. */
  about?: Readonly<Record<string, string>>;
  title: string;
  submit: string;
  /** Said while it waits. */
  working?: string;
  danger?: boolean;
  /** It cannot be sent as it is. */
  disabled?: boolean;
  /** The page to go to when it is done, where that is not its own. */
  to?: string;
  children: (errorOf: ErrorOf) => ComponentChildren;
}

interface Refused extends Failure {
  /** Fields that it can be about; none: it is about the whole. */
  readonly fields: readonly string[];
}

/** Errors at the fields of a form that was refused without script; the page shows above it those about the whole. */
function refusedBefore({ refused }: DeviceFormFrame, does: CommandName): Refused | null {
  if (refused?.command !== does) return null;
  const { failure, field } = refused, fields = fieldsOf(failure.code, field);
  return fields.length === 0 ? null : { ...failure, fields };
}

/** A form about one device: a dialog, and a part of the page without script. Errors stand at their fields. */
export function DeviceForm(props: DeviceFormProps) {
  const { frame, does, about = {}, title, submit, working, danger = false, disabled = false, to } = props;
  const { inline, onClose } = frame;
  const failure = useSignal<Refused | null>(refusedBefore(frame, does));
  const busy = useSignal(false);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy.peek()) return;
    const form = event.currentTarget as HTMLFormElement, names = [...new FormData(form).keys()];
    busy.value = true;
    failure.value = null;
    try {
      await frame.onSend(does, form, event.submitter);
      onClose();
    } catch (error) {
      const found = failureOf(error);
      const field = fieldOf(found.code, names, found.field);
      failure.value = { ...found, fields: field === undefined ? [] : [field] };
    } finally {
      busy.value = false;
    }
  };
  const refused = failure.value;
  const form = (
    <form method="post" action={frame.hrefOf(does, about, to)} class="device-form" onSubmit={send}>
      <div class="dialog-body">
        {refused?.fields.length === 0 && (
          <div class="form-failure" role="alert">
            <Icon name="circleAlert" />
            <div>
              <FailureText failure={refused} />
            </div>
          </div>
        )}
        {refused !== null && refused.fields.length > 0 && (
          <p class="visually-hidden" role="alert">{refused.why}</p>
        )}
        {props.children((field) => refused?.fields.includes(field) ? refused.why : undefined)}
      </div>
      <div class="dialog-foot">
        {busy.value && (
          <span class="device-working" role="status">
            <Icon name="loader" class="spin" />
            {working ?? t("devices.working")}
          </span>
        )}
        {inline
          ? <a class="button" href={frame.page}>{t("devices.cancel")}</a>
          : <button type="button" class="button" onClick={onClose}>{t("devices.cancel")}</button>}
        <button
          type="submit"
          class={danger ? "button danger" : "button primary"}
          disabled={disabled || busy.value}
        >
          {submit}
        </button>
      </div>
    </form>
  );
  return inline
    ? <Panel title={title} class="device-inline">{form}</Panel>
    : <Dialog open title={title} onClose={onClose} class="wide">{form}</Dialog>;
}

/** Props of the forms that add a device. */
export interface AddDeviceProps {
  vm: VM;
  /** Null while it is asked for. */
  options: DeviceOptions | null;
  frame: DeviceFormFrame;
}

/** Said while a form waits to know what there is on the host. */
export const LoadingOptions = () => <p class="text-muted" role="status">{t("devices.loading")}</p>;
