import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { DeviceAction } from "../../../lib/vm/device_forms.ts";
import { fieldOf } from "../../../lib/vm/device_outcome.ts";
import { type Failure, failureOf } from "../../../lib/text/failure.ts";
import { devices as texts } from "../../../lib/i18n/en/devices.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { Dialog } from "../../kit/Dialog.tsx";
import { FailureText } from "../../kit/FailureText.tsx";
import { Icon } from "../../kit/Icon.tsx";
import { Panel } from "../../kit/Panel.tsx";

const { t } = textsOf(texts);

/** What a form's fields are given: what is wrong with each. */
export type ErrorOf = (field: string) => string | undefined;

/** Props of {@link DeviceForm}. */
export interface DeviceFormProps {
  /** Where it posts to without script. */
  action: string;
  does: DeviceAction;
  /** Target or MAC address of the device it is about. */
  device?: string;
  title: string;
  submit: string;
  /** Said while it waits. */
  working?: string;
  danger?: boolean;
  /** It cannot be sent as it is. */
  disabled?: boolean;
  /** Beside the page instead of above it: where there is no script. */
  inline: boolean;
  /** Carries it out; throws what the server says no with. */
  onSend: (does: DeviceAction, form: FormData) => Promise<void>;
  onClose: () => void;
  children: (errorOf: ErrorOf) => ComponentChildren;
}

interface Refused extends Omit<Failure, "field"> {
  readonly field: string | undefined;
}

/** A form about one device: a dialog, and a part of the page without script. Errors stand at their fields. */
export function DeviceForm(props: DeviceFormProps) {
  const { action, does, device, title, submit, working, danger = false, inline, onSend, onClose } = props;
  const { disabled = false } = props;
  const failure = useSignal<Refused | null>(null);
  const busy = useSignal(false);
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    if (busy.peek()) return;
    const form = new FormData(event.currentTarget as HTMLFormElement);
    busy.value = true;
    failure.value = null;
    try {
      await onSend(does, form);
      onClose();
    } catch (error) {
      const found = failureOf(error);
      failure.value = { ...found, field: fieldOf(found.code, form, found.field) };
    } finally {
      busy.value = false;
    }
  };
  const refused = failure.value;
  const form = (
    <form method="post" action={action} class="device-form" onSubmit={send}>
      <div class="dialog-body">
        {refused !== null && refused.field === undefined && (
          <div class="form-failure" role="alert">
            <Icon name="circleAlert" />
            <div>
              <FailureText failure={refused} />
            </div>
          </div>
        )}
        {refused?.field !== undefined && <p class="visually-hidden" role="alert">{refused.why}</p>}
        {device !== undefined && <input type="hidden" name="device" value={device} />}
        {props.children((field) => refused?.field === field ? refused.why : undefined)}
      </div>
      <div class="dialog-foot">
        {busy.value && (
          <span class="device-working" role="status">
            <Icon name="loader" class="spin" />
            {working ?? t("devices.working")}
          </span>
        )}
        {inline
          ? <a class="button" href={action.replace(/\?.*/s, "")}>{t("devices.cancel")}</a>
          : <button type="button" class="button" onClick={onClose}>{t("devices.cancel")}</button>}
        <button
          type="submit"
          class={danger ? "button danger" : "button primary"}
          name="action"
          value={does}
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
