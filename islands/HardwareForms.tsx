import { type Signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { ActionLink } from "../components/kit/ActionLink.tsx";
import { Dialog } from "../components/kit/Dialog.tsx";
import { CheckField } from "../components/kit/Field.tsx";
import { Flash } from "../components/kit/Flash.tsx";
import { Panel } from "../components/kit/Panel.tsx";
import type { AddDeviceProps } from "../components/vm/devices/DeviceForm.tsx";
import { AddHardware } from "../components/vm/hardware/AddHardware.tsx";
import { type FieldContext, RestartMark } from "../components/vm/hardware/HardwareField.tsx";
import { FORMS } from "../components/vm/hardware/HardwareForms.tsx";
import { HardwareOutcome, savedText } from "../components/vm/hardware/HardwareOutcome.tsx";
import { HardwarePending } from "../components/vm/hardware/HardwarePending.tsx";
import { UnsavedBar } from "../components/vm/hardware/UnsavedBar.tsx";
import { api } from "../lib/client/api.ts";
import { live } from "../lib/client/live.ts";
import { report } from "../lib/client/toasts.ts";
import { useDeviceForms } from "../lib/client/use_device_forms.ts";
import { useHardwareEdits } from "../lib/client/use_hardware_edits.ts";
import { lazyPart, useLazy } from "../lib/client/use_lazy.ts";
import { useQuery, vmChanges } from "../lib/client/use_query.ts";
import type { Area, Output, VM } from "../lib/contract/mod.ts";
import { type Addable, addableTo, FORM_DEVICES, type FormDevice } from "../lib/vm/add_hardware.ts";
import {
  type Bounds,
  failedWith,
  type HardwareFormOutcome,
  type HardwareSectionName,
  pendingByField,
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
  /** Outcome of the form that led here. */
  outcome: HardwareFormOutcome | null;
  /** Whether the user may share folders of the host. */
  mayShare: boolean;
  /** The address asks what can be added. */
  adding: boolean;
}

/** Key of a VM's fields; another key means that its hardware may have changed. */
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

/** Most people who look at this page add no device. */
const addDevice = lazyPart<AddDeviceProps & { kind: FormDevice }>(async () =>
  (await import("../components/vm/devices/AddDevice.tsx")).AddDeviceForm
);

/** Selector of the control that gets the focus with its field: the first one with an error. */
const WRONG = ".form-field:has(> .form-error) :is(input, select, textarea)";

/** Selector of the focus after the bar or button that had it is gone. */
const FORMS_THEMSELVES = ":scope";

/** Sets a field as if somebody had. */
function fill(control: HTMLElement | null | undefined, value: string): void {
  if (control instanceof HTMLInputElement) control.checked = true;
  else if (control instanceof HTMLSelectElement) control.value = value;
  for (const type of ["input", "change"]) control?.dispatchEvent(new Event(type, { bubbles: true }));
}
/** Gives the focus, once what is under way has been drawn, to what its selector finds within a place. */
function useFocusAfterDrawing(place: { readonly current: HTMLElement | null }) {
  const focus = useRef<string | null>(null);
  // With the drawing, not after it: a later effect could belong to an earlier drawing, in which nothing is wrong yet.
  useLayoutEffect(() => {
    const selector = focus.current;
    if (selector === null) return;
    focus.current = null;
    const root = place.current;
    const found = root?.querySelector<HTMLElement>(selector);
    const folded = found?.closest("details");
    if (folded) folded.open = true;
    if (found) found.focus();
    else root?.focus({ preventScroll: true });
  });
  return focus;
}

/** Props of {@link HardwareSection}. */
interface HardwareSectionProps extends Pick<HardwareFormsProps, "bounds"> {
  section: HardwareSectionName;
  drawn: ReturnType<ReturnType<typeof useHardwareEdits>["drawn"]>;
  round: number;
  options: Output<"get_hardware">["options"];
  context: FieldContext;
  outcome: HardwareFormOutcome | null;
  action: string;
  enabled: boolean;
  onSave: () => void;
}

/** The form of one section. */
function HardwareSection(
  { section, drawn, round, options, bounds, context, outcome, action, enabled, onSave }: HardwareSectionProps,
) {
  const { title, fields: Fields, live: takes, of } = FORMS[section], { isOn } = context;
  return (
    <Panel
      title={t(title)}
      {...(isOn && takes === "none" && { aside: <RestartMark /> })}
    >
      <form
        key={`${round} ${JSON.stringify(of(drawn.next, drawn.vm))}`}
        id={`hardware-${section}`}
        data-section={section}
        method="post"
        action={action}
        onSubmit={(event) => {
          event.preventDefault();
          onSave();
        }}
      >
        <div class="form-grid">
          <Fields
            vm={drawn.vm}
            next={drawn.next}
            options={options}
            bounds={bounds}
            context={context}
          />
          {section === "memory" && (
            <CheckField label={t("hardware.overcommit")} wide name="allowOvercommit" value="yes" />
          )}
        </div>
        {/* With script one bar saves all forms; its button makes Enter work. */}
        <div class="form-actions noscript-only">
          {isOn && takes === "some" && (
            <CheckField label={t("hardware.boot_only")} name="nextBootOnly" value="yes" />
          )}
          <button type="submit" class="button primary" disabled={!enabled}>
            {t("hardware.save")}
          </button>
          <HardwareOutcome outcome={outcome} />
        </div>
      </form>
    </Panel>
  );
}

/** Saving of the forms: all at once, or what waits for the next boot; and what came of it. */
function useSaving(
  { vm: signal, outcome: first, connected }: HardwareFormsProps,
  { edits, nextBootOnly, focus, reread }: {
    edits: ReturnType<typeof useHardwareEdits>;
    nextBootOnly: Signal<boolean>;
    focus: ReturnType<typeof useFocusAfterDrawing>;
    reread: () => Promise<unknown>;
  },
) {
  const outcome = useSignal(first);
  const saving = useSignal<HardwareFormOutcome["section"] | null>(null);
  const enabled = saving.value === null && signal.value.persistent && live.controls(connected);

  /** Does something: shows that it is under way, then what came of it. */
  const during = async (section: HardwareFormOutcome["section"], run: () => Promise<HardwareFormOutcome>) => {
    saving.value = section;
    outcome.value = null;
    try {
      const done = await run();
      await reread();
      if (section === "all") {
        edits.reset();
        nextBootOnly.value = false;
        focus.current = FORMS_THEMSELVES;
        report(savedText(done));
      }
      outcome.value = done;
    } catch (error) {
      outcome.value = failedWith(section, error);
      focus.current = WRONG;
    } finally {
      saving.value = null;
    }
  };

  const save = () => {
    edits.look();
    if (!enabled || edits.unsaved.peek().length === 0 || !edits.isValid()) return;
    const memory = edits.formOf("memory");
    const how = memory === null ? {} : updateOptionsOf(new FormData(memory));
    void during("all", async () =>
      succeeded(
        "all",
        await api.updateVm({
          vmId: signal.peek().id,
          ...edits.change(),
          ...how,
          nextBootOnly: nextBootOnly.peek(),
        }),
      ));
  };

  const discard = (area: Area | undefined) =>
    during("pending", async () => {
      await api.discardPendingChanges({ vmId: signal.peek().id, ...(area && { areas: [area] }) });
      return succeeded("pending", { applied: [], waiting: [], warnings: [] });
    });

  const revert = () => {
    outcome.value = null;
    nextBootOnly.value = false;
    focus.current = FORMS_THEMSELVES;
    edits.reset();
  };

  return { outcome, saving, enabled, save, discard, revert };
}

/** The state of the page, and what is done on it. */
function useHardware(props: HardwareFormsProps) {
  const { vm: signal } = props;
  const { value: state, reread } = useQuery<typeof props.hardware>({
    first: props.hardware,
    read: () => api.getHardware({ vmId: signal.peek().id }),
    follow: vmChanges(signal, trace),
  });
  const nextBootOnly = useSignal(false);
  const adding = useSignal<"page" | "dialog" | null>(props.adding ? "page" : null);
  const edits = useHardwareEdits({
    vm: signal,
    state,
    nextBootOnly,
    texts: { pins: t("hardware.bad_pins") },
  });
  const forms = useDeviceForms<FormDevice>(signal, { form: null, options: null }, reread);
  const focus = useFocusAfterDrawing(edits.place);
  const choice = useRef<HTMLDivElement>(null);
  const saving = useSaving(props, { edits, nextBootOnly, focus, reread });
  const { outcome } = saving;

  const vm = signal.value;
  const { pending } = state.value;
  const isOn = state.value.live !== null;

  const onInput = (event: Event) => {
    const failure = outcome.peek()?.failure;
    const field = event.target instanceof Element
      ? event.target.closest(".form-field:has(> .form-error)")
      : null;
    // A field is not called wrong while it is put right.
    if (failure && (failure.field === undefined || field !== null)) outcome.value = null;
    // Fields that follow others have followed by then.
    setTimeout(edits.look);
  };

  const choose = ({ kind, field }: Addable) => {
    // At once: it gives the focus back to what opened it, and the field is to have it.
    choice.current?.closest("dialog")?.close();
    adding.value = null;
    if (field === undefined) {
      forms.show({ verb: FORM_DEVICES.find((each) => each === kind) ?? "disk", device: "" }, true);
      return;
    }
    const control = edits.formOf(field.section)?.querySelector<HTMLElement>(`[name="${field.name}"]`);
    fill(control, field.value);
    control?.focus();
  };

  const contextOf = (section: HardwareSectionName): FieldContext => {
    const { value } = outcome;
    return {
      isOn,
      isMarked: FORMS[section].live === "none",
      pending: pendingByField(pending),
      unsaved: new Map(edits.unsaved.value.map(({ field, needsRestart }) => [field, needsRestart])),
      outcome: value?.section === section || value?.section === "all" ? value : null,
      typed: edits.round.value === 0 && props.outcome?.section === section ? props.outcome.typed : undefined,
    };
  };

  return {
    ...saving,
    vm,
    state,
    nextBootOnly,
    adding,
    edits,
    forms,
    choice,
    isOn,
    onInput,
    choose,
    contextOf,
  };
}

/** A VM's hardware as forms, what waits for its next boot, and the bar that saves all changes at once. */
export default function HardwareForms(props: HardwareFormsProps) {
  const page = useHardware(props), { bounds } = props;
  const { vm, state, outcome, saving, nextBootOnly, adding, edits, forms, isOn, enabled } = page;
  const { options, pending } = state.value;
  const addable = (
    <AddHardware
      vmId={vm.id}
      addable={addableTo(state.value.next, options, bounds, props)}
      isOn={isOn}
      onChoose={page.choose}
    />
  );
  const device = forms.open.value?.verb;
  const AddDevice = useLazy(addDevice, device !== undefined);
  const vmPath = `/vms/${encodeURIComponent(vm.id)}`;
  return (
    <div class="hardware" aria-busy={saving.value !== null}>
      {!vm.persistent && <Flash tone="warn">{t("hardware.transient")}</Flash>}
      {options === null && <Flash tone="info" quiet>{t("hardware.no_options")}</Flash>}
      <div class="hardware-tools">
        <ActionLink
          class="button"
          href={`${vmPath}/hardware?do=add`}
          enabled={enabled}
          onAct={() => adding.value = "dialog"}
        >
          {t("hardware.add")}
        </ActionLink>
      </div>
      {adding.value === "page" && <Panel title={t("hardware.add")}>{addable}</Panel>}
      <Dialog
        open={adding.value === "dialog"}
        title={t("hardware.add")}
        class="wide"
        onClose={() => adding.value = null}
      >
        <div ref={page.choice} class="dialog-body">{addable}</div>
      </Dialog>
      {AddDevice !== null && device !== undefined && (
        <AddDevice
          kind={device}
          vm={vm}
          options={forms.options.value}
          frame={forms.frame(`${vmPath}/${device === "nic" ? "network" : "disks"}`)}
        />
      )}
      <HardwarePending vmId={vm.id} pending={pending} enabled={enabled} onDiscard={page.discard} />
      {(outcome.value?.section === "pending" || outcome.value?.section === "all") && (
        <HardwareOutcome outcome={outcome.value} />
      )}
      <div
        ref={edits.place}
        class="hardware-forms"
        tabIndex={-1}
        inert={saving.value === "all"}
        onInput={page.onInput}
        onChange={page.onInput}
      >
        {SECTIONS.map((section) => (
          <HardwareSection
            key={section}
            {...{ section, options, bounds, enabled }}
            drawn={edits.drawn(section)}
            round={edits.round.value}
            context={page.contextOf(section)}
            outcome={outcome.value?.section === section ? outcome.value : null}
            action={`${vmPath}/hardware?form=${section}`}
            onSave={page.save}
          />
        ))}
      </div>
      <UnsavedBar
        unsaved={edits.unsaved.value}
        isOn={isOn}
        nextBootOnly={nextBootOnly.value}
        failure={outcome.value?.section === "all" ? outcome.value.failure : undefined}
        saving={saving.value !== null}
        enabled={enabled}
        onNextBootOnly={(only) => nextBootOnly.value = only}
        onDiscard={page.revert}
        onSave={page.save}
      />
    </div>
  );
}
