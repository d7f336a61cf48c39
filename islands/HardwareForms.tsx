import { effect, type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CheckField } from "../components/Field.tsx";
import type { FieldContext } from "../components/HardwareField.tsx";
import { FORMS } from "../components/HardwareForms.tsx";
import { HardwareOutcome } from "../components/HardwareOutcome.tsx";
import { HardwarePending } from "../components/HardwarePending.tsx";
import { Panel } from "../components/Panel.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { reportFailure } from "../lib/client/toasts.ts";
import type { Area, Output, VM } from "../lib/contract/mod.ts";
import {
  type Bounds,
  changeOf,
  failedWith,
  type Outcome,
  pendingByField,
  type Section,
  SECTIONS,
  succeeded,
} from "../lib/format/hardware_form.ts";
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
  outcome: Outcome | null;
}

/** What of a machine tells that its hardware may have changed. */
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

/** A machine's hardware as forms, what waits for its next boot, and what came of saving. */
export default function HardwareForms(props: HardwareFormsProps) {
  const { vm: signal, bounds } = props;
  const state = useSignal(props.hardware);
  const outcome = useSignal(props.outcome);
  const saving = useSignal<Outcome["section"] | null>(null);
  const vm = signal.value;
  const { next, options, pending } = state.value;
  const isOn = state.value.live !== null;
  const enabled = saving.value === null && vm.persistent &&
    live.controls(props.connected);

  const refresh = () =>
    api.getHardware({ vmId: signal.peek().id }).then((fresh) => {
      // Equal is the same: a form somebody is filling in must not be drawn anew for nothing.
      if (JSON.stringify(fresh) !== JSON.stringify(state.peek())) state.value = fresh;
    }, (error) => reportFailure("failed.refresh", error));

  useEffect(() => {
    let last = trace(signal.peek());
    return effect(() => {
      const now = trace(signal.value);
      if (now === last) return;
      last = now;
      refresh();
    });
  }, []);

  /** Does something for a form: shows that it is under way, then what came of it. */
  const during = async (section: Outcome["section"], run: () => Promise<Outcome>) => {
    saving.value = section;
    outcome.value = null;
    try {
      outcome.value = await run();
      await refresh();
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
      const nextBootOnly = form.get("nextBootOnly") === "yes";
      return succeeded(section, await api.updateVm({ vmId: signal.peek().id, ...change, nextBootOnly }));
    });

  const discard = (area: Area | undefined) =>
    during("pending", async () => {
      await api.discardPendingChanges({ vmId: signal.peek().id, ...(area && { areas: [area] }) });
      return succeeded("pending", { applied: [], waiting: [], warnings: [] });
    });

  return (
    <div class="hardware" aria-busy={saving.value !== null}>
      {!vm.persistent && <p class="note" data-tone="warn">{t("hardware.transient")}</p>}
      {options === null && <p class="note" data-tone="info">{t("hardware.no_options")}</p>}
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
