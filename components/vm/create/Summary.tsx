import { useSignal } from "@preact/signals";
import type { ConfigCheck, ConfigFinding, OperatingSystem } from "../../../lib/contract/mod.ts";
import { lazyPart, useLazy } from "../../../lib/client/use_lazy.ts";
import { formatBytes, formatDisk, formatMemory } from "../../../lib/text/quantity.ts";
import { fieldSentence } from "../../../lib/text/field_sentence.ts";
import { quoted } from "../../../lib/text/shell_word.ts";
import { Icon } from "../../kit/Icon.tsx";
import { FailureText } from "../../kit/FailureText.tsx";
import { CPU_MODE_TEXTS, type CreateProps, missingText, plural, t } from "./props.ts";

const FIRMWARE = {
  bios: "create.firmware_bios",
  uefi: "create.firmware_uefi",
  "uefi-secure": "create.firmware_secure",
} as const;

type Resolved = NonNullable<ConfigCheck["resolved"]>;

/** A CPU mode as people call it. */
const cpuText = (mode: string): string =>
  Object.hasOwn(CPU_MODE_TEXTS, mode) ? t(CPU_MODE_TEXTS[mode as keyof typeof CPU_MODE_TEXTS]) : mode;

/** Text on a disk. A copy is as large as its image unless a size is set. */
function diskText(
  { path, copyOf, sizeGb, format, pool: name }: Resolved["disks"][number],
  images: CreateProps["images"],
): string {
  if (path !== undefined) return path;
  const pool = name ?? t("create.sum_new_pool");
  const image = images.find((each) => each.path === copyOf);
  const size = sizeGb !== undefined ? formatDisk(sizeGb) : image && formatBytes(image.virtualBytes);
  if (copyOf === undefined) return t("create.sum_new", { size: size ?? "", format, pool });
  return [size, t("create.sum_copy", { path: copyOf, format, pool })].filter(Boolean).join(" · ");
}

function Facts({ resolved, system, images }: Pick<CreateProps, "images"> & {
  resolved: Resolved;
  system: OperatingSystem | undefined;
}) {
  const { cpuCount, cpuMode, memoryMb, firmware, tpm, disks, nics, virtType, machine } = resolved;
  const rows: [label: string, value: string][] = [
    [t("create.sum_system"), system?.name ?? t("create.system_other")],
    [t("create.sum_cpu"), [plural("create.sum_cpus", cpuCount), cpuText(cpuMode)].join(" · ")],
    [t("create.sum_memory"), formatMemory(memoryMb)],
    [
      t("create.sum_firmware"),
      [t(FIRMWARE[firmware]), tpm && t("create.sum_tpm"), machine].filter(Boolean).join(" · "),
    ],
    ...disks.map((
      disk,
    ): [string, string] => [t("create.sum_disk", { target: disk.target }), diskText(disk, images)]),
    ...nics.map(({ network, bridge, model }): [string, string] => [
      t("create.sum_nic"),
      `${network ?? bridge ?? ""} · ${model}`,
    ]),
    [t("create.sum_virt"), virtType === "kvm" ? t("create.virt_kvm") : t("create.virt_qemu")],
  ];
  return (
    <dl class="create-facts">
      {rows.map(([label, value], index) => (
        <div key={index}>
          <dt>{label}</dt>
          <dd>
            <bdi>{value}</bdi>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Fields whose sentences do not say themselves what they are about. */
const LABELS: Readonly<Record<string, () => string>> = {
  name: () => t("create.name"),
  cpuCount: () => t("create.cpus"),
  memoryMb: () => t("create.memory"),
  isoPath: () => t("create.iso"),
  group: () => t("create.group"),
  project: () => t("create.project"),
  description: () => t("create.description"),
};

/** A sentence with what it is about: `Disk 1: Must not be empty.` */
function labelled(field: string, sentence: string): string {
  const [first = "", index] = field.split(".");
  if (sentence.startsWith("Invalid ") || !sentence.startsWith("Must")) return sentence;
  const label = first === "disks"
    ? t("create.disk_n", { n: Number(index) + 1 })
    : Object.hasOwn(LABELS, first)
    ? LABELS[first]?.()
    : undefined;
  return label === undefined ? sentence : `${label}: ${sentence}`;
}

function Findings(
  { title, tone, list, missing }: {
    title: string;
    tone: "bad" | "warn";
    list: readonly ConfigFinding[];
    missing?: string | undefined;
  },
) {
  if (list.length === 0 && missing === undefined) return null;
  return (
    <div class="findings" data-tone={tone}>
      <h3>
        <Icon name="alert" />
        {title}
      </h3>
      <ul>
        {missing !== undefined && <li>{missing}</li>}
        {list.map(({ field, message }, index) => (
          <li key={`${field}-${index}`}>{labelled(field, fieldSentence(field, message))}</li>
        ))}
      </ul>
    </div>
  );
}

/** Resulting VM, problems of the draft, and the button. */
export function Summary(
  { model, images, arrival, connected }: Pick<CreateProps, "model" | "images" | "arrival"> & {
    connected: boolean;
  },
) {
  // What is wrong now does not take away what the rest comes to
  const check = model.check.value, resolved = model.resolved.value;
  const failure = model.failure.value;
  const submitting = model.submitting.value;
  const errors = model.errors.value;
  return (
    <aside class="panel create-summary" aria-label={t("create.summary")}>
      <header class="panel-head">
        <h2>{t("create.summary")}</h2>
      </header>
      {failure !== null && (
        <div class="findings" data-tone="bad" role="alert">
          <h3>
            <Icon name="alert" />
            {t("create.failed")}
          </h3>
          <FailureText failure={failure} />
        </div>
      )}
      {resolved !== null
        ? <Facts resolved={resolved} system={model.system.value} images={images} />
        : check === null && <p class="form-note">{t("create.checking")}</p>}
      <div role="status">
        <Findings
          title={t("create.problems")}
          tone="bad"
          list={errors}
          missing={missingText({ model, arrival })}
        />
        <Findings title={t("create.warnings")} tone="warn" list={model.warnings.value} />
      </div>
      <div class="form-actions">
        <button type="submit" class="button primary" disabled={submitting || !connected}>
          {submitting
            ? (
              <>
                <Icon name="loader" class="spin" />
                {t("create.creating")}
              </>
            )
            : t("create.button")}
        </button>
        <a class="button" href="/vms">{t("create.cancel")}</a>
      </div>
      {check?.resolved && (
        <>
          <details class="create-more">
            <summary>{t("create.command")}</summary>
            <pre class="code-block" tabIndex={0}>{commandLine(model.wish.value)}</pre>
          </details>
          <XmlPreview xml={check.resolved.xml} />
        </>
      )}
    </aside>
  );
}

/** The document in colours, once it was opened. */
const xmlCode = lazyPart<{ xml: string }>(async () => (await import("../XmlCode.tsx")).XmlCode);

/** XML that libvirt would get. */
function XmlPreview({ xml }: { xml: string }) {
  const isOpen = useSignal(false), Code = useLazy(xmlCode, isOpen.value);
  return (
    <details class="create-more" onToggle={({ currentTarget }) => isOpen.value = currentTarget.open}>
      <summary>{t("create.xml")}</summary>
      {Code === null ? <pre class="code-block" tabIndex={0}>{xml}</pre> : <Code xml={xml} />}
    </details>
  );
}

/** The same wish for a shell. */
function commandLine(wish: unknown): string {
  return `kvm-manager call create_vm ${quoted(JSON.stringify(wish, null, 1))}`;
}
