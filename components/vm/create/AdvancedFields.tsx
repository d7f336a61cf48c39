import type { VmConfig } from "../../../lib/contract/mod.ts";
import { parseTags } from "../../../lib/vm/tags.ts";
import { CheckField, SelectField, TextField } from "../../kit/Field.tsx";
import { Disclosure } from "../../kit/Disclosure.tsx";
import {
  automatic,
  choiceOf,
  CPU_MODE_TEXTS,
  type CreateProps,
  deviceChoices,
  plainChoices,
  t,
  typedNumber,
  undefinedIfEmpty,
} from "./props.ts";

/** One of a list's words as the contract's type; undefined for the entry that leaves the choice to the server. */
const word = <T extends string>(value: string): T | undefined => undefinedIfEmpty(value) as T | undefined;

const FIRMWARE_TEXTS = {
  bios: "create.firmware_bios",
  uefi: "create.firmware_uefi",
  "uefi-secure": "create.firmware_secure",
} as const;
const GRAPHICS_TEXTS = {
  vnc: "create.graphics_vnc",
  spice: "create.graphics_spice",
  none: "create.graphics_none",
} as const;
const VIRT_TEXTS = { kvm: "create.virt_kvm", qemu: "create.virt_qemu" } as const;

const keys = <T extends object>(table: T) => Object.keys(table) as (keyof T & string)[];

/** Firmware, TPM, VM and CPU. */
function PlatformFields({ model, options }: CreateProps) {
  const wish = model.wish.value;
  const resolved = model.resolved.value;
  const topology = wish.cpuTopology;
  const turn = (field: "sockets" | "cores" | "threads", value: number | undefined) => {
    const next = { sockets: 1, cores: 1, threads: 1, ...topology, [field]: value ?? 1 };
    const isPlain = next.sockets === 1 && next.cores === 1 && next.threads === 1;
    model.set({ cpuTopology: isPlain ? undefined : next });
  };
  return (
    <Disclosure
      title={t("create.platform")}
      wrong={["firmware", "tpm", "machine", "virtType", "cpuMode", "cpuModel", "cpuTopology"].some((field) =>
        model.error(field) !== undefined
      )}
    >
      <div class="form-grid">
        <SelectField
          label={t("create.firmware")}
          value={wish.firmware ?? ""}
          choices={[
            automatic(resolved ? t(FIRMWARE_TEXTS[resolved.firmware]) : undefined),
            ...keys(FIRMWARE_TEXTS).map((id) => choiceOf(t(FIRMWARE_TEXTS[id]), id, options.firmwares)),
          ]}
          error={model.error("firmware")}
          onChange={({ currentTarget: { value } }) => model.set({ firmware: word(value) })}
        />
        <SelectField
          label={t("create.machine")}
          value={wish.machine ?? ""}
          choices={[automatic(resolved?.machine), ...plainChoices(options.machines.map(({ name }) => name))]}
          error={model.error("machine")}
          onChange={({ currentTarget: { value } }) => model.set({ machine: word(value) })}
        />
        <SelectField
          label={t("create.virt")}
          value={wish.virtType ?? ""}
          choices={[
            automatic(options.virtType === "kvm" ? t("create.virt_kvm") : t("create.virt_qemu")),
            ...keys(VIRT_TEXTS).map((id) => choiceOf(t(VIRT_TEXTS[id]), id, options.virtTypes)),
          ]}
          error={model.error("virtType")}
          onChange={({ currentTarget: { value } }) => model.set({ virtType: word(value) })}
        />
        <SelectField
          label={t("create.cpu_mode")}
          value={wish.cpuMode ?? ""}
          choices={[
            automatic(),
            ...keys(CPU_MODE_TEXTS).map((id) => choiceOf(t(CPU_MODE_TEXTS[id]), id, options.cpuModes)),
          ]}
          error={model.error("cpuMode")}
          onChange={({ currentTarget: { value } }) =>
            model.set({ cpuMode: word(value), ...(value !== "custom" && { cpuModel: undefined }) })}
        />
        {wish.cpuMode === "custom" && (
          <SelectField
            label={t("create.cpu_model")}
            value={wish.cpuModel ?? ""}
            choices={[
              { value: "", label: t("create.none") },
              ...options.cpuModels.map(({ name, usable }) => ({
                value: name,
                label: name,
                unavailable: usable ? undefined : t("create.unavailable"),
              })),
            ]}
            error={model.error("cpuModel")}
            onChange={({ currentTarget: { value } }) => model.set({ cpuModel: word(value) })}
          />
        )}
        {([
          ["sockets", "create.sockets"],
          ["cores", "create.cores"],
          ["threads", "create.threads"],
        ] as const).map(([field, label]) => (
          <TextField
            key={field}
            label={t(label)}
            type="number"
            min={1}
            max={256}
            placeholder={t("create.auto")}
            value={topology?.[field] ?? ""}
            hint={field === "sockets" ? t("create.topology_hint") : undefined}
            error={field === "sockets" ? model.error("cpuTopology") : undefined}
            onInput={({ currentTarget: { value } }) => turn(field, typedNumber(value))}
          />
        ))}
        <CheckField
          wide
          label={t("create.tpm")}
          hint={options.tpm.available ? undefined : options.tpm.reason}
          disabled={!options.tpm.available}
          checked={wish.tpm ?? resolved?.tpm ?? false}
          error={model.error("tpm")}
          onChange={({ currentTarget: { checked } }) => model.set({ tpm: checked })}
        />
        <CheckField
          wide
          label={t("create.overcommit")}
          checked={wish.allowOvercommit ?? false}
          onChange={({ currentTarget: { checked } }) =>
            model.set({ allowOvercommit: checked ? true : undefined })}
        />
      </div>
    </Disclosure>
  );
}

/** Screen, sound and the small devices. */
function DeviceFields({ model, options }: CreateProps) {
  const wish = model.wish.value;
  const boxes = [["rng", "create.rng"], ["balloon", "create.balloon"], [
    "guestAgent",
    "create.agent",
  ]] as const;
  return (
    <Disclosure
      title={t("create.devices")}
      wrong={["graphics", "video", "sound", "watchdog", "guestTools"].some((field) =>
        model.error(field) !== undefined
      )}
    >
      <div class="form-grid">
        <SelectField
          label={t("create.graphics")}
          value={wish.graphics ?? "vnc"}
          choices={keys(GRAPHICS_TEXTS).map((id) => choiceOf(t(GRAPHICS_TEXTS[id]), id, options.graphics))}
          error={model.error("graphics")}
          onChange={({ currentTarget: { value } }) => model.set({ graphics: word(value) })}
        />
        {([
          ["video", "create.video", options.videoModels],
          ["sound", "create.sound", options.soundModels],
          ["watchdog", "create.watchdog", options.watchdogs],
        ] as const).map(([field, label, names]) => (
          <SelectField
            key={field}
            label={t(label)}
            value={wish[field] ?? ""}
            choices={[automatic(), ...deviceChoices(field, names)]}
            error={model.error(field)}
            onChange={({ currentTarget: { value } }) => model.set({ [field]: word(value) })}
          />
        ))}
        {boxes.map(([field, label]) => (
          <CheckField
            key={field}
            wide
            label={t(label)}
            checked={wish[field] ?? true}
            onChange={({ currentTarget: { checked } }) => model.set({ [field]: checked ? undefined : false })}
          />
        ))}
        <CheckField
          wide
          name="guestTools"
          value="yes"
          label={t("create.guest_tools")}
          hint={t("create.guest_tools_hint")}
          error={model.error("guestTools")}
          checked={wish.guestTools ?? false}
          onChange={({ currentTarget: { checked } }) => model.set({ guestTools: checked ? true : undefined })}
        />
      </div>
    </Disclosure>
  );
}

/** Boot menu and a kernel of the host. */
function BootFields({ model }: CreateProps) {
  const wish = model.wish.value;
  const kernel = wish.kernel;
  const change = (field: "path" | "initrd" | "args", value: string) => {
    const next = { path: "", ...kernel, [field]: value };
    const written = Object.entries(next).filter(([name, text]) => name === "path" || text !== "");
    const isEmpty = written.every(([, text]) => text === "");
    model.set({ kernel: isEmpty ? undefined : Object.fromEntries(written) as VmConfig["kernel"] });
  };
  return (
    <Disclosure
      title={t("create.boot")}
      wrong={["kernel", "kernel.path", "kernel.initrd", "bootOrder"].some((field) =>
        model.error(field) !== undefined
      )}
    >
      <div class="form-grid">
        <CheckField
          wide
          label={t("create.boot_menu")}
          checked={wish.bootMenu ?? false}
          onChange={({ currentTarget: { checked } }) => model.set({ bootMenu: checked ? true : undefined })}
        />
        <TextField
          label={t("create.kernel")}
          hint={t("create.kernel_hint")}
          value={kernel?.path ?? ""}
          error={model.error("kernel.path") ?? model.error("kernel")}
          onInput={({ currentTarget: { value } }) => change("path", value)}
        />
        <TextField
          label={t("create.initrd")}
          value={kernel?.initrd ?? ""}
          error={model.error("kernel.initrd")}
          onInput={({ currentTarget: { value } }) => change("initrd", value)}
        />
        <TextField
          label={t("create.args")}
          value={kernel?.args ?? ""}
          error={model.error("kernel.args")}
          onInput={({ currentTarget: { value } }) => change("args", value)}
        />
      </div>
    </Disclosure>
  );
}

/** Fields for a VM's descriptions. */
function KeepFields({ model, projects }: CreateProps) {
  const wish = model.wish.value;
  return (
    <Disclosure
      title={t("create.keep")}
      wrong={["title", "description", "tags", "group", "project"].some((field) =>
        model.error(field) !== undefined
      )}
    >
      <div class="form-grid">
        <TextField
          label={t("create.label")}
          maxLength={256}
          value={wish.title ?? ""}
          error={model.error("title")}
          onInput={({ currentTarget: { value } }) => model.set({ title: undefinedIfEmpty(value) })}
        />
        <TextField
          label={t("create.tags")}
          error={model.error("tags")}
          onInput={({ currentTarget: { value } }) => {
            const tags = parseTags(value);
            model.set({ tags: tags.length > 0 ? tags : undefined });
          }}
        />
        <TextField
          label={t("create.group")}
          maxLength={128}
          value={wish.group ?? ""}
          error={model.error("group")}
          onInput={({ currentTarget: { value } }) => model.set({ group: undefinedIfEmpty(value) })}
        />
        {projects.length > 0 && (
          <SelectField
            name="project"
            label={t("create.project")}
            value={wish.project ?? ""}
            choices={[
              { value: "", label: t("create.none") },
              ...projects.map(({ id, name }) => ({ value: id, label: name })),
            ]}
            error={model.error("project")}
            onChange={({ currentTarget: { value } }) => model.set({ project: undefinedIfEmpty(value) })}
          />
        )}
        <TextField
          wide
          label={t("create.description")}
          value={wish.description ?? ""}
          error={model.error("description")}
          onInput={({ currentTarget: { value } }) => model.set({ description: undefinedIfEmpty(value) })}
        />
        <CheckField
          wide
          label={t("create.autostart")}
          checked={wish.autostart ?? false}
          onChange={({ currentTarget: { checked } }) => model.set({ autostart: checked ? true : undefined })}
        />
      </div>
    </Disclosure>
  );
}

/** Fields that have a good default: each part folded. */
export function AdvancedFields(props: CreateProps) {
  return (
    <>
      <PlatformFields {...props} />
      <DeviceFields {...props} />
      <BootFields {...props} />
      <KeepFields {...props} />
    </>
  );
}
