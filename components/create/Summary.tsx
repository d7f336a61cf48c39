import type { ConfigCheck, ConfigFinding, OperatingSystem } from "../../lib/contract/mod.ts";
import { formatDisk, formatMemory } from "../../lib/format/quantity.ts";
import { Icon } from "../Icon.tsx";
import { FailureText } from "../FailureText.tsx";
import { XmlCode } from "../XmlCode.tsx";
import { type CreateProps, plural, t } from "./props.ts";

const FIRMWARE = {
  bios: "create.firmware_bios",
  uefi: "create.firmware_uefi",
  "uefi-secure": "create.firmware_secure",
} as const;

type Resolved = NonNullable<ConfigCheck["resolved"]>;

/** What a disk comes to. */
function diskText({ path, copyOf, sizeGb, format, pool: name }: Resolved["disks"][number]): string {
  if (path !== undefined) return path;
  const pool = name ?? t("create.sum_new_pool");
  const size = sizeGb === undefined ? undefined : formatDisk(sizeGb);
  if (copyOf === undefined) return t("create.sum_new", { size: size ?? "", format, pool });
  return [size, t("create.sum_copy", { path: copyOf, format, pool })].filter(Boolean).join(" · ");
}

function Facts({ resolved, system }: { resolved: Resolved; system: OperatingSystem | undefined }) {
  const { cpuCount, cpuMode, memoryMb, firmware, tpm, disks, nics, virtType, machine } = resolved;
  const rows: [label: string, value: string][] = [
    [t("create.sum_system"), system?.name ?? t("create.system_other")],
    [t("create.sum_cpu"), `${plural("create.sum_cpus", cpuCount)} · ${cpuMode}`],
    [t("create.sum_memory"), formatMemory(memoryMb)],
    [
      t("create.sum_firmware"),
      [t(FIRMWARE[firmware]), tpm && t("create.sum_tpm"), machine].filter(Boolean).join(" · "),
    ],
    ...disks.map((disk): [string, string] => [t("create.sum_disk", { target: disk.target }), diskText(disk)]),
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

function Findings(
  { title, tone, list }: { title: string; tone: "bad" | "warn"; list: readonly ConfigFinding[] },
) {
  if (list.length === 0) return null;
  return (
    <div class="findings" data-tone={tone}>
      <h3>
        <Icon name="alert" />
        {title}
      </h3>
      <ul>
        {list.map(({ field, message }, index) => <li key={`${field}-${index}`}>{message}</li>)}
      </ul>
    </div>
  );
}

/** What the wish comes to, what is wrong with it, and the button. */
export function Summary({ model, connected }: Pick<CreateProps, "model"> & { connected: boolean }) {
  const check = model.check.value;
  const failure = model.failure.value;
  const submitting = model.submitting.value;
  const errors = check?.errors ?? [];
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
      {check?.resolved
        ? <Facts resolved={check.resolved} system={model.system.value} />
        : check === null && <p class="form-note">{t("create.checking")}</p>}
      <div role="status">
        <Findings title={t("create.problems")} tone="bad" list={errors} />
        <Findings title={t("create.warnings")} tone="warn" list={check?.warnings ?? []} />
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
          <details class="create-more">
            <summary>{t("create.xml")}</summary>
            <XmlCode xml={check.resolved.xml} />
          </details>
        </>
      )}
    </aside>
  );
}

/** The same wish for a shell: in single quotes nothing is special but the quote itself. */
function commandLine(wish: unknown): string {
  return `kvm-manager call create_vm '${JSON.stringify(wish, null, 1).replaceAll("'", "'\\''")}'`;
}
