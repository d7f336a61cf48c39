import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { FormFault } from "../components/vm/cloud_init/CloudInitField.tsx";
import { CloudInitFormBody } from "../components/vm/cloud_init/CloudInitFormBody.tsx";
import { CloudInitNow, CloudInitPreview } from "../components/vm/cloud_init/CloudInitSide.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { attempt } from "../lib/client/run_action.ts";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { report } from "../lib/client/toasts.ts";
import { faultOf } from "../lib/vm/cloud_init/fault.ts";
import { cloudInitOf } from "../lib/vm/cloud_init/form_data.ts";
import type {
  CloudInit as Wanted,
  CloudInitFiles,
  CloudInitState,
  CloudInitUser,
  VM,
} from "../lib/contract/mod.ts";
import { cloudInit } from "../lib/i18n/en/cloud_init.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(cloudInit);

/** Props of {@link CloudInit}. */
export interface CloudInitProps {
  vm: Signal<VM>;
  state: CloudInitState;
  /** Why what is set cannot be read. */
  unreadable?: string | undefined;
  connected: boolean;
  /** When the page was rendered. */
  now: number;
  /** Refusal of a form sent without script, and its values. */
  fault?: FormFault | undefined;
  said?: Wanted | undefined;
  /** Users of what it said, by their place, whose passwords are not given back. */
  passwordsAgain?: readonly number[] | undefined;
  preview?: CloudInitFiles | undefined;
  /** The user that the form begins with where nothing is set. */
  first: CloudInitUser;
}

/** Cloud-init settings of a VM: a form, a preview, and the present content of the drive. */
export default function CloudInit(props: CloudInitProps) {
  const vm = props.vm.value;
  const vmId = vm.id;
  const state = useSignal(props.state);
  const unreadable = useSignal(props.unreadable);
  const fault = useSignal(props.fault);
  const preview = useSignal(props.preview);
  const busy = useSignal(false);
  /** Counts what was saved: the form begins again with what is set then. */
  const saved = useSignal(0);
  const form = useRef<HTMLFormElement>(null);
  const isLive = live.controls(props.connected);
  const enabled = isLive && vm.persistent && !busy.value;

  useEffect(() => {
    if (fault.value === undefined) return;
    form.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
  }, [fault.value]);

  /** Does it; a fault of a field is shown there, any other failure as a message. */
  const tried = (what: string, run: () => Promise<void>) =>
    attempt(what, async () => {
      fault.value = undefined;
      try {
        await run();
      } catch (error) {
        fault.value = faultOf(error);
        throw error;
      }
    });
  const again = async () => {
    state.value = await api.getCloudInit({ vmId });
    unreadable.value = undefined;
    preview.value = undefined;
    saved.value++;
  };
  const actions: Readonly<Record<string, (wanted: () => Wanted) => Promise<unknown>>> = {
    save: (wanted) =>
      tried(t("cloud_init.failed_save"), async () => {
        const { applies } = await api.setCloudInit({ vmId, cloudInit: wanted() });
        await again();
        report(t(applies === "now" ? "cloud_init.done_now" : "cloud_init.done_next"));
      }),
    preview: (wanted) =>
      tried(t("cloud_init.failed_preview"), async () => {
        preview.value = await api.previewCloudInit({ vmId, cloudInit: wanted() });
      }),
    remove: () =>
      tried(t("cloud_init.failed_remove"), async () => {
        await api.removeCloudInit({ vmId });
        await again();
        report(t("cloud_init.done_removed"));
      }),
  };
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    const { value = "save" } = event.submitter as HTMLButtonElement | null ?? {};
    busy.value = true;
    await actions[value]?.(() => cloudInitOf(new FormData(element)));
    busy.value = false;
  };

  const nics = vm.networkInterfaces.map(({ mac, network }) => ({ mac, network }));
  return (
    <form
      ref={form}
      class="overview"
      method="post"
      action={`/vms/${encodeURIComponent(vmId)}/cloud-init`}
      onSubmit={submit}
    >
      <div class="column">
        <Panel title={t("cloud_init.title")}>
          <p class="cloud-about">{t("cloud_init.about")}</p>
          {state.value.warnings.map(({ message }) => <Flash key={message} tone="warn" title={message} />)}
          <CloudInitFormBody
            key={saved.value}
            value={saved.value === 0 && props.said || state.value.cloudInit}
            files={state.value.files}
            nics={nics}
            fault={fault.value}
            first={props.first}
            again={saved.value === 0 ? props.passwordsAgain : undefined}
          />
          <div class="form-actions cloud-actions">
            <button type="submit" class="button primary" name="action" value="save" disabled={!enabled}>
              {t("cloud_init.save")}
            </button>
            <button
              type="submit"
              class="button"
              name="action"
              value="preview"
              disabled={!isLive || busy.value}
            >
              {t("cloud_init.preview")}
            </button>
            <span class="form-hint">
              {vm.persistent ? t("cloud_init.again") : t("cloud_init.transient")}
            </span>
          </div>
        </Panel>
      </div>
      <div class="column">
        <CloudInitNow state={state.value} unreadable={unreadable.value} now={props.now} enabled={enabled} />
        {preview.value !== undefined && <CloudInitPreview files={preview.value} />}
      </div>
    </form>
  );
}
