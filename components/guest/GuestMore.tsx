import {
  GUEST_METADATA,
  type GuestAbility,
  type GuestMetadatum,
  type GuestMetrics,
  type GuestPackages,
  type GuestProcess,
  type GuestSecurity,
  type GuestUnit,
} from "../../lib/contract/mod.ts";
import { guest as texts } from "../../lib/i18n/en/guest.ts";
import { fixed } from "../../lib/i18n/numbers.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatBytes } from "../../lib/text/quantity.ts";
import { DataTable } from "../kit/DataTable.tsx";
import { Fact } from "../kit/Fact.tsx";
import { TextField } from "../kit/Field.tsx";
import { Flash } from "../kit/Flash.tsx";
import { Panel } from "../kit/Panel.tsx";
import { RowButton } from "../kit/RowButton.tsx";

const { t } = textsOf(texts);

/** Views that ask the guest only when the user opens them. */
export const GUEST_VIEWS = [
  "metrics",
  "processes",
  "services",
  "packages",
  "security",
  "metadata",
] as const satisfies readonly GuestAbility[];
export type GuestView = typeof GUEST_VIEWS[number];

/** Answer of the guest for a view. */
export type GuestViewAnswer =
  | { readonly view: "metrics"; readonly metrics: GuestMetrics }
  | { readonly view: "processes"; readonly processes: readonly GuestProcess[]; readonly total: number }
  | { readonly view: "services"; readonly services: readonly GuestUnit[] }
  | { readonly view: "packages"; readonly packages: GuestPackages }
  | { readonly view: "security"; readonly security: GuestSecurity }
  | { readonly view: "metadata"; readonly metadata: readonly GuestMetadatum[] }
  | { readonly view: GuestView; readonly failure: string };

const TITLES = {
  metrics: "guest.ability_metrics",
  processes: "guest.ability_processes",
  services: "guest.ability_services",
  packages: "guest.ability_packages",
  security: "guest.ability_security",
  metadata: "guest.ability_metadata",
} as const satisfies Record<GuestView, keyof typeof texts>;

const STATES = {
  running: "guest.service_running",
  exited: "guest.service_exited",
  stopped: "guest.service_stopped",
  failed: "guest.service_failed",
  changing: "guest.service_changing",
  unknown: "guest.unknown",
} as const satisfies Record<GuestUnit["state"], keyof typeof texts>;

const MEBIBYTE = 1024 * 1024;
const percent = (value: number) => `${fixed(value, 1)} %`;
const usedOf = (used: number, total: number) =>
  t("guest.used_of", { used: formatBytes(used * MEBIBYTE), total: formatBytes(total * MEBIBYTE) });

/** The guest's load, as it sees it itself. */
function Load(
  { cpuUsagePercent, cores, loadAverage, processes, ...memory }: GuestMetrics,
) {
  return (
    <>
      <dl class="description-list">
        <Fact label={t("guest.cpu")}>{percent(cpuUsagePercent)}</Fact>
        {cores.length > 1 && <Fact label={t("guest.cores")}>{cores.map(percent).join(", ")}</Fact>}
        {loadAverage && (
          <Fact label={t("guest.load_average")}>{loadAverage.map((each) => fixed(each, 2)).join("  ")}</Fact>
        )}
        <Fact label={t("guest.memory")}>{usedOf(memory.memoryUsedMb, memory.memoryTotalMb)}</Fact>
        {memory.swapTotalMb > 0 && (
          <Fact label={t("guest.swap")}>{usedOf(memory.swapUsedMb, memory.swapTotalMb)}</Fact>
        )}
      </dl>
      {processes && <ProcessTable processes={processes} />}
    </>
  );
}

function ProcessTable({ processes }: { processes: readonly GuestProcess[] }) {
  return (
    <DataTable
      label={t("guest.ability_processes")}
      rows={processes}
      keyOf={({ pid }) => String(pid)}
      columns={[
        { title: t("guest.process"), cell: ({ pid }) => pid },
        { title: t("guest.user"), cell: ({ user }) => user },
        { title: t("guest.cpu"), cell: ({ cpuPercent }) => percent(cpuPercent) },
        { title: t("guest.memory"), cell: ({ memoryBytes }) => formatBytes(memoryBytes) },
        {
          title: t("guest.command"),
          kind: "code",
          fit: "wrap",
          cell: ({ command, name }) => command || name,
        },
      ]}
    />
  );
}

function Processes({ processes, total }: Extract<GuestViewAnswer, { processes: unknown }>) {
  return (
    <>
      <ProcessTable processes={processes} />
      <p class="pad text-muted">{t("guest.processes_of", { shown: processes.length, total })}</p>
    </>
  );
}

/** Actions for a service in its state. */
const actionsOf = ({ state }: GuestUnit) =>
  state === "running" ? ["restart", "stop"] as const : ["start"] as const;

const ACTIONS = {
  start: "guest.service_start",
  stop: "guest.service_stop",
  restart: "guest.service_restart",
} as const satisfies Record<string, keyof typeof texts>;

function Services({ services, vmId, at, mayControl }: {
  services: readonly GuestUnit[];
  vmId: string;
  at: string;
  mayControl: boolean;
}) {
  return (
    <DataTable
      label={t("guest.ability_services")}
      rows={services}
      keyOf={({ name }) => name}
      empty={t("guest.no_services")}
      columns={[
        { title: t("guest.service"), fit: "wrap", cell: ({ name }) => name },
        { title: t("guest.state"), cell: ({ state }) => t(STATES[state]) },
        { title: t("guest.startup"), cell: ({ startup }) => startup },
        { title: t("guest.description"), fit: "wrap", cell: ({ description }) => description },
        ...mayControl
          ? [{
            title: t("guest.actions"),
            kind: "actions" as const,
            cell: (each: GuestUnit) => (
              <div class="guest-service">
                {actionsOf(each).map((action) => (
                  <form
                    key={action}
                    method="post"
                    action={formHref("guest_control_service", { vmId, name: each.name, action }, at)}
                  >
                    <button type="submit" class="button small">{t(ACTIONS[action])}</button>
                  </form>
                ))}
              </div>
            ),
          }]
          : [],
      ]}
    />
  );
}

function Packages({ packages: { packages, total, upgrades, manager } }: { packages: GuestPackages }) {
  return (
    <>
      <p class="pad">{t("guest.packages_of", { total, upgrades, manager })}</p>
      <DataTable
        label={t("guest.ability_packages")}
        rows={packages}
        keyOf={({ name, version, architecture }) => `${name} ${version} ${architecture}`}
        empty={t("guest.no_upgrades")}
        columns={[
          { title: t("guest.package"), fit: "wrap", cell: ({ name }) => name },
          { title: t("guest.version_title"), kind: "code", cell: ({ version }) => version },
          { title: t("guest.upgrade"), kind: "code", cell: ({ upgrade }) => upgrade },
        ]}
      />
    </>
  );
}

function Security({ security }: { security: GuestSecurity }) {
  const known = (text: string) => text === "" ? t("guest.unknown") : text;
  return (
    <>
      {security.rebootRequired && <Flash tone="warn">{t("guest.reboot_required")}</Flash>}
      <dl class="description-list">
        <Fact label="SELinux">{known(security.selinux)}</Fact>
        <Fact label="AppArmor">
          {t("guest.apparmor", { state: known(security.apparmor), profiles: security.apparmorProfiles })}
        </Fact>
        <Fact label={t("guest.lockdown")}>{known(security.lockdown)}</Fact>
        <Fact label={t("guest.secure_boot")}>{known(security.secureBoot)}</Fact>
      </dl>
    </>
  );
}

/** Values are the guest's own text: shown as such, in one line each. */
function Metadata({ metadata, vmId, at, maySet, refused }: {
  metadata: readonly GuestMetadatum[];
  vmId: string;
  at: string;
  maySet: boolean;
  refused: RefusedForm | null;
}) {
  return (
    <>
      <p class="pad text-muted">{t("guest.metadata_what")}</p>
      {maySet && (
        <form method="post" action={formHref("guest_set_metadata", { vmId }, at)} class="guest-exec">
          <TextField
            label={t("guest.key")}
            name="key"
            required
            maxLength={GUEST_METADATA.key}
            class="input mono"
            defaultValue={typedAgain(refused, "guest_set_metadata")?.key ?? ""}
            error={refusalAt(refused, "guest_set_metadata", "key")}
          />
          <TextField
            label={t("guest.value")}
            name="value"
            required
            maxLength={GUEST_METADATA.value}
            error={refusalAt(refused, "guest_set_metadata", "value")}
          />
          <button type="submit" class="button">{t("guest.set_value")}</button>
        </form>
      )}
      <DataTable
        label={t("guest.ability_metadata")}
        rows={metadata}
        keyOf={({ key }) => key}
        empty={t("guest.no_metadata")}
        columns={[
          { title: t("guest.key"), kind: "code", cell: ({ key }) => key },
          { title: t("guest.value"), fit: "wrap", cell: ({ value }) => oneLine(value, 1024) },
          ...maySet
            ? [{
              title: t("guest.actions"),
              kind: "actions" as const,
              cell: ({ key }: GuestMetadatum) => (
                <RowButton
                  action={formHref("guest_set_metadata", { vmId, key, value: "" }, at)}
                  text={t("guest.delete_value")}
                  label={t("guest.delete_value_of", { key: oneLine(key, GUEST_METADATA.key) })}
                />
              ),
            }]
            : [],
        ]}
      />
    </>
  );
}

interface ToldProps extends Pick<GuestMoreProps, "vmId" | "mayControl" | "maySet" | "refused"> {
  told: GuestViewAnswer;
  at: string;
}

function Told({ told, ...rest }: ToldProps) {
  if ("failure" in told) return <Flash tone="bad">{told.failure}</Flash>;
  if ("metrics" in told) return <Load {...told.metrics} />;
  if ("processes" in told) return <Processes {...told} />;
  if ("metadata" in told) return <Metadata metadata={told.metadata} {...rest} />;
  if ("services" in told) return <Services services={told.services} {...rest} />;
  return "packages" in told ? <Packages packages={told.packages} /> : <Security security={told.security} />;
}

/** Props of {@link GuestMore}. */
export interface GuestMoreProps {
  told: GuestViewAnswer | null;
  vmId: string;
  /** Address of the page. */
  page: string;
  views: readonly GuestView[];
  mayControl: boolean;
  /** Whether values may be left for the guest. */
  maySet: boolean;
  /** A form of this page that was refused. */
  refused: RefusedForm | null;
}

/** Processes, services, packages, security: one of them at a time, as a guest may take seconds for each. */
export function GuestMore({ told, page, views, ...rest }: GuestMoreProps) {
  if (views.length === 0) return null;
  const at = (view: GuestView) => `${page}?show=${view}`;
  return (
    <div id="more">
      <Panel title={t("guest.more")}>
        <nav class="pad guest-views" aria-label={t("guest.more")}>
          {views.map((view) => (
            <a
              key={view}
              class="button small"
              href={`${at(view)}#more`}
              aria-current={told?.view === view ? "page" : undefined}
            >
              {t(TITLES[view])}
            </a>
          ))}
        </nav>
        {told !== null && <Told told={told} at={at(told.view)} {...rest} />}
      </Panel>
    </div>
  );
}
