/** The fields of a VM's processor and memory. */
import { useState } from "preact/hooks";
import type { Hardware } from "../../../lib/contract/mod.ts";
import { pinLines } from "../../../lib/vm/hardware_form.ts";
import { hardware } from "../../../lib/i18n/en/hardware.ts";
import { type PlainKeyOf, textsOf } from "../../../lib/i18n/mod.ts";
import { Field, SelectField, TextField } from "../../kit/Field.tsx";
import { choice, fieldFrame, type FieldsProps, valueIn, withCurrent } from "./HardwareField.tsx";

const { t } = textsOf(hardware);

const MODES: Readonly<Record<string, PlainKeyOf<typeof hardware>>> = {
  "default": "hardware.mode.default",
  "host-passthrough": "hardware.mode.host_passthrough",
  "host-model": "hardware.mode.host_model",
  "maximum": "hardware.mode.maximum",
  "custom": "hardware.mode.custom",
};

const TOPOLOGY = [
  ["sockets", "hardware.field.sockets"],
  ["cores", "hardware.field.cores"],
  ["threads", "hardware.field.threads"],
] as const;

/** How many vCPUs, of what kind, and where they run. */
export function CpuFields({ next: { cpu }, options, bounds, context }: FieldsProps) {
  const [mode, setMode] = useState(String(valueIn(context, "mode", cpu.mode)));
  const count = {
    type: "number",
    min: 1,
    max: bounds.maxCpus,
    required: true,
    inputMode: "numeric",
  } as const;
  const models = (options?.cpuModels ?? []).map((model) => ({ value: model, label: model }));
  return (
    <>
      <TextField
        {...fieldFrame("cpu.count", t("hardware.field.count"), context)}
        name="count"
        {...count}
        defaultValue={valueIn(context, "count", cpu.count)}
      />
      <TextField
        {...fieldFrame("cpu.max", t("hardware.field.max"), context, t("hardware.hint.max"))}
        name="max"
        {...count}
        defaultValue={valueIn(context, "max", cpu.max)}
      />
      <SelectField
        {...fieldFrame("cpu.mode", t("hardware.field.mode"), context)}
        name="mode"
        value={mode}
        onChange={(event) => setMode(event.currentTarget.value)}
        choices={bounds.cpuModes.map((each) =>
          choice(
            each,
            t(MODES[each] ?? "hardware.mode.default"),
            options?.cpuModes.some((one) => one === each) ?? true,
          )
        )}
      />
      {options === null
        ? (
          <TextField
            {...fieldFrame("cpu.model", t("hardware.field.model"), context)}
            name="model"
            maxLength={64}
            onInput={() => setMode("custom")}
            defaultValue={valueIn(context, "model", cpu.model ?? "")}
          />
        )
        : (
          <SelectField
            {...fieldFrame("cpu.model", t("hardware.field.model"), context)}
            name="model"
            value={String(valueIn(context, "model", cpu.model ?? ""))}
            onChange={() => setMode("custom")}
            choices={withCurrent([{ value: "", label: t("hardware.model.none") }, ...models], cpu.model)}
          />
        )}
      <AdvancedCpuFields cpu={cpu} options={options} bounds={bounds} context={context} />
    </>
  );
}

/** Placement and topology of the vCPUs: open if one of them is set, or has an error. */
function AdvancedCpuFields(
  { cpu, options, bounds, context }: Omit<FieldsProps, "vm" | "next"> & { cpu: Hardware["cpu"] },
) {
  const topology = fieldFrame(
    "cpu.topology",
    t("hardware.field.topology"),
    context,
    t("hardware.hint.topology"),
  );
  const pinning = fieldFrame(
    "cpu.pinning",
    t("hardware.field.pinning"),
    context,
    t("hardware.hint.pinning", { host: options === null ? "0-…" : `0-${options.hostCpus - 1}` }),
  );
  const isOpen = cpu.topology !== null || cpu.pinning.length > 0 || context.pending.has("cpu.topology") ||
    context.pending.has("cpu.pinning") || topology.error !== undefined || pinning.error !== undefined;
  return (
    <details class="form-field wide device-more" open={isOpen}>
      <summary>{t("hardware.advanced_cpu")}</summary>
      <div class="hardware-more">
        <fieldset class="form-field wide" aria-describedby="hardware-topology">
          <legend>{topology.label}</legend>
          <div class="field-row">
            {TOPOLOGY.map(([name, label]) => (
              <label key={name}>
                <span>{t(label)}</span>
                <input
                  class="input"
                  name={name}
                  type="number"
                  min={1}
                  max={bounds.maxCpus}
                  inputMode="numeric"
                  aria-invalid={topology.error === undefined ? undefined : "true"}
                  defaultValue={valueIn(context, name, cpu.topology?.[name] ?? "")}
                />
              </label>
            ))}
          </div>
          <p class="form-hint" id="hardware-topology">{topology.hint}</p>
          {topology.error !== undefined && <p class="form-error">{topology.error}</p>}
        </fieldset>
        <Field
          {...pinning}
          wide
          control={(ties) => (
            <textarea
              class="input area mono"
              name="pinning"
              rows={2}
              spellcheck={false}
              {...ties}
              defaultValue={valueIn(context, "pinning", pinLines(cpu.pinning))}
            />
          )}
        />
      </div>
    </details>
  );
}

/** How much memory. */
export function MemoryFields({ next: { memory }, bounds, context }: FieldsProps) {
  const amount = {
    type: "number",
    min: bounds.minMemoryMb,
    max: bounds.maxMemoryMb,
    required: true,
    inputMode: "numeric",
    suffix: "MiB",
  } as const;
  return (
    <>
      <TextField
        {...fieldFrame(
          "memory.currentMb",
          t("hardware.field.current_mb"),
          context,
          t("hardware.hint.current_mb"),
        )}
        name="currentMb"
        {...amount}
        defaultValue={valueIn(context, "currentMb", memory.currentMb)}
      />
      <TextField
        {...fieldFrame("memory.maxMb", t("hardware.field.max_mb"), context)}
        name="maxMb"
        {...amount}
        defaultValue={valueIn(context, "maxMb", memory.maxMb)}
      />
    </>
  );
}
