import { type Signal, useSignal } from "@preact/signals";
import { CheckField } from "../components/kit/Field.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import type { FieldContext } from "../components/vm/hardware/HardwareField.tsx";
import { FORMS } from "../components/vm/hardware/HardwareForms.tsx";
import { HardwareOutcome } from "../components/vm/hardware/HardwareOutcome.tsx";
import { HardwarePending } from "../components/vm/hardware/HardwarePending.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { useQuery, vmChanges } from "../lib/client/use_query.ts";
import type { Area, Output, VM } from "../lib/contract/mod.ts";
import {
  type Bounds,
  changeOf,
  failedWith,
  type FormOutcome,
  pendingByField,
  type Section,
  SECTIONS,
  succeeded,
  updateOptionsOf,
} from "../lib/vm/hardware_form.ts";
import { hardware as texts } from "../lib/i18n/en/hardware.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** Props of {@link HardwareForms}. */
export interface HardwareFormsProps {
  vm: Signal<VM>;
  connected: boolean;
  hardware: Output<"get_hardware">;
  bounds: Bounds;
  /** What came of the form that led here. */
  outcome: FormOutcome | null;
}

/** What of a VM tells that its hardware may have changed. */
const trace = (vm: VM) =>
  JSON.stringify([
    vm.state,
    vm.cpuCount,
    vm.maxCpuCount,
    vm.memoryMb,
    vm.maxMemoryMb,
    vm.firmware,
    vm.title,
    vm.description,
    vm.pendingChanges,
    vm.disks.map(({ target }) => target),
    vm.networkInterfaces.map(({ mac }) => mac),
  ]);

/** A VM's hardware as forms, what waits for its next boot, and what came of saving. */
export default function HardwareForms(props: HardwareFormsProps) {
  const { vm: signal, bounds } = props;
  const { value: state, reread } = useQuery<typeof props.hardware>({
    first: props.hardware,
    read: () => api.getHardware({ vmId: signal.peek().id }),
    follow: vmChanges(signal, trace),
  });
  const outcome = useSignal(props.outcome);
  const saving = useSignal<FormOutcome["section"] | null>(null);
  const vm = signal.value;
  const { next, options, pending } = state.value;
  const isOn = state.value.live !== null;
  const enabled = saving.value === null && vm.persistent &&
    live.controls(props.connected);

  /** Does something for a form: shows that it is under way, then what came of it. */
  const during = async (section: FormOutcome["section"], run: () => Promise<FormOutcome>) => {
    saving.value = section;
    outcome.value = null;
    try {
      outcome.value = await run();
      await reread();
    } catch (error) {
      outcome.value = failedWith(section, error);
    } finally {
      saving.value = null;
    }
  };

  const save = (section: Section, form: FormData) =>
    during(section, async () => {
      const change = changeOf(section, form, state.peek().next, signal.peek(), {
        pins: t("hardware.bad_pins"),
      });
      const nothing = { applied: [], waiting: [], warnings: [] };
      if (Object.keys(change).length === 0) return succeeded(section, nothing);
      const how = updateOptionsOf(form);
      return succeeded(section, await api.updateVm({ vmId: signal.peek().id, ...change, ...how }));
    });

  const discard = (area: Area | undefined) =>
    during("pending", async () => {
      await api.discardPendingChanges({ vmId: signal.peek().id, ...(area && { areas: [area] }) });
      return succeeded("pending", { applied: [], waiting: [], warnings: [] });
    });

  return (
    <div class="hardware" aria-busy={saving.value !== null}>
      {!vm.persistent && <Flash tone="warn">{t("hardware.transient")}</Flash>}
      {options === null && <Flash tone="info" quiet>{t("hardware.no_options")}</Flash>}
      <HardwarePending vmId={vm.id} pending={pending} enabled={enabled} onDiscard={discard} />
      {outcome.value?.section === "pending" && <HardwareOutcome outcome={outcome.value} />}
      <div class="hardware-forms">
        {SECTIONS.map((section) => {
          const { title, fields: Fields, live: canLive, of } = FORMS[section];
          const own = outcome.value?.section === section ? outcome.value : null;
          const context: FieldContext = { isOn, pending: pendingByField(pending), outcome: own };
          return (
            <Panel key={section} title={t(title)}>
              <form
                key={JSON.stringify(of(next, vm))}
                method="post"
                action={`/vms/${encodeURIComponent(vm.id)}/hardware?form=${section}`}
                onSubmit={(event) => {
                  event.preventDefault();
                  save(section, new FormData(event.currentTarget as HTMLFormElement));
                }}
              >
                <div class="form-grid">
                  <Fields vm={vm} next={next} options={options} bounds={bounds} context={context} />
                  {section === "memory" && (
                    <CheckField label={t("hardware.overcommit")} wide name="allowOvercommit" value="yes" />
                  )}
                  {isOn && canLive && (
                    <CheckField label={t("hardware.boot_only")} wide name="nextBootOnly" value="yes" />
                  )}
                </div>
                <div class="form-actions">
                  <button type="submit" class="button primary" disabled={!enabled}>
                    {t(saving.value === section ? "hardware.saving" : "hardware.save")}
                  </button>
                  <HardwareOutcome outcome={own} />
                </div>
              </form>
            </Panel>
          );
        })}
      </div>
    </div>
  );
}
